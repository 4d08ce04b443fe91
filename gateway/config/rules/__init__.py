"""The tables [alerts.RULE], by what they watch."""
