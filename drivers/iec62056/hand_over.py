"""Opens a line by the optical sign-on and hands it over to HDLC (mode E), for meters that speak DLMS behind it.

1. The meter names itself at 300 baud 7E1, and is told to go on with protocol 2 at the speed it offers.
2. The line is set to that speed, eight bits without parity, and given to the caller's protocol.

A serial server cannot follow a change from seven bits to eight, so over TCP there is no hand-over.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from drivers.contract import BootClock, Bus, NotConnected
from drivers.iec62056.messages import Identification
from drivers.iec62056.open_line import FIRST_SPEED, OpenLine
from drivers.iec62056.session import Manner, Session
from drivers.link import is_tcp

BUDGET = 20.0
"""Seconds for the sign-on at 300 baud."""

P = TypeVar("P", bound=asyncio.Protocol)


async def open_hdlc(
    bus: Bus, protocol: Callable[[], P], now: BootClock, address: str = ""
) -> tuple[asyncio.Transport, P, Identification]:
    """Sign on, switch, and give the open link to a protocol; raises DriverError. The caller closes the transport."""
    if is_tcp(bus):
        raise NotConnected("mode E needs a serial port of this machine", "a serial server cannot change its framing")
    # A framing of 7E1 in the configuration is the sign-on's; one of 8N1 is that of the head, and stays.
    line = OpenLine(bus if bus.framing == "8N1" else replace(bus, framing=None), now)
    await line.open()
    try:
        session = Session(Manner(speed=bus.baud or FIRST_SPEED), address)
        said = await line.run(session, session.hand_over(), BUDGET)
        transport = line.transport
        assert transport is not None  # noqa: S101  it was opened above
    except BaseException:
        line.close()
        raise
    made = protocol()
    transport.set_protocol(made)
    made.connection_made(transport)
    return transport, made, said
