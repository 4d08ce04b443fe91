"""A burst (W3): more water than this home ever takes at once.

1. Flow is judged over pieces of five minutes or a little more: half an hour of it is a warning, ten minutes of much of
   it critical. Meters that are read less often give longer pieces, and are as late as they are coarse.
2. More than `above` litres a minute for half an hour is two taps and two showers open all the time; a home that takes
   more, as a garden does, is told at one and a half times the most it took in four weeks.
3. What flows at the same time of the day again and again is no burst: two such days of the last seven are a habit.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from gateway.alerts.calendar import Calendar
from gateway.alerts.cells import UNSURE
from gateway.alerts.event import Severity
from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.check import Interval

MINUTE_MS = 60_000
PIECE_MS = 5 * MINUTE_MS
TEN_MINUTES, QUARTER, HALF_HOUR = 10 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS
LONGEST_MS = 65 * MINUTE_MS
"""An hour that strayed a little; what a longer gap held has no known flow."""
DAYS = 28
OWN = 1.5
WEEK = 7
HABIT_DAYS = 2
HABIT_MINUTES = 45
NOON = 720
MOST_EPISODES = 24

Piece = tuple[int, int, float]
"""Begin and end (UTC ms), and litres."""


class State(NamedTuple):
    """What is remembered: the flow now, the home's own most, and its habits.

    `begin`, `end` and `litres` are those of the piece that is being gathered, `pieces` the newest whole ones in a row;
    `most` is today's most in half an hour (l/min), `own` that of the days before, of local day `day`. `episodes` are
    (local day, minute of it) when much flow began; `flowing` says that one is on, `known` that it is a habit. `since`
    (UTC ms) and `lost` (litres) are those of the alarm that stands.
    """

    begin: int = 0
    end: int = 0
    litres: float = 0.0
    pieces: tuple[Piece, ...] = ()
    day: int = 0
    most: float = 0.0
    own: tuple[float, ...] = ()
    episodes: tuple[tuple[int, int], ...] = ()
    flowing: bool = False
    known: bool = False
    since: int = 0
    lost: float = 0.0


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
        start, end = interval.start, interval.end
        if interval.amount is None or end - start > LONGEST_MS or interval.quality in UNSURE:
            return State(end, end, 0.0, (), *state[4:]), None
        follows = start == state.end
        begin, litres = (state.begin, state.litres + interval.amount) if follows else (start, interval.amount)
        pieces = state.pieces if follows else ()
        if end - begin < PIECE_MS:
            return State(begin, end, litres, pieces, *state[4:]), None
        since = end - HALF_HOUR
        pieces = (*[piece for piece in pieces if piece[1] > since], (begin, end, litres))
        return self._judge(State(end, end, 0.0, pieces, *state[4:]), litres)

    def _judge(self, state: State, litres: float) -> tuple[State, Finding]:
        day = self.calendar.place(state.end - 1).day
        if day != state.day:
            state = state._replace(day=day, most=0.0, own=(*state.own, state.most)[-DAYS:])
        flow = _mean(state.pieces, HALF_HOUR)
        if not state.flowing and sum([held for _, _, held in state.pieces]) < self.above * TEN_MINUTES / MINUTE_MS:
            return state if flow <= state.most else state._replace(most=flow), None
        if state.since:
            state = state._replace(lost=state.lost + litres)
        short = _mean(state.pieces, TEN_MINUTES)
        limit = max(self.above, OWN * max(state.own, default=0.0))
        high, higher = flow >= limit, short >= max(self.much, limit)
        if not high and not higher:
            return self._calm(state, flow)
        if not state.flowing:
            state = self._episode(state)
        if state.known:
            return state._replace(most=max(state.most, flow)), None
        return self._alarm(state, "critical" if higher else "warning", max(flow, short), limit)

    def _calm(self, state: State, flow: float) -> tuple[State, Finding]:
        state = state._replace(most=max(state.most, flow))
        if not _covers(state.pieces, QUARTER) or _mean(state.pieces, QUARTER) >= self.stopped:
            return state, None
        since, lost = state.since, state.lost
        state = state._replace(flowing=False, known=False, since=0, lost=0.0)
        return state, Clear(state.end, {"lost_l": round(lost), "since_ms": since}) if since else None

    def _episode(self, state: State) -> State:
        """Note that much flow began, and whether it does so at this time again and again."""
        first = state.pieces[0][0]
        place = self.calendar.place(first)
        minute = place.hour * 60 + first // MINUTE_MS % 60
        before = [(day, at) for day, at in state.episodes if 0 < place.day - day <= WEEK]
        days = {day for day, at in before if _apart(at, minute) <= HABIT_MINUTES}
        episodes = (*before, (place.day, minute))[-MOST_EPISODES:]
        return state._replace(flowing=True, known=len(days) >= HABIT_DAYS, episodes=episodes)

    def _alarm(self, state: State, severity: Severity, flow: float, limit: float) -> tuple[State, Finding]:
        if not state.since:
            state = state._replace(since=state.pieces[0][0], lost=sum(litres for _, _, litres in state.pieces))
        evidence = {"since_ms": state.since, "limit_l_min": round(limit, 1), "lost_l": round(state.lost)}
        points = tuple((begin, round(litres * MINUTE_MS / (end - begin), 2)) for begin, end, litres in state.pieces)
        value, usual = round(flow * 60), round(limit * 60)
        return state, Alarm(severity, state.end, value, usual, "l/h", self.keys[0], flow, evidence, points)


def _covers(pieces: tuple[Piece, ...], span: int) -> bool:
    return bool(pieces) and pieces[-1][1] - pieces[0][0] >= span


def _mean(pieces: tuple[Piece, ...], span: int) -> float:
    """Give the mean flow in l/min of the newest pieces that cover `span` ms; 0 while they do not."""
    litres = 0.0
    for begin, _, held in reversed(pieces):
        litres += held
        if pieces[-1][1] - begin >= span:
            return litres * MINUTE_MS / (pieces[-1][1] - begin)
    return 0.0


def _apart(one: int, other: int) -> int:
    """Give the minutes between two times of the day."""
    apart = abs(one - other)
    return apart if apart <= NOON else 2 * NOON - apart
