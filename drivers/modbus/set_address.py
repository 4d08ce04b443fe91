"""Gives one meter on a serial line another address: the only place from which Nabd writes to a meter.

1. The line is opened for this write alone, so that no reading can be meant by its answer.
2. After a silence the frame goes out once; it is never repeated, since a meter may have obeyed in silence.
3. The answer is awaited until the deadline. Whether the meter obeyed is found out by reading it under the new address.
"""

import asyncio

from drivers import link
from drivers.contract import Bus, NotConnected, Refused
from drivers.modbus.driver import BAUD, FRAMING
from drivers.modbus.model import SetAddress
from drivers.modbus.write import confirmed, write_frame

SILENCE = 0.1
"""Seconds before the frame: longer than 3.5 characters at any speed, and than the rest of an old answer."""

LIMIT = 256
"""Bytes that are kept of what arrives: the answer has eight, the rest is noise."""


async def set_address(bus: Bus, allowed: SetAddress, old: int, new: int, deadline: float) -> bool:
    """Write the address and tell whether the meter confirmed it in time; raises NotConnected, Refused, ValueError."""
    frame = write_frame(old, allowed, new)
    if bus.where.startswith("tcp://"):
        raise Refused("addresses are set on a serial line only", "connect the meter to a serial adapter for this")
    transport, ear = await link.connect(bus, _Ear, baud=BAUD, framing=FRAMING)
    try:
        await asyncio.sleep(SILENCE)
        ear.heard.clear()
        transport.write(frame)
        async with asyncio.timeout(deadline):
            while not confirmed(bytes(ear.heard), frame, new):
                await ear.more()
        return True  # noqa: TRY300  the other way out is the deadline
    except TimeoutError:
        return False
    finally:
        transport.abort()
        await ear.closed.wait()


class _Ear(asyncio.Protocol):
    """Keeps what arrives, up to a limit."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.closed = asyncio.Event()
        self._more = asyncio.Event()

    async def more(self) -> None:
        """Wait for more bytes; raises NotConnected when none can come."""
        if self.closed.is_set():
            raise NotConnected("the line broke during the write", "is the adapter still plugged in?")
        self._more.clear()
        await self._more.wait()

    def data_received(self, data: bytes) -> None:
        """Keep the newest bytes."""
        self.heard += data
        del self.heard[:-LIMIT]
        self._more.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake who waits."""
        del exc
        self.closed.set()
        self._more.set()
