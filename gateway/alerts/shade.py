"""What explains an alert hides it, so that a customer is told once of one thing.

1. While a cause is open at a meter its effects there (`HIDES`) are not raised. What their rules find is held.
2. A cause that closed explains its effects for a while more (`LINGERS`): as long as what it did is still in their
   figures. An effect that ends before is never told; one that is still true then is a thing of its own, and is told.
"""

from collections.abc import Container, Iterable, Mapping
from typing import Any

from gateway.alerts.rule import Alarm

HIDES: Mapping[str, frozenset[str]] = {
    "outage": frozenset({"meter_offline", "zero_consumption", "phase_fault", "voltage_quality"}),
    "phase_fault": frozenset({"voltage_quality"}),
    "overload": frozenset({"demand_limit"}),
    "water_leak": frozenset({"high_water_day"}),
    "water_burst": frozenset({"high_water_day", "flow_while_away"}),
    "gas_continuous": frozenset({"gas_long_use", "flow_while_away"}),
    "zero_consumption": frozenset({"baseload_increase"}),
}
"""Which alerts explain which others at the same meter."""

HOUR_MS = 3_600_000
SETTLES_MS = 600_000
"""Ten minutes after power is back, or a load is gone, voltages and motors have settled."""
LATE_MS = 24 * HOUR_MS
"""A reading from before the cause's end is late; from longer before, it is the clock that was set."""
LINGERS: Mapping[str, int] = {
    # It adds up the last day: until then the leaked water is in its sum.
    "high_water_day": 24 * HOUR_MS,
    # It is over after three still hours, and an hour more is allowed for slow meters.
    "flow_while_away": 4 * HOUR_MS,
    # A register that stood still without power is judged when it had the time to move: a refrigerator runs within that.
    "zero_consumption": 6 * HOUR_MS,
}
"""How long after its cause's end an effect is still explained by it, in ms, where that is not `SETTLES_MS`."""


class Shade:
    """What is hidden at one meter: by open alerts, and by those that ended; `held` are findings by rule, the newest."""

    def __init__(self) -> None:
        """Hide nothing yet."""
        self.held: dict[str, Alarm] = {}
        self._hidden: frozenset[str] = frozenset()
        self._lingers: dict[str, list[tuple[int, int]]] = {}

    def note(self, opened: Iterable[str], ended: Iterable[tuple[str, int]]) -> None:
        """Take the rules whose alerts are open, and of the others when the last one ended (UTC ms)."""
        self._hidden = frozenset[str]().union(*(HIDES.get(name, frozenset()) for name in opened))
        self._lingers = {}
        for cause, end in ended:
            for effect in HIDES.get(cause, ()):
                self._lingers.setdefault(effect, []).append((end, end + LINGERS.get(effect, SETTLES_MS)))

    def covers(self, rule: str, at: int) -> bool:
        """Tell whether what a rule finds at a moment is explained."""
        spans = self._lingers.get(rule, ())
        return rule in self._hidden or any(end - LATE_MS <= at < until for end, until in spans)

    def ripe(self, at: int) -> list[tuple[str, Alarm]]:
        """Take out the findings that are explained no more."""
        ripe = [(rule, alarm) for rule, alarm in self.held.items() if not self.covers(rule, at)]
        for rule, _ in ripe:
            del self.held[rule]
        return ripe

    def due(self) -> list[int]:
        """Name the moments at which what is held may be explained no more."""
        free = (rule for rule in self.held if rule not in self._hidden)
        return [max((until for _, until in self._lingers.get(rule, ())), default=0) for rule in free]

    def dump(self) -> dict[str, list[Any]]:
        """Give what is held as JSON can hold it."""
        return {rule: [*alarm[:-1], [list(point) for point in alarm.points]] for rule, alarm in self.held.items()}

    def restore(self, rows: Mapping[str, list[Any]], rules: Container[str]) -> None:
        """Take up what `dump` gave, of the rules there still are."""
        for rule, (*parts, points) in rows.items():
            if rule in rules:
                self.held[rule] = Alarm._make([*parts, tuple((at, value) for at, value in points)])
