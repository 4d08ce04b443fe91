"""Readings that are not in order (X5), as each day's sheet at the hub shows it.

1. A day is not in order when less than `complete` of it was measured, when a register rose by more than its fuse or
   pipe can carry, or when readings came `twice` so often that something sends them again.
2. Before a meter's first measured day nothing is missed. A day without any reading is silence, which is another rule's.
3. A day on which the gateway was away is unknown: what it kept is still to come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from drivers.contract import Number
from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.check.sheet import Sheet
from gateway.check.slots import RANK

COMPLETE, JUMPS, TWICE = "day_complete", "day_jumps", "day_twice"
"""Stand for a day's facts here, and nowhere else: the share that was measured, and how often."""


class State(NamedTuple):
    """Whether a day was measured yet, and whether the last one was not in order."""

    seen: bool = False
    bad: bool = False


def quality_of(sheet: Sheet) -> dict[str, float]:
    """Give a day's facts; the register known least well counts."""
    shares = [
        sum(slot.end - slot.start for slot in track.slots if RANK[slot.grade] > RANK["estimated"])
        / (sheet.end - sheet.start)
        for track in sheet.tracks.values()
    ]
    flags = [remark.flag for remark in sheet.remarks]
    return {COMPLETE: min(shares, default=0.0), JUMPS: flags.count("imposs"), TWICE: flags.count("dup")}


@dataclass(frozen=True)
class DataQuality:
    """Tells the operator, as information, of the first day that is not in order; a day in order ends it.

    95 %: a day misses an hour and more. A hundred readings that came twice are no accident of one restart.
    """

    name: ClassVar[str] = "data_quality"
    start: ClassVar[State] = State()
    reading_keys: ClassVar[tuple[str, ...]] = (COMPLETE,)
    complete: float = 0.95
    twice: int = 100
    cooldown: float = 86400.0

    def reading(self, state: State, ts: int, q: int, values: Mapping[str, Number]) -> tuple[State, Finding]:
        """Take the facts of the day that ended at `ts`."""
        del q
        share, jumps, twice = (float(values[key]) for key in (COMPLETE, JUMPS, TWICE))
        if not share or not state.seen:
            return State(seen=state.seen or share > 0, bad=state.bad), None
        if share >= self.complete and not jumps and twice < self.twice:
            return State(seen=True), Clear(ts, {}) if state.bad else None
        evidence = {"jumps_today": jumps, "twice_today": twice if twice >= self.twice else 0.0}
        told = {key: number for key, number in evidence.items() if number}
        percent, least = round(100 * share, 1), round(100 * self.complete, 1)
        # Size 1: another such day is no news.
        return State(seen=True, bad=True), Alarm("info", ts, percent, least, "%", "", 1.0, told)
