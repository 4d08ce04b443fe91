"""Wireless M-Bus: radio frames as sticks deliver them, and the security of the open metering system."""
