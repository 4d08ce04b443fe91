"""Gas that never stops (G1), and gas that burns on and on (G2).

1. A pipe that leaks and a flame that was forgotten give a little every hour, day and night. A home that is well has
   hours without gas: heating and hot water come and go.
2. So hours are judged, not flow: `hours` in a row, all known, each with at least a step of the register above the
   `pilot` flame that the installer found.
3. A cooker or a heater left on burns evenly: the same amount an hour, within a tenth, for longer than this home's
   heating ever does.

None of this replaces a gas detector, and the messages say so.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from gateway.alerts.calendar import HOUR_MS
from gateway.alerts.hours import Hour
from gateway.alerts.rule import Alarm, Clear, Finding

KEY = "gas_volume_l"
STILL = 3
EVEN = 0.1
WEEKS = 4
OWN = 1.5
MOST = 4096


class Running(NamedTuple):
    """`end` is how far hours are known (UTC ms), `row` the hours in a row with gas, `least` the least of one in litres.

    `litres` are those of the row, `still` counts the hours without, `told` says that it was told.
    """

    end: int = 0
    row: int = 0
    least: float = 0.0
    litres: float = 0.0
    still: int = 0
    told: bool = False


@dataclass(frozen=True)
class GasContinuous:
    """Judges whether gas ever stops; `pilot` is in litres an hour, `warm` are months of the year without heating."""

    name: ClassVar[str] = "gas_continuous"
    start: ClassVar[Running] = Running()
    hour_keys: ClassVar[tuple[str, ...]] = (KEY,)
    cooldown: ClassVar[float] = 0.0
    hours: int = 48
    pilot: float = 0.0

    def hour(self, state: Running, hour: Hour) -> tuple[Running, Finding]:
        """Take what one hour held."""
        amount = hour.amount - self.pilot
        if hour.start != state.end:  # what was in between nobody knows: neither on nor over
            state = Running(hour.start, told=state.told)
        if amount <= 0:
            still = state.still + 1
            state = state._replace(end=hour.end, row=0, litres=0.0, still=min(still, STILL))
            if state.told and still >= STILL:
                return state._replace(told=False), Clear(hour.end - STILL * HOUR_MS, {})
            return state, None
        least = min(state.least, amount) if state.row else amount
        row = min(state.row + 1, MOST)
        state = Running(hour.end, row, least, state.litres + amount, 0, state.told)
        if row < self.hours:
            return state, None
        state = state._replace(told=True)
        evidence = {
            "since_ms": hour.end - row * HOUR_MS, "hours": float(row), "least_l": round(least, 1),
            "lost_l": round(state.litres),
        }  # fmt: skip
        rate = round(state.litres / row, 1)
        return state, Alarm("critical", hour.end, rate, 0.0, "l/h", KEY, state.litres, evidence)


class Burning(NamedTuple):
    """`end` is how far hours are known (UTC ms), `row` the even hours in a row, `level` litres each, in all `litres`.

    `longest` are the longest even runs of this week and those before, `week` its number; `told` the hours told.
    """

    end: int = 0
    row: int = 0
    level: float = 0.0
    litres: float = 0.0
    longest: tuple[int, ...] = (0,)
    week: int = 0
    told: int = 0


@dataclass(frozen=True)
class GasLongUse:
    """Judges how long gas burns evenly; `above` is in l/h: less is a pilot flame, or a leak (G1)."""

    name: ClassVar[str] = "gas_long_use"
    start: ClassVar[Burning] = Burning()
    hour_keys: ClassVar[tuple[str, ...]] = (KEY,)
    hours: int = 4
    above: float = 50.0
    cooldown: float = 43_200.0
    factor: float = 1.0

    def hour(self, state: Burning, hour: Hour) -> tuple[Burning, Finding]:
        """Take what one hour held."""
        week = hour.place.day // 7
        if week != state.week:
            state = state._replace(week=week, longest=(0, *state.longest)[: WEEKS + 1])
        follows = hour.start == state.end and state.row
        even = follows and abs(hour.amount - state.level) <= EVEN * state.level
        if hour.amount < self.above or not even:
            return self._new_run(state, hour)
        row = min(state.row + 1, MOST)
        level = state.level + (hour.amount - state.level) / row
        state = state._replace(end=hour.end, row=row, level=level, litres=state.litres + hour.amount)
        limit = self.factor * max(self.hours, OWN * max(state.longest, default=0))
        if row <= limit:
            return state, None
        evidence = {
            "since_ms": hour.end - row * HOUR_MS, "hours": float(row), "usual_hours": float(max(state.longest)),
            "lost_l": round(state.litres),
        }  # fmt: skip
        alarm = Alarm("warning", hour.end, round(level), 0.0, "l/h", KEY, state.litres, evidence)
        return state._replace(told=row), alarm

    def _new_run(self, state: Burning, hour: Hour) -> tuple[Burning, Finding]:
        """Begin anew; a run that was told does not teach how long this home burns gas."""
        longest = state.longest if state.told else (max(state.longest[0], state.row), *state.longest[1:])
        burns = hour.amount >= self.above
        told = state.told
        state = state._replace(
            end=hour.end, row=int(burns), level=hour.amount, litres=hour.amount, longest=longest, told=0
        )
        return state, Clear(hour.start, {"hours": float(told)}) if told else None
