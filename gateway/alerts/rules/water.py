"""Water that never stops (W1, W2): a leak shows as a register that never stands still for long.

1. A home that is well stands still for hours each day; a leak of a litre an hour moves a litre register every hour. So
   the stretch between two steps is judged and no flow is: the smallest leak seen is one step in `still`.
2. `_run` follows the present run without a long stand (W1), `_night` the present night (W2), whatever the pace of the
   readings; a step counts at the end of its interval.
3. A register that did not move stood still, however long nobody looked. One that moved while nobody looked for longer
   than `still` is unknown: the run starts anew and the night is not whole.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from gateway.alerts.event import Severity
from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.check import Interval

HOUR_MS = 3_600_000
PIECES = 24
QUIET = 4
"""The leak itself is what flows in the least four hours in a row of a day: some four hours hold hardly any use, and a
leak of a litre and a half an hour still gives several litres in them."""

NightOf = Callable[[int], tuple[int, int]]
"""Gives begin and end (UTC ms) of the first night that ends after a moment."""


class Night(NamedTuple):
    """The night that is on or comes next: its bounds, its longest stand so far, its litres, whether all is known.

    `row` counts the nights in a row, up to the one before, in which the register never stood still.
    """

    begin: int = 0
    end: int = 0
    worst: int = 0
    litres: float = 0.0
    whole: bool = True
    row: int = 0


class State(NamedTuple):
    """`end` is how far the register is known, `step` its newest step (0: it stands for good).

    `run` is where the time without a long stand begins: with the interval that `first`, the first step in it, ends.
    `hours` are the litres of the newest whole pieces of `sure_after` in this run, `filling` those of the one that ends
    at `until`, `least` the leak they show in l/h. `leak` and `since` are what was found last. Times in UTC ms.
    """

    end: int = 0
    step: int = 0
    run: int = 0
    first: int = 0
    hours: tuple[float, ...] = ()
    filling: float = 0.0
    until: int = 0
    least: float = 0.0
    leak: float = 0.0
    since: int = 0
    night: Night = Night()


@dataclass(frozen=True)
class WaterLeak:
    """Judges how long the register of water stands still.

    Surely (W1): for `sure_after`, all of it known, it never stood longer than `still`. In an hour and a half a litre
    register shows 0.7 l/h, and no home is awake all day and all night. A warning; critical above `severe` litres an
    hour, as a burst hose gives, or once more than `severe_total` litres are lost.

    Perhaps (W2): in a whole night it never stood for `night_still`. Told as info after `nights` such nights in a row,
    after one above `one_night_above` litres an hour. In time it becomes W1's warning.

    It is over once the register stood for `over`: twice what it ever stands in a leak.
    """

    name: ClassVar[str] = "water_leak"
    start: ClassVar[State] = State()
    keys: ClassVar[tuple[str, ...]] = ("water_volume_l",)
    cooldown: ClassVar[float] = 0.0
    night_of: NightOf
    still: float = 5400.0
    sure_after: float = 86400.0
    over: float = 10800.0
    severe: float = 60.0
    severe_total: float = 20000.0
    night_still: float = 3600.0
    nights: int = 1
    one_night_above: float = 20.0

    @property
    def _piece_ms(self) -> int:
        return round(self.sure_after * 1000 / PIECES)

    def interval(self, state: State, interval: Interval) -> tuple[State, Finding]:
        """Take what the register counted."""
        start, end, litres = interval.start, interval.end, interval.amount or 0.0
        if end <= state.end or not state.end:  # the clock was set, or this is the first
            since = min(state.since, start)  # it may have been found on a clock that was ahead
            state = State(start, start, leak=state.leak, since=since, night=self._next_night(start, 0))
        hidden = litres and end - start > self.still * 1000
        if hidden or interval.amount is None or interval.quality == "suspect" or start > state.end:
            night = self._next_night(end, 0) if end > state.night.begin else state.night
            state = state._replace(end=end, step=end, run=0, hours=(), filling=0.0, night=night)
            return state, None
        night, perhaps = self._night(state, end, litres)
        before, hours = state.end, state.hours
        state = self._run(state._replace(end=end, night=night), start, litres)
        # What is known of a leak changes with each full hour, and when the day becomes full.
        news = state.hours is not hours or before - state.run < self.sure_after * 1000
        return self._judge(state, perhaps, news=news)

    def _run(self, state: State, start: int, litres: float) -> State:
        """Follow the run: a step after a long stand begins a new one."""
        end = state.end
        if not litres:
            return state
        if not state.run or end - state.step > self.still * 1000:
            return state._replace(step=end, run=start, first=end, hours=(), filling=0.0, until=end + self._piece_ms)
        if end <= state.until:
            return state._replace(step=end, filling=state.filling + litres)
        # Pieces are closed by steps only, so that the stand after the last one makes no leak look smaller.
        passed = (end - state.until - 1) // self._piece_ms + 1
        hours = (*state.hours, state.filling, *[0.0] * min(passed - 1, PIECES))[-PIECES:]
        quiet = min((sum(hours[n : n + QUIET]) for n in range(len(hours) - QUIET + 1)), default=0.0)
        return state._replace(
            step=end,
            hours=hours,
            filling=litres,
            until=state.until + passed * self._piece_ms,
            least=quiet * HOUR_MS / (QUIET * self._piece_ms),
        )

    def _night(self, state: State, end: int, litres: float) -> tuple[Night, float]:
        """Follow the night; give its litres an hour once it ended and the register never stood still, else 0."""
        night = state.night
        if end <= night.begin:
            return night, 0.0
        if litres and end <= night.end:
            stand = end - max(state.step, night.begin)
            night = night._replace(worst=max(night.worst, stand), litres=night.litres + litres)
        if end < night.end:
            return night, 0.0
        last = end if litres and end <= night.end else state.step
        worst = max(night.worst, night.end - max(last, night.begin))
        if not night.whole or worst >= self.night_still * 1000:
            return self._next_night(end, 0), 0.0
        rate = night.litres * HOUR_MS / (night.end - night.begin)
        told = rate if night.row + 1 >= self.nights or rate > self.one_night_above else 0.0
        return self._next_night(end, night.row + 1), told

    def _next_night(self, moment: int, row: int) -> Night:
        begin, end = self.night_of(moment)
        return Night(begin, end, whole=moment <= begin, row=row)

    def _judge(self, state: State, perhaps: float, *, news: bool) -> tuple[State, Finding]:
        end = state.end
        if state.step and end - state.step >= self.over * 1000:
            lost = round(state.leak * (state.step - state.since) / HOUR_MS)
            known = {"lost_l": lost, "since_ms": state.since} if state.since else {}
            cleared = state._replace(step=0, run=0, leak=0.0, since=0)
            return cleared, Clear(state.step, {"stopped_ms": state.step, **known})
        if state.run and end - state.run >= self.sure_after * 1000 and end - state.step <= self.still * 1000:
            return self._surely(state) if news else (state, None)
        if perhaps:
            state = state._replace(leak=perhaps, since=state.since or state.first)
            return state, self._alarm(state, "info", perhaps)
        return state, None

    def _surely(self, state: State) -> tuple[State, Finding]:
        rate = state.least
        since = state.since or state.first
        lost = rate * (state.end - since) / HOUR_MS
        state = state._replace(leak=rate, since=since)
        severity: Severity = "critical" if rate > self.severe or lost > self.severe_total else "warning"
        return state, self._alarm(state, severity, rate)

    def _alarm(self, state: State, severity: Severity, rate: float) -> Alarm:
        hours = (state.end - state.since) / HOUR_MS
        evidence = {
            "since_ms": state.since,
            "hours": round(hours, 1),
            "lost_l": round(rate * hours),
            "longest_stand_s": self.still if severity != "info" else self.night_still,
        }
        newest = state.until - self._piece_ms
        points = tuple((newest - self._piece_ms * n, litres) for n, litres in enumerate(reversed(state.hours)))[::-1]
        return Alarm(severity, state.end, round(rate, 2), 0.0, "l/h", self.keys[0], max(rate, 0.1), evidence, points)
