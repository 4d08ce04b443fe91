"""A line on which no telegram survives: counted each time, told once, so that the log cannot fill a card."""

import asyncio
import contextlib
import logging
from typing import Any

import pytest

from drivers.contract import Meter, NoAnswer, Reading
from gateway.poll import Poller
from gateway.teller import Teller
from tests.support.virtual_time import run_virtually

SECONDS = 600


class Garbled:
    """Every answer fails its checksum."""

    turns = "asked"
    rejected = 0

    async def connect(self) -> None:
        """Connect to a line that only garbles."""

    async def read(self, meter: Meter) -> Reading:
        """Count a broken answer."""
        self.rejected += 1
        raise NoAnswer("1 telegram failed its CRC", meter=meter.id)

    async def close(self) -> None:
        """Nothing to close."""

    def counters(self) -> dict[str, int]:
        """Give what was rejected."""
        return {"crc": self.rejected}


def test_ten_minutes_of_broken_checksums_are_a_line_a_minute_at_most(caplog: pytest.LogCaptureFixture) -> None:
    """Each is a count of the driver, and the log stays far below a megabyte a day."""
    driver: Any = Garbled()
    profile: Any = None
    poller = Poller("bus", driver, [(Meter("m-1", profile, 1, 1.0), 1.0)], lambda _: None)
    teller = Teller({"bus bus": lambda: poller.turns[0].error})

    async def run() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SECONDS):
                await asyncio.gather(poller.run(), teller.run())

    with caplog.at_level(logging.INFO):
        run_virtually(run())
    told = [record.getMessage() for record in caplog.records]
    assert driver.counters()["crc"] > 5
    assert len(told) <= SECONDS / 60
    assert sum(map(len, told)) * 86400 / SECONDS <= 1_000_000
