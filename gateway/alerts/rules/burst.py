"""A burst (W3): more water than this home ever takes at once.

1. Flow is judged over five-minute cells: half an hour of it is a warning, ten minutes of much of it critical. Coarser
   meters fill several cells at once, and are as late as they are coarse.
2. More than `above` litres a minute for half an hour is two taps and two showers open all the time; a home that takes
   more, as a garden does, is told at one and a half times the most it took in four weeks.
3. What flows at the same time of the day again and again is no burst: two such days of the last seven are a habit.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from gateway.alerts.calendar import Calendar
from gateway.alerts.cells import EMPTY, Cell, Filling, fill
from gateway.alerts.event import Severity
from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.check import Interval

CELL_MS = 300_000
MINUTES = 5
LONGEST_MS = 3_900_000
HALF_HOUR, TEN_MINUTES, QUARTER = 6, 2, 3
DAYS = 28
OWN = 1.5
WEEK = 7
HABIT_DAYS = 2
HABIT_MINUTES = 45
NOON = 720
MOST_EPISODES = 24


Cells = tuple[tuple[int, float], ...]


class State(NamedTuple):
    """What is remembered: the flow now, the home's own most, and its habits.

    `cells` are the newest full cells in a row, as (UTC ms, litres); `most` is today's most in half an hour (l/min),
    `own` that of the days before, of local day `day`. `episodes` are (local day, minute of it) when much flow began;
    `flowing` says that one is on, `known` that it is a habit. `begun` (UTC ms) and `litres` are those of the alarm that
    stands.
    """

    filling: Filling = EMPTY
    cells: Cells = ()
    day: int = 0
    most: float = 0.0
    own: tuple[float, ...] = ()
    episodes: tuple[tuple[int, int], ...] = ()
    flowing: bool = False
    known: bool = False
    begun: int = 0
    litres: float = 0.0


@dataclass(frozen=True)
class WaterBurst:
    """Judges the flow of water; `above`, `much` and `stopped` are in litres a minute."""

    name: ClassVar[str] = "water_burst"
    start: ClassVar[State] = State()
    keys: ClassVar[tuple[str, ...]] = ("water_volume_l",)
    cooldown: ClassVar[float] = 0.0
    calendar: Calendar
    above: float = 12.0
    much: float = 20.0
    stopped: float = 2.0

    def interval(self, state: State, interval: Interval) -> tuple[State, Finding]:
        """Take what the register counted."""
        filling, cells = fill(state.filling, interval, CELL_MS, LONGEST_MS)
        state = state._replace(filling=filling)
        finding: Finding = None
        for cell in cells:
            state, found = self._cell(state, cell)
            finding = found or finding
        return state, finding

    def _cell(self, state: State, cell: Cell) -> tuple[State, Finding]:
        row = bool(state.cells) and cell.start == state.cells[-1][0] + CELL_MS
        state = state._replace(cells=(*(state.cells if row else ()), (cell.start, cell.amount))[-HALF_HOUR:])
        day = self.calendar.place(cell.start).day
        if day != state.day:
            state = state._replace(day=day, most=0.0, own=(*state.own, state.most)[-DAYS:])
        if state.begun:
            state = state._replace(litres=state.litres + cell.amount)
        flow, short = _mean(state.cells, HALF_HOUR), _mean(state.cells, TEN_MINUTES)
        limit = max(self.above, OWN * max(state.own, default=0.0))
        high, higher = flow >= limit, short >= max(self.much, limit)
        if not high and not higher:
            return self._calm(state, flow, cell)
        if not state.flowing:
            state = self._episode(state)
        if state.known:
            return state._replace(most=max(state.most, flow)), None
        return self._alarm(state, "critical" if higher else "warning", max(flow, short), limit)

    def _calm(self, state: State, flow: float, cell: Cell) -> tuple[State, Finding]:
        state = state._replace(most=max(state.most, flow))
        quiet = len(state.cells) >= QUARTER and _mean(state.cells, QUARTER) < self.stopped
        if not quiet:
            return state, None
        begun, litres = state.begun, state.litres
        state = state._replace(flowing=False, known=False, begun=0, litres=0.0)
        end = cell.start + CELL_MS
        return state, Clear(end, {"lost_l": round(litres), "since_ms": begun}) if begun else None

    def _episode(self, state: State) -> State:
        """Note that much flow began, and whether it does so at this time again and again."""
        first = state.cells[0][0]
        place = self.calendar.place(first)
        minute = place.hour * 60 + first // 60_000 % 60
        before = [(day, at) for day, at in state.episodes if 0 < place.day - day <= WEEK]
        days = {day for day, at in before if _apart(at, minute) <= HABIT_MINUTES}
        return state._replace(
            flowing=True, known=len(days) >= HABIT_DAYS, episodes=(*before, (place.day, minute))[-MOST_EPISODES:]
        )

    def _alarm(self, state: State, severity: Severity, flow: float, limit: float) -> tuple[State, Finding]:
        end = state.cells[-1][0] + CELL_MS
        if not state.begun:
            litres = sum(litres for _, litres in state.cells)
            state = state._replace(begun=state.cells[0][0], litres=litres)
        evidence = {"since_ms": state.begun, "limit_l_min": round(limit, 1), "lost_l": round(state.litres)}
        points = tuple((start, round(litres / MINUTES, 2)) for start, litres in state.cells)
        value = round(flow * 60)
        return state, Alarm(severity, end, value, round(limit * 60), "l/h", self.keys[0], flow, evidence, points)


def _mean(cells: Cells, count: int) -> float:
    """Give the mean flow of the newest cells in l/min; nothing is said of fewer."""
    return sum(litres for _, litres in cells[-count:]) / (count * MINUTES) if len(cells) >= count else 0.0


def _apart(one: int, other: int) -> int:
    """Give the minutes between two times of the day."""
    apart = abs(one - other)
    return apart if apart <= NOON else 2 * NOON - apart
