"""Z8: the scheduler against any bus: random meters, answer times and failures, on virtual time."""

import asyncio
import contextlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import Meter, NoAnswer, Reading
from gateway.poll import Poller
from tests.support.virtual_time import run_virtually

SECONDS = 300.0
PROBES = 70.0
"""Seconds that dead meters may take from a bus while they are found out."""


@dataclass
class Bus:
    """Answers each meter after its own time; one that is dead uses up its deadline. Two reads at once fail the test."""

    answers: Mapping[str, float]
    dead: frozenset[str]
    turns: Literal["asked", "pushed"] = "asked"
    busy: bool = False
    read_at: dict[str, list[float]] = field(default_factory=dict)

    async def connect(self) -> None:
        """Nothing to open."""

    async def read(self, meter: Meter) -> Reading:
        """Take the bus, answer, and let it go."""
        assert not self.busy, "two meters were asked at once"
        self.busy = True
        try:
            await asyncio.sleep(meter.deadline if meter.id in self.dead else self.answers[meter.id])
        finally:
            self.busy = False
        if meter.id in self.dead:
            raise NoAnswer("silent", meter=meter.id)
        now = asyncio.get_running_loop().time()
        self.read_at.setdefault(meter.id, []).append(now)
        return Reading(meter.id, int(now * 1000), {"power_w": 1})

    async def close(self) -> None:
        """Nothing to close."""

    def counters(self) -> Mapping[str, int]:
        """Nothing was rejected."""
        return {}


@dataclass(frozen=True)
class Plan:
    """One meter: how often it is due, how long its answer takes, and whether one comes."""

    every: float
    answer: float
    dead: bool


plans = st.lists(
    st.builds(
        Plan,
        every=st.sampled_from([1.0, 2.0, 5.0, 10.0]),
        answer=st.floats(0.001, 0.4),
        dead=st.integers(0, 9).map(lambda dice: dice == 0),
    ),
    min_size=1,
    max_size=24,
)


@settings(max_examples=60, deadline=None)
@given(plans, st.floats(0.5, 2.0))
def test_no_healthy_meter_starves(meters: list[Plan], deadline: float) -> None:
    """On a bus with time for all, each is read within two intervals and a probe; beyond that, in every full round."""
    names = [f"m{number}" for number in range(len(meters))]
    bus = Bus(
        {name: plan.answer for name, plan in zip(names, meters, strict=True)},
        frozenset(name for name, plan in zip(names, meters, strict=True) if plan.dead),
    )
    profile: Any = None
    rows = [(Meter(name, profile, 1, deadline), plan.every) for name, plan in zip(names, meters, strict=True)]
    poller = Poller("bus", bus, rows, lambda _: None, dice=random.Random(1))

    async def run() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SECONDS):
                await poller.run()

    run_virtually(run())
    round_ = sum(plan.answer for plan in meters if not plan.dead) + deadline * len(bus.dead)
    for name, plan in zip(names, meters, strict=True):
        if plan.dead:
            assert name not in bus.read_at
            continue
        times = bus.read_at[name]
        settled = [time for time in times if time > times[0] + PROBES]
        gaps = [later - earlier for earlier, later in pairwise(settled)]
        assert max(gaps) <= 2 * max(plan.every, round_) + deadline * len(bus.dead) + 0.001
