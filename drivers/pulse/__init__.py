"""Pulse outputs: contacts and S0 on GPIO lines, or counted by an S0PCM on a serial port."""
