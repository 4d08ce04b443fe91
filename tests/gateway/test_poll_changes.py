"""Meters that come and go while a bus runs, and the beat that the watchdog hears of it."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import pytest

from drivers.contract import Meter, NoAnswer, NotConnected, Reading
from gateway.poll import Poller
from tests.support.virtual_time import run_virtually


def meter(name: str) -> Meter:
    """Make a meter whose profile nobody looks at."""
    profile: Any = None
    return Meter(name, profile, 1, 1.0)


@dataclass
class FakeDriver:
    """Answers after `answers_in` seconds, or does what `fault` says."""

    turns: Literal["asked", "pushed"] = "asked"
    answers_in: float = 0.05
    fault: str = ""
    connects: int = 0

    async def connect(self) -> None:
        """Count connections."""
        self.connects += 1
        if self.fault == "broken":
            raise NotConnected("no such port")

    async def read(self, meter: Meter) -> Reading:
        """Answer, stay silent, or make a mistake."""
        if self.fault == "bug":
            raise ZeroDivisionError("a driver's mistake")
        if self.fault == "dead":
            await asyncio.sleep(meter.deadline)
            raise NoAnswer("silent", meter=meter.id)
        await asyncio.sleep(self.answers_in)
        return Reading(meter.id, int(asyncio.get_running_loop().time() * 1000), {"power_w": 1})

    async def close(self) -> None:
        """Nothing to close."""

    def counters(self) -> Mapping[str, int]:
        """Nothing was rejected."""
        return {}


def change_after(
    driver: FakeDriver, first: list[tuple[Meter, float]], then: list[tuple[Meter, float]]
) -> list[Reading]:
    """Poll a hundred virtual seconds with some meters and a hundred with others."""
    taken: list[Reading] = []
    poller = Poller("bus", driver, first, taken.append, dice=random.Random(1))

    async def run() -> None:
        task = asyncio.create_task(poller.run())
        await asyncio.sleep(100.01)
        poller.change(then)
        await asyncio.sleep(100)
        task.cancel()

    run_virtually(run())
    return taken


@pytest.mark.parametrize("turns", ["asked", "pushed"])
def test_meters_come_and_go_and_the_others_miss_nothing(turns: Any) -> None:
    """One goes, ten come, one is read more often: the one that stays is read as if nothing had happened."""
    driver = FakeDriver(turns=turns, answers_in=1.0 if turns == "pushed" else 0.01)
    first = [(meter("stays"), 1.0), (meter("goes"), 1.0), (meter("faster"), 50.0)]
    then = [(meter("stays"), 1.0), (meter("faster"), 2.0), *((meter(f"new{n}"), 1.0) for n in range(10))]
    taken = change_after(driver, first, then)
    at = {
        name: [reading.at for reading in taken if reading.meter == name] for name in ("stays", "goes", "faster", "new9")
    }
    assert len(at["stays"]) >= 198
    assert max(b - a for a, b in pairwise(at["stays"])) <= 1100
    assert max(at["goes"]) <= 1_101_000
    assert len(at["faster"]) >= 48
    assert len(at["new9"]) >= 98
    assert driver.connects == 1


def test_a_bus_may_have_no_meter_for_a_while() -> None:
    """Nothing is asked, the link stays, and a meter that comes is read."""
    driver = FakeDriver()
    taken = change_after(driver, [], [(meter("a"), 1.0)])
    assert len(taken) >= 99
    assert driver.connects == 1


def test_what_is_still_read_of_a_meter_that_went_is_dropped() -> None:
    """Nobody knows it any more, and its bus goes on."""
    driver = FakeDriver(answers_in=0.5)
    taken = change_after(driver, [(meter("a"), 0.0)], [(meter("b"), 1.0)])
    assert max(reading.at for reading in taken if reading.meter == "a") <= 1_100_010
    assert sum(reading.meter == "b" for reading in taken) >= 98
    assert driver.connects == 1


@pytest.mark.parametrize("every", [3600.0, 0.5])
@pytest.mark.parametrize("fault", ["", "dead", "broken", "bug"])
def test_a_bus_beats_within_its_patience(every: float, fault: str) -> None:
    """Whatever its meters do, and however seldom they are read, the watchdog hears of a bus that works."""
    poller = Poller("bus", FakeDriver(fault=fault), [(meter("a"), every)], lambda _: None)

    async def run() -> None:
        task = asyncio.create_task(poller.run())
        for _ in range(30):
            before = poller.pulse.turns
            await asyncio.sleep(poller.patience)
            assert poller.pulse.turns > before
        task.cancel()

    run_virtually(run())


def test_a_slow_list_is_within_the_patience() -> None:
    """A meter whose list takes minutes at 300 baud is no standstill."""

    class Slow(FakeDriver):
        """A driver that says how long it may take."""

        def budget(self, meter: Meter) -> float:
            """Give ten minutes."""
            assert meter.id
            return 600.0

    async def story() -> None:
        quick = Poller("b", FakeDriver(), [(meter("m"), 10.0)], lambda _: None)
        slow = Poller("b", Slow(), [(meter("m"), 10.0)], lambda _: None)
        assert slow.patience > 600.0 > quick.patience

    run_virtually(story())
