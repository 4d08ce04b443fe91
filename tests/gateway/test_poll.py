"""The scheduler on virtual time: fair, on time, and a dead meter costs next to nothing."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from drivers.contract import DriverError, Meter, NoAnswer, NotConnected, Reading
from gateway.poll import Poller
from gateway.turn import Turn
from tests.support.virtual_time import run_virtually


def meter(name: str, deadline: float = 1.0) -> Meter:
    """Make a meter whose profile nobody looks at."""
    profile: Any = None
    return Meter(name, profile, 1, deadline)


@dataclass
class FakeDriver:
    """Answers after `answers_in` seconds; meters in `dead` use up their deadline."""

    turns: Literal["asked", "pushed"] = "asked"
    answers_in: float = 0.05
    dead: set[str] = field(default_factory=set)
    broken: bool = False
    connects: int = 0
    busy: bool = False
    bug: set[str] = field(default_factory=set)

    async def connect(self) -> None:
        """Count connections."""
        self.connects += 1
        if self.broken:
            raise NotConnected("no such port")

    async def read(self, meter: Meter) -> Reading:
        """Answer, or stay silent."""
        assert not self.busy or self.turns == "pushed"
        if meter.id in self.bug:
            raise ZeroDivisionError("a driver's mistake")
        self.busy = True
        try:
            if self.broken:
                raise NotConnected("gone")
            if meter.id in self.dead:
                await asyncio.sleep(meter.deadline)
                raise NoAnswer("silent", meter=meter.id)
            await asyncio.sleep(self.answers_in)
        finally:
            self.busy = False
        return Reading(meter.id, int(asyncio.get_running_loop().time() * 1000), {"power_w": 1})

    async def close(self) -> None:
        """Nothing to close."""

    def counters(self) -> Mapping[str, int]:
        """Nothing was rejected."""
        return {}


def poll(driver: FakeDriver, meters: list[tuple[Meter, float]], seconds: float) -> tuple[Poller, list[Reading]]:
    """Run a poller for some virtual seconds."""
    taken: list[Reading] = []
    poller = Poller("bus", driver, meters, taken.append, dice=random.Random(1))

    async def run() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await poller.run()

    run_virtually(run())
    return poller, taken


def test_each_meter_is_read_on_its_own_interval() -> None:
    """Two meters with two intervals are read as often as they say."""
    _, taken = poll(FakeDriver(), [(meter("a"), 1.0), (meter("b"), 5.0)], 100)
    count = Counter(reading.meter for reading in taken)
    assert abs(count["a"] - 100) <= 1
    assert abs(count["b"] - 20) <= 1


def test_a_full_bus_is_shared_fairly() -> None:
    """When there is more to ask than time, every meter gets the same share and missed turns are counted."""
    poller, taken = poll(FakeDriver(answers_in=0.3), [(meter(name), 1.0) for name in "abcdefgh"], 240)
    count = Counter(reading.meter for reading in taken)
    assert min(count.values()) >= max(count.values()) - 1
    assert sum(turn.missed for turn in poller.turns) > 0


def test_one_dead_meter_of_thirty_two_costs_the_others_under_five_percent() -> None:
    """After it is set aside, a dead meter takes one deadline a minute."""
    meters = [(meter(f"m{number}"), 4.0) for number in range(32)]
    driver = FakeDriver(answers_in=0.1, dead={"m7"})
    poller, taken = poll(driver, meters, 600)
    count = Counter(reading.meter for reading in taken)
    assert "m7" not in count
    assert all(count[f"m{number}"] >= 0.95 * 150 for number in range(32) if number != 7)
    dead = next(turn for turn in poller.turns if turn.meter.id == "m7")
    assert dead.set_aside
    assert dead.failed <= 3 + 3 + 10


def test_a_meter_that_wakes_up_is_read_on_schedule_again() -> None:
    """The first answer ends the setting aside."""
    driver = FakeDriver(dead={"a"})
    taken: list[Reading] = []
    poller = Poller("bus", driver, [(meter("a"), 1.0)], taken.append)

    async def run() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(200):
                asyncio.get_running_loop().call_later(100, driver.dead.clear)
                await poller.run()

    run_virtually(run())
    assert len(taken) >= 38
    assert not poller.turns[0].set_aside


def test_a_lost_bus_is_opened_again_without_a_busy_loop() -> None:
    """Ten minutes of a missing port are a few dozen tries, and the reason is kept for people."""
    driver = FakeDriver(broken=True)
    poller, taken = poll(driver, [(meter("a"), 1.0)], 600)
    assert taken == []
    assert 60 <= driver.connects <= 200
    assert "no such port" in poller.turns[0].error


def test_a_bug_in_a_driver_costs_its_own_meter_only() -> None:
    """An unforeseen exception is a failure of the meter being read; its neighbours keep their schedule."""
    driver = FakeDriver(bug={"a"})
    poller, taken = poll(driver, [(meter("a"), 1.0), (meter("b"), 1.0)], 600)
    assert len(taken) >= 590
    assert driver.connects == 1
    bad = next(turn for turn in poller.turns if turn.meter.id == "a")
    assert "ZeroDivisionError" in bad.error


def test_a_meter_that_crashes_its_driver_ten_times_is_left_alone() -> None:
    """Ten crashes in ten minutes, and it is asked once an hour."""
    turn = Turn(0.0, 0.0, meter("a"), 1.0)
    for second in range(10):
        assert not turn.quarantined
        turn.crashed(float(second), ValueError("x"))
    assert turn.quarantined
    assert turn.due >= 3600
    turn.succeeded(4000.0)
    assert not turn.quarantined


def test_crashes_far_apart_are_no_quarantine() -> None:
    """One crash in two minutes is set aside like silence, no longer."""
    turn = Turn(0.0, 0.0, meter("a"), 1.0)
    for number in range(30):
        turn.crashed(number * 120.0, ValueError("x"))
    assert not turn.quarantined


def test_read_now_goes_to_the_front() -> None:
    """A meter with an hour's interval answers a question at once, and others go on."""
    driver = FakeDriver()
    taken: list[Reading] = []
    poller = Poller("bus", driver, [(meter("a"), 3600.0), (meter("b"), 1.0)], taken.append)

    async def run() -> float:
        task = asyncio.create_task(poller.run())
        await asyncio.sleep(10)
        loop = asyncio.get_running_loop()
        asked = loop.time()
        reading = await poller.read_now("a")
        task.cancel()
        assert reading.meter == "a"
        return loop.time() - asked

    assert run_virtually(run()) < 0.2
    assert Counter(reading.meter for reading in taken)["a"] == 2


