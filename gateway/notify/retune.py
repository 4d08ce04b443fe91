"""What customers' answers change in the rules of their meters: a pure function from answers to factors and hours.

1. "Not useful" and "normal for me" raise the threshold of that rule at that meter by a quarter, at most to three times;
   "useful" lowers it by a twentieth. What was moved comes back by a twentieth of the way each week: habits change.
2. "Normal for me" to unusual use also marks the hour of the week in which it began: much use then is known from there
   on, for half a year.
3. A customer may take it all back: what was answered to a rule before its `reset` counts no more.
4. Rules that guard people adapt to nothing: a gas alert that was not useful comes again all the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from gateway.notify.kinds import KIND
from gateway.notify.links import Reply

RAISED, LOWERED = 1.25, 0.95
LEAST, MOST = 0.7, 3.0
"""A threshold below seven tenths of its default would tell everybody more than the caps let through."""
KEPT_A_WEEK = 0.95
WEEK_MS = 7 * 86_400_000
SLOT_MS = 26 * WEEK_MS
NEAR = 0.01
"""A factor this close to 1 is left out of the settings: nobody would notice it."""
SLOTTED = frozenset({"high_usage"})
"""Rules that know hours of the week."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered at `at` (UTC ms) to one alert of a rule; it began in `hour` of the week, 0 to 167."""

    rule: str
    answer: Reply | Literal["reset"]
    at: int
    hour: int


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a meter's rules are to know: factors by rule, and hours of the week in which much use is normal."""

    factors: dict[str, float] = field(default_factory=dict)
    known_slots: tuple[int, ...] = ()


def tuning(answers: Iterable[Answered], now: int) -> Tuning:
    """Work out the tuning of one meter at `now` (UTC ms) from every answer it ever got."""
    factors: dict[str, tuple[float, int]] = {}
    slots: set[int] = set()
    for said in sorted(answers, key=lambda answered: answered.at):
        if said.answer == "reset":
            factors.pop(said.rule, None)
            if said.rule in SLOTTED:
                slots.clear()
            continue
        step = {"not_useful": RAISED, "normal": RAISED, "useful": LOWERED}.get(said.answer)
        if step is None or KIND.get(said.rule) == "safety":
            continue
        if said.answer == "normal" and said.rule in SLOTTED and now - said.at < SLOT_MS:
            slots.add(said.hour)
        factor = _decayed(*factors.get(said.rule, (1.0, said.at)), said.at)
        factors[said.rule] = (min(max(factor * step, LEAST), MOST), said.at)
    today = {rule: _decayed(factor, at, now) for rule, (factor, at) in factors.items()}
    moved = {rule: round(factor, 3) for rule, factor in sorted(today.items()) if abs(factor - 1) > NEAR}
    return Tuning(moved, tuple(sorted(slots)))


def _decayed(factor: float, since: int, now: int) -> float:
    """Let what is above or below 1 shrink by a twentieth for each whole week: a setting that changes daily is noise."""
    return 1 + (factor - 1) * KEPT_A_WEEK ** (max(now - since, 0) // WEEK_MS)
