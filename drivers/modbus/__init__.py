"""Modbus RTU and TCP: registers in, values out."""
