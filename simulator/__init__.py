"""Meters without hardware: a home in time, and servers that put its meters on real wires."""
