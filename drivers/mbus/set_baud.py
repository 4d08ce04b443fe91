"""Gives one meter another speed, at an installer's word; readings never write.

1. The meter is told at the speed it has, and confirms at that speed.
2. It is then asked for data at the new one. A meter that is not spoken to at its new speed goes back to the old one by
   itself after some minutes, so nothing is lost when it stays silent.
"""

from dataclasses import replace

from drivers.contract import BootClock, Bus, Refused
from drivers.mbus.driver import address_of, open_bus
from drivers.mbus.frames import BAUD_CI
from drivers.mbus.search import PrimaryScan, Search


async def set_baud(bus: Bus, now: BootClock, address: int | str, baud: int, deadline: float) -> bool:
    """Change the speed and tell whether the meter answers at the new one.

    Raises Refused for a speed M-Bus has no word for, or a line whose speed is not ours; NoAnswer, NotConnected.
    """
    if baud not in BAUD_CI:
        raise Refused(f"{baud} baud is no speed of M-Bus", f"one of {', '.join(map(str, BAUD_CI))}")
    if "://" in bus.where:
        raise Refused("a gateway has a speed of its own", "connect the line to a serial adapter for this")
    meter = address_of(address)
    driver = open_bus(bus, now)
    try:
        await driver.connect()
        await driver.tell(meter, BAUD_CI[baud], b"", deadline)
    finally:
        await driver.close()
    driver = open_bus(replace(bus, baud=baud), now)
    try:
        await driver.connect()
        if isinstance(meter, int):
            scan = PrimaryScan([meter])
            await driver.scan(scan, deadline)
            return bool(scan.found)
        search = Search(meter)
        await driver.search(search, deadline)
        return bool(search.found)
    finally:
        await driver.close()