def test_read_now_says_why_it_failed() -> None:
    """A dead meter's error reaches whoever asked; an unknown meter is a KeyError."""
    poller = Poller("bus", FakeDriver(dead={"a"}), [(meter("a"), 3600.0)], lambda _: None)

    async def run() -> None:
        task = asyncio.create_task(poller.run())
        await asyncio.sleep(10)
        with pytest.raises(NoAnswer):
            await poller.read_now("a")
        with pytest.raises(KeyError):
            await poller.read_now("zebra")
        task.cancel()

    run_virtually(run())


def test_a_pushing_meter_is_thinned_to_its_interval() -> None:
    """A telegram a second with an interval of ten seconds is one reading in ten seconds."""
    driver = FakeDriver(turns="pushed", answers_in=1.0)
    _, taken = poll(driver, [(meter("a"), 10.0)], 100)
    assert 9 <= len(taken) <= 11


def test_pushed_readings_are_thinned_as_told_and_no_register_is_lost() -> None:
    """The mean of each interval's powers, the last register; what waits when the link breaks goes out too."""
    taken: list[Reading] = []
    told = [Reading("a", at, {"power_w": at, "energy_import_wh": 100 + at}) for at in range(26)]

    @dataclass
    class Telling(FakeDriver):
        async def read(self, meter: Meter) -> Reading:
            if not told:
                raise NotConnected("gone", meter=meter.id)
            await asyncio.sleep(1)
            return told.pop(0)

    async def run() -> None:
        poller = Poller("bus", Telling(turns="pushed"), [(meter("a"), 10.0)], taken.append, thin=lambda _: "mean")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(40):
                await poller.run()

    run_virtually(run())
    assert [dict(reading.values) for reading in taken] == [
        {"power_w": 0, "energy_import_wh": 100},
        {"power_w": 4.5, "energy_import_wh": 108},
        {"power_w": 13.5, "energy_import_wh": 118},
        {"power_w": 22, "energy_import_wh": 125},
    ]


def test_pushing_meters_do_not_wait_for_one_another() -> None:
    """A silent sub-meter does not hold up the main one."""
    driver = FakeDriver(turns="pushed", answers_in=1.0, dead={"gas"})
    poller, taken = poll(driver, [(meter("main"), 1.0), (meter("gas", 15.0), 1.0)], 100)
    assert len(taken) >= 95
    assert poller.turns[1].failed > 0 or poller.turns[0].failed > 0


def test_every_error_of_a_driver_is_a_driver_error() -> None:
    """The branches that poll tells apart share one root."""
    assert issubclass(NotConnected, DriverError)
    assert issubclass(NoAnswer, DriverError)
