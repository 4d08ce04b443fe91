"""Judges one meter's day at the hub, once it is over. Pure: the same readings give the same sheet.

1. The readings go through a check like the edge's, which goes on from the day before; a few readings after midnight
   close the last interval.
2. Its intervals become slots, estimated where an outage's sum is known (slots.py, V1, E1).
3. Gauges are judged reading by reading (gauges.py, V13, V14, V16).
4. The rules of a day look at slots, totals and other weeks (rules.py, V8, V10, V11, V12, V18, V19), and at who the
   meter says it is (identity.py, V15).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import chain
from math import isfinite
from typing import NamedTuple

from drivers.contract import Number
from drivers.quantities import BY_KEY
from gateway.check import rules
from gateway.check.checker import Checker
from gateway.check.gauges import Gauges
from gateway.check.identity import Identity
from gateway.check.limits import Limits
from gateway.check.register import CATCH_UP_FACTOR, step_of
from gateway.check.sheet import Sheet, Track
from gateway.check.slots import Slots, Typical
from gateway.check.words import Flag, Interval, Remark

MAIN = ("energy_import_wh", "water_volume_l", "gas_volume_l", "heat_energy_wh")
"""Registers whose course of the day is kept and judged; of the others only the day's sum."""
_TARIFFS = tuple(f"energy_import_t{n}_wh" for n in range(1, 5))


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a meter beside its readings: `every` in ms; `load_only` where nothing can feed in."""

    meter: str
    every: int = 10_000
    limits: Limits = field(default_factory=Limits)
    commissioned: Identity | None = None
    now: Identity | None = None
    load_only: bool = False


class Said(NamedTuple):
    """One reading: `ts` in UTC ms; decimals may come as strings, as stores keep them."""

    ts: int
    values: Mapping[str, Number | str]


def judge_day(
    facts: Facts,
    edges: Sequence[int],
    readings: Iterable[Said],
    before: Sheet | None = None,
    weeks: Sequence[Sheet] = (),
) -> Sheet:
    """Judge the day between `edges` (slots.edges_of); `weeks` are the sheets of 7, 14 and 21 days ago.

    `readings` are in order of time, those of an hour or of four polls after the day included.
    """
    day = DayCheck(facts, edges, before)
    day.take(readings)
    return day.sheet(weeks, facts.commissioned)


class DayCheck:
    """Takes a day's readings bit by bit, as `judge_day` does at once; `keys` are the sets of keys they had."""

    def __init__(self, facts: Facts, edges: Sequence[int], before: Sheet | None) -> None:
        state = before.state if before is not None else {}
        self.facts, self.edges, self.before = facts, edges, before
        self.remarks: list[Remark] = []
        self.checker = Checker(state.get("check"), self.remarks.append)
        self.gauges = Gauges(facts.meter, state.get("gauges"))
        self.state: dict[str, object] | None = None
        self.slots: dict[str, Slots] = {}
        self.keys: set[tuple[str, ...]] = set()
        self.steps: dict[str, tuple[Number, Number]] = {}
        self.longest = max(edges[1] - edges[0], facts.every * CATCH_UP_FACTOR // 2)

    def take(self, readings: Iterable[Said]) -> None:
        """Take some more readings, in order of time."""
        for said in readings:
            self._take(said)

    def _take(self, said: Said) -> None:
        values, absent = _numbers(said.values)
        begin, end = self.edges[0], self.edges[-1]
        if said.ts >= end and self.state is None:
            self.state = self._snapshot()
        if begin <= said.ts < end:
            self.keys.add(tuple(said.values))
            self.gauges.take(said.ts, values, absent)
        _, intervals = self.checker.judge(self.facts.meter, said.ts, values, (), self.facts.limits)
        for interval in intervals:
            self._add(interval)
        for key in MAIN:
            if key in values:
                before = self.steps.get(key)
                self.steps[key] = (values[key], before[0] if before is not None else values[key])

    def sheet(self, weeks: Sequence[Sheet], commissioned: Identity | None) -> Sheet:
        """Judge what was taken; `commissioned` is who the meter should be."""
        facts, begin, end, before = self.facts, self.edges[0], self.edges[-1], self.before
        weeks = [week for week in weeks if week.usual]
        state = self.state or self._snapshot()
        if before is not None:  # a meter that is silent all day still has its slots
            for key in before.tracks:
                self._of(key)
        totals = {key: slots.total for key, slots in self.slots.items()}
        tracks: dict[str, Track] = {}
        for key in MAIN:
            if key in self.slots:
                tracks[key] = self._track(key, before.tracks.get(key) if before is not None else None, weeks)
        self.remarks += self.gauges.remarks()
        self.remarks += [Remark(facts.meter, key, flag, begin, end) for key, flag in self._of_totals(totals, weeks)]
        if self._is_another(commissioned):
            self.remarks.append(Remark(facts.meter, "", "idchg", begin, end))
        kept = sorted({r for r in self.remarks if begin <= r.end <= end}, key=lambda r: (r.start, r.end, r.key, r.flag))
        return Sheet(facts.meter, begin, end, tracks, totals, tuple(kept), state)

    def _snapshot(self) -> dict[str, object]:
        return {"check": self.checker.snapshot(), "gauges": self.gauges.snapshot()}

    def _of(self, key: str) -> Slots:
        return self.slots.setdefault(key, Slots(self.edges, self.longest))

    def _add(self, interval: Interval) -> None:
        if interval.start < self.edges[-1]:
            self._of(interval.key).add(interval)

    def _track(self, key: str, before: Track | None, weeks: Sequence[Sheet]) -> Track:
        """Estimate and judge one main register's slots."""
        filled = self.slots[key]
        filled.estimate(_typical([week.tracks[key] for week in weeks if key in week.tracks], self.edges))
        slots, old = filled.slots(), before or Track(())
        totals = [week.totals.get(key) for week in weeks]
        usual = any(total for total in totals)
        zero, zeros = rules.lasting(slots, old.zero_ms, rules.is_zero, rules.STILL_MS.get(key, 7 * rules.DAY_MS))
        flowing, leaks = rules.lasting(slots, old.flowing_ms, rules.is_flowing, rules.FLOWING_MS)
        estimated, stale = rules.lasting(slots, old.estimated_ms, rules.is_estimated, rules.ESTIMATED_MS)
        found: list[tuple[Flag, list[rules.Span]]] = [
            ("gap", rules.gaps(slots)),
            ("spike", rules.spike(slots) if BY_KEY[key].unit == "Wh" else []),
            ("zero", zeros if usual and key in rules.STILL_MS else []),
            ("leak", leaks if key == "water_volume_l" else []),
            ("pest", stale),
        ]
        self.remarks += [Remark(self.facts.meter, key, flag, *span) for flag, spans in found for span in spans]
        return Track(slots, zero, flowing, estimated)

    def _of_totals(self, totals: Mapping[str, float | None], weeks: Sequence[Sheet]) -> Iterator[tuple[str, Flag]]:
        for key in MAIN:
            if key in totals and rules.unlike(totals[key], [week.totals.get(key) for week in weeks]):
                yield key, "hilo"
        if "energy_import_wh" in totals and "energy_import_wh" in self.steps:
            step = step_of(*self.steps["energy_import_wh"])
            tariffs = [totals[key] for key in _TARIFFS if key in totals]
            if rules.parts_differ(totals["energy_import_wh"], tariffs, step):
                yield "energy_import_wh", "sum"
        if rules.reactive_alone(totals):
            yield "reactive_energy_import_varh", "relat"
        if self.facts.load_only and (totals.get("energy_export_wh") or 0.0) > 0:
            yield "energy_export_wh", "relat"

    def _is_another(self, was: Identity | None) -> bool:
        if was is None:
            return False
        return (self.facts.now is not None and was.differs(self.facts.now)) or was.misses(self.keys)


def _typical(tracks: Sequence[Track], edges: Sequence[int]) -> Typical:
    """Give the mean of the same slot of other weeks, by the time since midnight."""
    size, day = edges[1] - edges[0], edges[-1] - edges[0]
    amounts: dict[int, list[float]] = {}
    for slot, n in chain.from_iterable(((slot, n) for n, slot in enumerate(track.slots)) for track in tracks):
        if slot.amount is not None and slot.grade != "estimated":
            amounts.setdefault(n, []).append(slot.amount)

    def typical(start: int) -> float | None:
        found = amounts.get((start - edges[0]) % day // size)
        return sum(found) / len(found) if found else None

    return typical


def _numbers(values: Mapping[str, Number | str]) -> tuple[dict[str, Number], list[str]]:
    """Read what a store gives; what is no number is named."""
    numbers: dict[str, Number] = {}
    absent: list[str] = []
    for key, value in values.items():
        number = _decimal(value) if isinstance(value, str) else value
        if number is not None and isfinite(number):
            numbers[key] = number
        else:
            absent.append(key)
    return numbers, absent


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
