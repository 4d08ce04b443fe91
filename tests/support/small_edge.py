"""An edge of one meter, as its own file has it, and as a hub would have it instead."""

OWN = """[gateway]
id = "gw"
[mqtt]
url = "mqtt://127.0.0.1:1"
[[bus]]
name = "line"
driver = "modbus"
device = "/dev/ttyUSB0"
[[meter]]
name = "own"
bus = "line"
profile = "eastron-sdm120"
address = 1
"""
SENT = OWN.replace('name = "own"', 'name = "sent"')
