"""A bus whose meters remember, on virtual time, and everything that was taken from it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

from drivers.contract import Meter, NoAnswer, NotConnected, Reading
from gateway.backfill import Backfill
from gateway.intake import ProfileRow
from gateway.journal import Unwritable
from gateway.poll import Poller
from tests.support.virtual_time import run_virtually

START = 1_795_219_200_000
"""2026-11-21 00:00 UTC, the moment at which virtual time is nothing."""
QUARTER, HOUR, DAY = 900_000, 3_600_000, 86_400_000
MINUTES = 60.0


def meter(name: str, address: int = 1) -> Meter:
    """Make a meter whose profile nobody looks at."""
    profile: Any = None
    return Meter(name, profile, address)


@dataclass
class FakeDriver:
    """Meters with a row each quarter of an hour; those in `silent` do not answer, nor does anybody while `away`."""

    turns: Literal["asked", "pushed"] = "asked"
    answers_in: float = 0.05
    a_day_takes: float = 1.0
    silent: set[str] = field(default_factory=set)
    away: bool = False
    clock_off: int | None = None
    fails: list[Exception | None] = field(default_factory=list)
    more: list[int | None] = field(default_factory=list)
    period: int = QUARTER
    asked: list[tuple[str, int, int]] = field(default_factory=list)
    busy: bool = False

    async def connect(self) -> None:
        """Open the bus."""
        if self.away:
            raise NotConnected("no such port")

    async def read(self, meter: Meter) -> Reading:
        """Answer, or stay silent."""
        await self._take_line(self.answers_in)
        if self.away:
            raise NotConnected("gone")
        if meter.id in self.silent:
            raise NoAnswer("silent", meter=meter.id)
        at = _boot_ms()
        shown = None if self.clock_off is None else at + START + self.clock_off
        return Reading(meter.id, at, {"energy_import_wh": at}, meter_time=shown)

    async def history(self, meter: Meter, since_ms: int, until_ms: int) -> Sequence[Reading]:
        """Give the rows there are, and those of `more`."""
        self.asked.append((meter.id, since_ms, until_ms))
        await self._take_line(self.a_day_takes * (until_ms - since_ms) / DAY)
        if self.fails and (failure := self.fails.pop(0)):
            raise failure
        times: list[int | None] = list(range(-(-since_ms // self.period) * self.period, until_ms + 1, self.period))
        return [Reading(meter.id, _boot_ms(), {"energy_import_wh": 1}, captured=at) for at in [*times, *self.more]]

    async def close(self) -> None:
        """Nothing to close."""

    def counters(self) -> Mapping[str, int]:
        """Nothing was rejected."""
        return {}

    async def _take_line(self, seconds: float) -> None:
        assert not self.busy, "two at once on one wire"
        self.busy = True
        try:
            await asyncio.sleep(seconds)
        finally:
            self.busy = False


def _boot_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)


async def _at_once(work: Callable[..., None], *arguments: object) -> None:
    work(*arguments)


@dataclass
class Bench:
    """A bus with its poller, and all that it took: times of live readings and of rows, by meter."""

    folder: Path
    driver: Any = field(default_factory=FakeDriver)
    every: Mapping[str, float] = field(default_factory=lambda: {"m": 60.0})
    offset: int | None = START
    before: dict[str, int] = field(default_factory=dict)
    refuses: bool = False
    flushed: int = 0
    live: dict[str, list[int]] = field(default_factory=dict)
    rows: dict[str, list[int]] = field(default_factory=dict)

    def take(self, reading: Reading) -> None:
        """Sort what comes."""
        if isinstance(reading, ProfileRow):
            assert reading.captured is not None
            self.rows.setdefault(reading.meter, []).append(reading.captured)
        else:
            self.live.setdefault(reading.meter, []).append(reading.at + START)

    async def _flush(self) -> None:
        if self.refuses:
            raise Unwritable("the disk is full")
        self.flushed += 1

    def run(self, story: Callable[["Bench"], Awaitable[None]]) -> "Bench":
        """Poll on virtual time, which waits for no thread, as long as the story lasts."""
        with patch("asyncio.to_thread", _at_once):
            run_virtually(self._run(story))
        return self

    async def _run(self, story: Callable[["Bench"], Awaitable[None]]) -> None:
        self.backfill = Backfill(lambda: self.offset, self.folder / "backfill.json", self._flush, dict(self.before))
        meters = [(meter(name), every) for name, every in self.every.items()]
        self.poller = Poller("bus", self.driver, meters, self.take, dice=random.Random(1), backfill=self.backfill)
        tasks = [asyncio.create_task(self.poller.run()), asyncio.create_task(self.backfill.run())]
        try:
            await story(self)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def minutes(number: float) -> None:
    """Let time pass."""
    await asyncio.sleep(number * MINUTES)


async def silence(bench: Bench, number: float, *names: str) -> None:
    """Ten minutes of readings, silence for so many, then as long again."""
    await minutes(10)
    bench.driver.silent = set(names or ("m",))
    await minutes(number)
    bench.driver.silent = set()
    await minutes(max(number, 30))


def expected(bench: Bench, name: str = "m") -> list[int]:
    """Give the quarters between the two live readings that lie furthest apart."""
    times = bench.live[name]
    since, until = max(pairwise(times), key=lambda pair: pair[1] - pair[0])
    return list(range(since // QUARTER * QUARTER + QUARTER, until, QUARTER))
