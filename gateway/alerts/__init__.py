"""Alerts: pure rules over readings, intervals and time, and the events they raise."""
