"""The alert engine: what all meters say goes in, events come out; no clock, no file, no log.

1. `hear` takes one reading with its flags and checked intervals, `tick` the time. Each asks the rules of that meter
   that judge such things, and hands what they find to the life of that rule's alert. Intervals are also gathered to
   hours, once for all rules that judge those.
2. Time is the readings' own. `tick` changes nothing unless something comes out of it, so how often it is called does
   not matter; `due` names the next moment when it does.
3. While a meter is silent, nothing else is raised at it, and what explains an alert hides it (`shade.py`).
   An alert whose meter has been silent for a day expires.
4. All that is remembered of a meter is plain data (`snapshot`); whoever goes on from it gives the same events.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

from drivers.contract import Number
from gateway.alerts.calendar import Calendar
from gateway.alerts.cells import EMPTY, Filling
from gateway.alerts.event import AlertEvent
from gateway.alerts.hours import hours_of
from gateway.alerts.life import Life, alarmed, ended
from gateway.alerts.rule import (
    Alarm,
    Finding,
    JudgesFlags,
    JudgesHours,
    JudgesIntervals,
    JudgesReadings,
    JudgesTime,
    Rule,
)
from gateway.alerts.rules.outage import Outage
from gateway.alerts.rules.silence import Silence, excused
from gateway.alerts.shade import Shade
from gateway.check import Interval

EXPIRES_MS = 86_400_000
"""What was so a day ago says nothing of now."""


NO_LIFE = Life()
KINDS = 16
"""Sets of values remembered a meter."""


class Engine:
    """Watches the meters it was made for; what others say is ignored."""

    def __init__(self, rules: Mapping[str, Sequence[Rule]], calendar: Calendar | None = None) -> None:
        """Take the rules of each meter, by meter id, and the calendar of the place."""
        self._calendar = calendar or Calendar()
        self._watches = {meter: _Watch(meter, of_meter, self._calendar) for meter, of_meter in rules.items()}

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
        return (self._watches.get(meter) or _Watch(meter, (), self._calendar)).restore(snapshot)

    def change(self, meter: str, rules: Sequence[Rule]) -> list[AlertEvent]:
        """Let other rules watch a meter from now on, with all that is remembered; give the ends of those left out."""
        old, new = self._watches[meter], _Watch(meter, rules, self._calendar)
        self._watches[meter] = new
        return new.restore(old.snapshot())

    @property
    def meters(self) -> Sequence[str]:
        """The meters watched."""
        return list(self._watches)


class _Watch:
    """One meter: its rules, what each remembers, and the life of each one's alert."""

    def __init__(self, meter: str, rules: Sequence[Rule], calendar: Calendar) -> None:
        self.meter = meter
        self.calendar = calendar
        # Silence first: whether the meter speaks decides what its other rules may say.
        self.rules = sorted(rules, key=lambda rule: not isinstance(rule, Silence))
        self.states: list[Any] = [rule.start for rule in self.rules]
        self.lives = [Life() for _ in self.rules]
        self.last = 0
        self.silent = False
        self.shade = Shade()
        self.open = 0
        self.of_reading = [(n, rule) for n, rule in enumerate(self.rules) if isinstance(rule, JudgesReadings)]
        self.of_values: dict[tuple[str, ...], list[tuple[int, JudgesReadings]]] = {}
        self.of_time = [(n, rule) for n, rule in enumerate(self.rules) if isinstance(rule, JudgesTime)]
        self.of_flags = [(n, rule) for n, rule in enumerate(self.rules) if isinstance(rule, JudgesFlags)]
        self.of_counter: dict[str, tuple[list[tuple[int, JudgesIntervals]], list[tuple[int, JudgesHours]]]] = {}
        for n, rule in enumerate(self.rules):
            for key in rule.keys if isinstance(rule, JudgesIntervals) else ():
                self.of_counter.setdefault(key, ([], []))[0].append((n, cast("JudgesIntervals", rule)))
            for key in rule.hour_keys if isinstance(rule, JudgesHours) else ():
                self.of_counter.setdefault(key, ([], []))[1].append((n, cast("JudgesHours", rule)))
        self.filling: dict[str, Filling] = {}

    def hear(
        self,
        ts: int,
        q: int,
        values: Mapping[str, Number],
        intervals: Iterable[Interval],
        status: Sequence[str],
    ) -> list[AlertEvent]:
        events: list[AlertEvent] = []
        self.last = ts
        states = self.states
        keys = tuple(values)
        asked = self.of_values.get(keys)
        if asked is None:
            asked = self._asked(keys)
        for n, rule in asked:
            states[n], finding = rule.reading(states[n], ts, q, values)
            if finding is not None:
                self._live(n, finding, ts, events)
        self._flags(ts, status, events)
        for interval in intervals:
            judges = self.of_counter.get(interval.key)
            if judges is None:
                continue
            of_interval, of_hour = judges
            for n, judge in of_interval:
                states[n], finding = judge.interval(states[n], interval)
                if finding is not None:
                    self._live(n, finding, ts, events)
            if of_hour:
                self._fill(interval, of_hour, ts, events)
        if self.shade.held:
            self._release(ts, events)
        return events

    def _flags(self, ts: int, status: Sequence[str], events: list[AlertEvent]) -> None:
        for n, rule in self.of_flags:
            if not status and self.states[n] is rule.start:  # no flag is up, and none was
                continue
            self.states[n], finding = rule.flags(self.states[n], ts, status)
            if finding is not None:
                self._live(n, finding, ts, events)

    def _asked(self, keys: tuple[str, ...]) -> list[tuple[int, JudgesReadings]]:
        """Find the rules that judge one of these values, and remember them: a meter has a few kinds of telegram."""
        if len(self.of_values) >= KINDS:
            self.of_values.clear()
        present = set(keys)
        asked = [(n, rule) for n, rule in self.of_reading if not rule.reading_keys or present & set(rule.reading_keys)]
        self.of_values[keys] = asked
        return asked

    def _fill(
        self, interval: Interval, judges: list[tuple[int, JudgesHours]], ts: int, events: list[AlertEvent]
    ) -> None:
        """Gather an interval to hours, and hand each full one to the rules that judge hours."""
        key = interval.key
        self.filling[key], hours = hours_of(self.filling.get(key, EMPTY), interval, self.calendar)
        for hour in hours:
            for n, judge in judges:
                self.states[n], finding = judge.hour(self.states[n], hour)
                if finding is not None:
                    self._live(n, finding, ts, events)

    def tick(self, now: int) -> list[AlertEvent]:
        events: list[AlertEvent] = []
        for n, rule in self.of_time:
            self.states[n], finding = rule.tick(self.states[n], now)
            if finding is not None:
                self._live(n, finding, now, events)
        if self.last and now >= self.last + EXPIRES_MS:
            self._expire(now, events)
        if self.shade.held:
            self._release(now, events)
        return events

    def due(self) -> int | None:
        moments = [moment for n, rule in self.of_time if (moment := rule.due(self.states[n])) is not None]
        if self.last and self.open:
            moments.append(self.last + EXPIRES_MS)
        if self.shade.held and not self.silent:
            moments += self.shade.due()
        return min(moments, default=None)

    def excuse(self, since: int, until: int) -> None:
        for n, rule in self.of_time:
            self.states[n] = rule.excuse(self.states[n], since, until)
        self.last = excused(self.last, since, until)

    def snapshot(self) -> dict[str, Any]:
        """Give what is remembered; of a rule that never had anything to judge that is nothing."""
        known = [
            (rule.name, state, life)
            for rule, state, life in zip(self.rules, self.states, self.lives, strict=True)
            if state != rule.start or life != NO_LIFE
        ]
        return {
            "last": self.last,
            "hours": {key: list(filling) for key, filling in self.filling.items()},
            "rules": {name: [_plain(state), _plain(life)] for name, state, life in known},
            **({"held": self.shade.dump()} if self.shade.held else {}),
        }

    def restore(self, snapshot: Mapping[str, Any]) -> list[AlertEvent]:
        self.last = snapshot["last"]
        self.filling = {key: Filling(*row) for key, row in snapshot.get("hours", {}).items()}
        rows = dict(snapshot["rules"])
        for n, rule in enumerate(self.rules):
            if row := rows.pop(rule.name, None):
                self.states[n], self.lives[n] = _like(rule.start, row[0]), _like(Life(), row[1])
                self._note(n)
        self.shade.restore(snapshot.get("held", {}), {rule.name for rule in self.rules})
        orphans = [(name, _like(Life(), life)) for name, (_, life) in rows.items()]
        ends = [ended(life, name, self.meter, None, self.last, 0)[1] for name, life in orphans]
        return [event for event in ends if event is not None]

    def _live(self, n: int, finding: Finding, at: int, events: list[AlertEvent]) -> None:
        """Hand a finding to the life of its alert; a silent meter raises nothing but what explains it."""
        rule, life = self.rules[n], self.lives[n]
        if not isinstance(finding, Alarm):
            self.shade.held.pop(rule.name, None)
            self.lives[n], event = ended(life, rule.name, self.meter, finding, at, rule.cooldown)
        elif not life.seq and self.silent and not isinstance(rule, (Silence, Outage)):
            return
        elif not life.seq and self.shade.covers(rule.name, at):
            self.shade.held[rule.name] = finding
            return
        else:
            self.lives[n], event = alarmed(life, rule.name, self.meter, finding, at, rule.cooldown)
        if event is not None:
            self._note(n)
            events.append(event)

    def _release(self, at: int, events: list[AlertEvent]) -> None:
        """Raise what was held and is explained no more; a silent meter's waits until it speaks."""
        if self.silent:
            return
        numbers = {rule.name: n for n, rule in enumerate(self.rules)}
        for name, alarm in self.shade.ripe(at):
            self._live(numbers[name], alarm, at, events)

    def _expire(self, now: int, events: list[AlertEvent]) -> None:
        self.shade.held.clear()
        for n, rule in enumerate(self.rules):
            if self.lives[n].seq and self._expires(n):
                self.lives[n], event = ended(self.lives[n], rule.name, self.meter, None, now, rule.cooldown)
                if event is not None:
                    self._note(n)
                    events.append(event)

    def _expires(self, n: int) -> bool:
        """Whether this rule's alerts lean on the meter's word; that it is silent, of all, does not."""
        return not isinstance(self.rules[n], Silence)

    def _note(self, n: int) -> None:
        """Mind what an alert that opened or closed means for others."""
        if isinstance(self.rules[n], Silence):
            self.silent = bool(self.lives[n].seq)
        named = [(rule, life) for rule, life in zip(self.rules, self.lives, strict=True) if life != NO_LIFE]
        ends = [(rule.name, life.calm - round(rule.cooldown * 1000)) for rule, life in named if not life.seq]
        self.shade.note([rule.name for rule, life in named if life.seq], ends)
        self.open = sum(1 for n, life in enumerate(self.lives) if life.seq and self._expires(n))


def _plain(part: Any) -> Any:
    return [_plain(item) for item in part] if isinstance(part, tuple) else part


def _like(pattern: Any, row: Any) -> Any:
    """Make of plain lists what `pattern` is: a named tuple, within it plain tuples and other named ones."""
    if not isinstance(row, list):
        return row
    if hasattr(pattern, "_fields"):
        return type(pattern)(*(_like(old, new) for old, new in zip(pattern, row, strict=True)))
    return tuple(_like(None, item) for item in row)
