"""Unusually high use (E1, W4): more in the last hours than is usual then, by more than happens a few times a season.

1. The score is what the last `hours` held above what is usual in them. No fixed share or count of deviations fits all
   homes: the same rule that is silent in one cries daily in another.
2. Weather and guests last for days, and what is known by now is not news: the usual is scaled by how the newest days
   compared with it.
3. The threshold is each home's own: a little above what its score reached on the `budget`-th worst of the last 56
   days. By that, about `budget` alerts come in 56 days in a lively home, however it lives; in a quiet one `floor` and
   `share` leave fewer.
4. Two weeks are learnt first. A day on which something was wrong counts at most half above the threshold, so that one
   long fault does not make the meter deaf.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from gateway.alerts.calendar import HOUR_MS
from gateway.alerts.hours import Hour
from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.alerts.usual import Usual, expected, learnt

if TYPE_CHECKING:
    from gateway.alerts.event import Severity

DAYS = 56
"""Eight weeks: long enough for a few of the days that are rare, short enough to follow a season."""
LEARN_DAYS = 14
ABOVE = 1.05
CAPPED = 1.5
FOLLOWS = 1 / 3
LEVELS = (0.5, 2.0)
"""A day moves the level by a third of the way, and by no more than it would at half or twice the usual."""
ZEROS = 24
"""A day without any use is no ordinary day."""
WEEK_SHARE = 0.05
"""Above so much of a usual week's use it is a warning: a twentieth of the week in one morning is money."""


class State(NamedTuple):
    """What is remembered: the usual, the newest hours, and the worst of each day.

    `end` is how far hours are known (UTC ms), `last` the newest hours in a row as (amount, usual), `worst` the highest
    score of the local day `day`, `ring` those of the days before, `days` how many days were seen, `rare` what is
    reached as seldom as the budget says, `high` the threshold that was passed. `zeros` are the hours in a row without
    any use. `used` and `usually` are this day's sums so far, `level` how the newest days compared.
    """

    usual: Usual = Usual()
    end: int = 0
    last: tuple[tuple[float, float], ...] = ()
    day: int = 0
    worst: float = 0.0
    ring: tuple[float, ...] = ()
    days: int = 0
    rare: float = 0.0
    high: float = 0.0
    zeros: int = 0
    used: float = 0.0
    usually: float = 0.0
    level: float = 1.0


@dataclass(frozen=True)
class Excess:
    """Judges hours of one counter against what is usual; `HighUsage` and `HighWaterDay` say of what."""

    name: ClassVar[str]
    start: ClassVar[State] = State()
    hour_keys: ClassVar[tuple[str, ...]]
    unit: ClassVar[str]
    hours: ClassVar[int]
    floor: float
    share: float
    cooldown: float
    budget: int = 4
    known: frozenset[int] = frozenset()
    factor: float = 1.0
    away: bool = False

    def hour(self, state: State, hour: Hour) -> tuple[State, Finding]:
        """Take what one hour held."""
        if hour.place.day != state.day:
            state = self._new_day(state, hour.place.day)
        zeros = 0 if hour.amount else min(state.zeros + 1, ZEROS)
        usual = expected(state.usual, hour.place.slot)
        if self.away or zeros >= ZEROS:  # nobody there, or a meter that is stuck: neither teaches what is usual
            return state._replace(end=hour.end, last=(), zeros=zeros, high=0.0), self._leave(state)
        last = state.last if hour.start == state.end else ()
        now = learnt(state.usual, hour.place.slot, hour.amount)
        if usual is None:
            return state._replace(usual=now, end=hour.end, last=(), zeros=zeros), None
        held = min(hour.amount, usual) if hour.place.week_hour in self.known else hour.amount
        last = (*last, (held, round(usual * state.level, 1)))[-self.hours :]
        sums = (round(state.used + hour.amount, 1), round(state.usually + usual, 1))
        state = State(now, hour.end, last, *state[3:9], zeros, *sums, state.level)
        if len(last) < self.hours:
            return state, None
        return self._judge(state)

    def _leave(self, state: State) -> Finding:
        return Clear(state.end, {}) if state.high else None

    def _judge(self, state: State) -> tuple[State, Finding]:
        used, usual = (sum(column) for column in zip(*state.last, strict=True))
        score, threshold = used - usual, self.factor * max(self.floor, self.share * usual, state.rare)
        if score > state.worst:
            state = state._replace(worst=min(score, CAPPED * threshold))
        if state.high and score < state.high / 2:
            return state._replace(high=0.0), Clear(state.end, {})
        if state.days <= LEARN_DAYS or score <= (state.high or threshold):
            return state, None
        week = 7 * 24 * sum(state.usual.means) / max(1, sum(1 for n in state.usual.counts if n))
        severity: Severity = "warning" if score > WEEK_SHARE * week else "info"
        unit = self.unit.lower()
        evidence = {f"above_{unit}": round(score), f"limit_{unit}": round(threshold), "hours": float(self.hours)}
        first = state.end - len(state.last) * HOUR_MS
        points = tuple((first + n * HOUR_MS, amount) for n, (amount, _) in enumerate(state.last))
        alarm = Alarm(
            severity, state.end, round(used), round(usual), self.unit, self.hour_keys[0], score, evidence, points
        )
        return state._replace(high=state.high or threshold), alarm

    def _new_day(self, state: State, day: int) -> State:
        if not state.day:
            return state._replace(day=day, days=1)
        ring = (*state.ring, round(state.worst, 1))[-DAYS:]
        budget = max(1, round(self.budget * len(ring) / DAYS))
        rare = round(ABOVE * sorted(ring)[-budget], 1)
        level = state.level
        if state.usually:
            least, most = LEVELS
            level += FOLLOWS * (min(max(state.used / state.usually, least), most) - level)
        days = min(state.days + 1, DAYS)
        return State(
            state.usual,
            state.end,
            state.last,
            day,
            0.0,
            ring,
            days,
            rare,
            state.high,
            state.zeros,
            level=round(level, 3),
        )


@dataclass(frozen=True)
class HighUsage(Excess):
    """Electricity of the last three hours: shorter says nothing of a kettle, longer is late."""

    name: ClassVar[str] = "high_usage"
    hour_keys: ClassVar[tuple[str, ...]] = ("energy_import_wh",)
    unit: ClassVar[str] = "Wh"
    hours: ClassVar[int] = 3
    floor: float = 1500.0
    share: float = 0.3
    cooldown: float = 43_200.0


@dataclass(frozen=True)
class HighWaterDay(Excess):
    """Water of the last day: it is drawn in spurts, and only a day's worth says that more is used."""

    name: ClassVar[str] = "high_water_day"
    hour_keys: ClassVar[tuple[str, ...]] = ("water_volume_l",)
    unit: ClassVar[str] = "l"
    hours: ClassVar[int] = 24
    floor: float = 150.0
    share: float = 0.3
    cooldown: float = 86_400.0
