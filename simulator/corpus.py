"""A corpus of meters whose faults are known: what each meter said, in the order it arrived, and what was done to it.

1. Every meter is a household's channel, read each quarter of an hour; before the days that count, three weeks are told
   by one reading a day (five weeks by a meter that then falls silent).
2. Faults are planted by dice with a seed, each in days of its own at its meter, so that whoever finds something finds
   it for one reason. `Label` says what and where; the words are those of the plan's rules (V1 to V19).
3. Nothing here knows how faults are found: registers are bent before they are rounded, readings afterwards.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Literal, NamedTuple

from simulator.course import DAY, EPOCH
from simulator.habits import Home
from simulator.households import Channel, Household

STEP = 900
PER_DAY = DAY // STEP
WEEKS = 21
SILENT = 35
"""Days told before the first one: three weeks, and by silent meters more than a month."""

Kind = Literal[
    "gap", "dup", "late", "neg", "roll", "reset", "glitch", "spike", "imposs", "hilo", "sum", "zero", "stuck", "na",
    "idchg", "relat", "status", "leak", "pest",
]  # fmt: skip

STEPS = {
    "energy_import_wh": 1.0, "energy_import_t1_wh": 1.0, "energy_import_t2_wh": 1.0, "energy_export_wh": 1.0,
    "reactive_energy_import_varh": 1.0, "water_volume_l": 1.0, "gas_volume_l": 10.0, "power_w": 1.0, "power_l1_w": 1.0,
    "power_l2_w": 1.0, "power_l3_w": 1.0, "voltage_l1_v": 0.1, "voltage_l2_v": 0.1, "voltage_l3_v": 0.1,
    "water_flow_l_h": 1.0, "gas_flow_l_h": 1.0,
}  # fmt: skip
"""What a corpus meter shows, and its last digit."""


@dataclass(frozen=True, slots=True)
class Label:
    """One planted fault: `start` and `end` are UTC ms."""

    meter: str
    kind: Kind
    start: int
    end: int


class Said(NamedTuple):
    """One reading as it arrives."""

    ts: int
    values: dict[str, float]
    status: tuple[str, ...] = ()


Patch = Callable[[float], float]
"""Makes of what a meter should have shown what it did show."""


@dataclass(slots=True)
class Tape:
    """One meter's true course, and what is to be done to its readings; a place is an index into `times`."""

    meter: str
    channel: Channel
    first: int
    times: list[int]
    registers: dict[str, list[float]]
    gauges: dict[str, list[float]]
    solar: bool
    modulus: int | None = None
    swapped: bool = False
    patches: dict[tuple[int, str], Patch] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)
    repeated: set[int] = field(default_factory=set)
    delayed: set[int] = field(default_factory=set)
    status: dict[int, tuple[str, ...]] = field(default_factory=dict)
    other_model: set[int] = field(default_factory=set)
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def main(self) -> str:
        """Name the register that counts what is paid."""
        return next(iter(self.registers))

    @property
    def days(self) -> int:
        """How many days count."""
        return (len(self.times) - 1 - self.first) // PER_DAY

    def place(self, day: int, hour: float = 0.0) -> int:
        """Give the place of an hour of one of the days that count."""
        return self.first + day * PER_DAY + int(hour * 3600 / STEP)

    def midnight(self, day: int) -> int:
        """Give the UTC ms at which a day begins."""
        return self.times[self.first] // (DAY * 1000) * DAY * 1000 + day * DAY * 1000

    def add(self, key: str, place: int, amount: float) -> None:
        """Let a register show so much more from a place on."""
        course = self.registers[key]
        course[place:] = [value + amount for value in course[place:]]

    def bend(self, key: str, begin: int, end: int, factor: float) -> None:
        """Let a register count `factor` times what it should between two places."""
        course = self.registers[key]
        rises = [course[n + 1] - course[n] for n in range(begin, end)]
        for n, rise in enumerate(rises, begin):
            course[n + 1] = course[n] + factor * rise
        lost = (factor - 1) * sum(rises)
        course[end + 1 :] = [value + lost for value in course[end + 1 :]]

    def shown(self, place: int) -> dict[str, float]:
        """Give what the meter shows: whole steps, a full register starts over, and the patches."""
        values: dict[str, float] = {}
        for key, course in self.registers.items():
            step = STEPS[key]
            count = int(course[place] // step * step)
            values[key] = count % self.modulus if self.modulus and key == self.main else count
        for key, course in self.gauges.items():
            values[key] = round(round(course[place] / STEPS[key]) * STEPS[key], 1)
        return {
            key: self.patches[place, key](value) if (place, key) in self.patches else value
            for key, value in values.items()
        }

    def said(self) -> Iterator[Said]:
        """Tell the readings in the order they arrive."""
        waiting: list[Said] = []
        for place, time in enumerate(self.times):
            if place in self.dropped:
                continue
            said = Said(time, self.shown(place), self.status.get(place, ()))
            if place in self.delayed:
                waiting.append(said)
                continue
            yield said
            if place in self.repeated:
                yield said
            if waiting and place - 2 not in self.delayed | self.dropped and time - waiting[0].ts > 1000 * STEP:
                yield waiting.pop(0)


def tape(number: int, channel: Channel, days: int, *, silent: bool = False) -> Tape:
    """Record one meter: sparse weeks, then so many whole days and the midnight after them."""
    dice = Random(f"corpus {number}")
    solar = channel == "electricity" and number % 3 == 0
    home = Home(number, 4_000.0 if solar else 0.0, offset=0)
    household = Household(home)
    before = SILENT if silent else WEEKS
    begin = (EPOCH + SILENT) * DAY
    moments = [begin - day * DAY for day in range(before, 0, -1)]
    late = dice.randrange(0, 60)
    moments += [begin + n * STEP + (late + dice.randrange(4) if n else 0) for n in range(days * PER_DAY + 8)]
    truth = [household.at(channel, moment) for moment in moments]
    keys = [key for key in STEPS if _name(key) in truth[0] and (solar or "export" not in key)]
    counters = [key for key in keys if key.endswith(("wh", "varh", "volume_l"))]
    courses = {key: [row[_name(key)] for row in truth] for key in keys}
    registers = {key: courses.pop(key) for key in counters}
    units = dict.fromkeys(keys, "")
    return Tape(
        f"m{number}", channel, before, [1000 * moment for moment in moments], registers, courses, solar, units=units
    )


def _name(key: str) -> str:
    """Name a quantity as the household does: without its unit."""
    for unit in ("_l_h", "_wh", "_varh", "_w", "_v", "_l"):
        if key.endswith(unit):
            return key.removesuffix(unit)
    return key
