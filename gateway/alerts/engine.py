"""The alert engine: what all meters say goes in, events come out; no clock, no file, no log.

1. `hear` takes one reading with its flags and checked intervals, `tick` the time. Each meter has a watch of its own,
   which asks its rules (`meter_watch.py`).
2. Time is the readings' own. `tick` changes nothing unless something comes out of it, so how often it is called does
   not matter; `due` names the next moment when it does.
3. All that is remembered of a meter is plain data (`snapshot`); whoever goes on from it gives the same events.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from drivers.contract import Number
from gateway.alerts.calendar import Calendar
from gateway.alerts.event import AlertEvent
from gateway.alerts.meter_watch import MeterWatch
from gateway.alerts.rule import Rule
from gateway.check import Interval


class Engine:
    """Watches the meters it was made for; what others say is ignored."""

    def __init__(self, rules: Mapping[str, Sequence[Rule]], calendar: Calendar | None = None) -> None:
        """Take the rules of each meter, by meter id, and the calendar of the place."""
        self._calendar = calendar or Calendar()
        self._watches = {meter: MeterWatch(meter, of_meter, self._calendar) for meter, of_meter in rules.items()}

    def hear(
        self,
        meter: str,
        ts: int,
        q: int,
        values: Mapping[str, Number],
        intervals: Iterable[Interval] = (),
        status: Sequence[str] = (),
    ) -> list[AlertEvent]:
        """Take a reading (`ts` UTC ms, `q` its bits of quality), the intervals it closed, and the meter's flags."""
        watch = self._watches.get(meter)
        return watch.hear(ts, q, values, intervals, status) if watch else []

    def tick(self, now: int, meter: str | None = None) -> list[AlertEvent]:
        """Take the time (UTC ms), for all meters or one of them."""
        watches = self._watches.values() if meter is None else [self._watches[meter]] if meter in self._watches else []
        return [event for watch in watches for event in watch.tick(now)]

    def due(self, meter: str) -> int | None:
        """Name the next moment at which `tick` may give an event of this meter, should it stay silent."""
        return self._watches[meter].due()

    def excuse(self, since: int, until: int, meters: Collection[str] | None = None) -> None:
        """Say that nobody listened to these meters (None: to any) between two moments: their silence does not count."""
        for meter, watch in self._watches.items():
            if meters is None or meter in meters:
                watch.excuse(since, until)

    def snapshot(self, meter: str) -> dict[str, Any]:
        """Give all that is remembered of one meter, as plain data."""
        return self._watches[meter].snapshot()

    def restore(self, meter: str, snapshot: Mapping[str, Any]) -> list[AlertEvent]:
        """Go on from a snapshot; give the ends of alerts whose rules, or whose meter, are no more."""
        return (self._watches.get(meter) or MeterWatch(meter, (), self._calendar)).restore(snapshot)

    def change(self, meter: str, rules: Sequence[Rule]) -> list[AlertEvent]:
        """Let other rules watch a meter from now on, with all that is remembered; give the ends of those left out."""
        old, new = self._watches[meter], MeterWatch(meter, rules, self._calendar)
        self._watches[meter] = new
        return new.restore(old.snapshot())

    @property
    def meters(self) -> Sequence[str]:
        """The meters watched."""
        return list(self._watches)
