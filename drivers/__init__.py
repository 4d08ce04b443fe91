"""Wire to Reading: one folder a protocol, nothing of the gateway's inside.

`PROTOCOLS` is the one line a new protocol adds: its name in configuration and profiles, and the package that holds its
`profile.py` (rows of a meter model) and `driver.py`. They are imported only where a bus uses them.
"""

PROTOCOLS = {
    "dlms": "drivers.dlms",
    "mbus": "drivers.mbus",
    "modbus": "drivers.modbus",
    "p1": "drivers.p1",
    "iec62056-21": "drivers.iec62056",
    "pulse": "drivers.pulse",
    "sml": "drivers.sml",
    "wmbus": "drivers.wmbus",
    "wmbusmeters": "drivers.wmbusmeters",
}
