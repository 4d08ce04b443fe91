"""A P1 port of two meters: what it sends, and how a test hears it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from drivers.contract import Meter, Reading
from drivers.p1.codec import encode
from drivers.p1.driver import P1Driver
from drivers.profiles import load

MAIN = Meter("main", load("dsmr-p1"))
GAS = Meter("gas", load("dsmr-p1-gas"))
DEADLINE = 5.0


def telegram(second: int, captured: str = "260301110000W", gas: str = "00246.138*m3", bare: bool = False) -> bytes:
    """Make a telegram whose register and clock move with `second`."""
    data = encode(
        "NBD5\\2DRIVER",
        [
            f"0-0:1.0.0(2603011200{second:02d}W)",
            f"1-0:1.8.1({1000 + second:06d}.001*kWh)",
            "0-1:24.1.0(003)",
            f"0-1:24.2.1({captured})({gas})",
        ],
    )
    return data[:-6] + b"\r\n" if bare else data


def ticks() -> Callable[[], int]:
    """Give a boot clock that moves 1000 ms a look."""
    count = 0

    def now() -> int:
        nonlocal count
        count += 1000
        return count

    return now


class Silent(asyncio.Transport):
    """A link that carries what a test feeds into its protocol."""

    def close(self) -> None:
        """Nothing is open."""


Story = Callable[[P1Driver, asyncio.Protocol], Coroutine[Any, Any, None]]
Virtual = Callable[[Story], None]


async def soon(reading: "asyncio.Task[Reading] | asyncio.Future[Reading]") -> Reading:
    """Await a reading that must come."""
    async with asyncio.timeout(DEADLINE):
        return await reading
