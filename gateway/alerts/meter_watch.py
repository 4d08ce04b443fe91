"""One meter's part of the alert engine: what each of its rules remembers, and the life of each one's alert.

1. `hear` asks the rules that judge readings, flags or intervals, `tick` those that judge the passing of time
   (`judges.py`). Intervals are also gathered to hours, once for all rules that judge those.
2. What they find goes to the life of that rule's alert (`life.py`).
3. While the meter is silent, nothing else is raised at it, and what explains an alert hides it (`shade.py`).
   An alert whose meter has been silent for a day expires.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from drivers.contract import Number
from gateway.alerts.calendar import Calendar
from gateway.alerts.cells import EMPTY, Filling
from gateway.alerts.event import AlertEvent
from gateway.alerts.hours import hours_of
from gateway.alerts.judges import Judges
from gateway.alerts.life import Life, alarmed, ended
from gateway.alerts.rule import Alarm, Finding, JudgesHours, Rule
from gateway.alerts.rules.outage import Outage
from gateway.alerts.rules.silence import Silence, excused
from gateway.alerts.shade import Shade
from gateway.check import Interval

EXPIRES_MS = 86_400_000
"""What was so a day ago says nothing of now."""
NO_LIFE = Life()


class MeterWatch:
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
        self.judges = Judges(self.rules)
        self.filling: dict[str, Filling] = {}

    def hear(
        self,
        ts: int,
        q: int,
        values: Mapping[str, Number],
        intervals: Iterable[Interval],
        status: Sequence[str],
    ) -> list[AlertEvent]:
        """Take a reading, the intervals it closed, and the meter's flags."""
        events: list[AlertEvent] = []
        self.last = ts
        states = self.states
        keys = tuple(values)
        asked = self.judges.kinds.get(keys)
        if asked is None:
            asked = self.judges.of_kind(keys)
        for n, rule in asked:
            states[n], finding = rule.reading(states[n], ts, q, values)
            if finding is not None:
                self._live(n, finding, ts, events)
        self._flags(ts, status, events)
        for interval in intervals:
            judges = self.judges.of_counter.get(interval.key)
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
        for n, rule in self.judges.of_flags:
            if not status and self.states[n] is rule.start:  # no flag is up, and none was
                continue
            self.states[n], finding = rule.flags(self.states[n], ts, status)
            if finding is not None:
                self._live(n, finding, ts, events)

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
        """Take the time (UTC ms)."""
        events: list[AlertEvent] = []
        for n, rule in self.judges.of_time:
            self.states[n], finding = rule.tick(self.states[n], now)
            if finding is not None:
                self._live(n, finding, now, events)
        if self.last and now >= self.last + EXPIRES_MS:
            self._expire(now, events)
        if self.shade.held:
            self._release(now, events)
        return events

    def due(self) -> int | None:
        """Name the next moment at which `tick` may give an event, should the meter stay silent."""
        moments = [moment for n, rule in self.judges.of_time if (moment := rule.due(self.states[n])) is not None]
        if self.last and self.open:
            moments.append(self.last + EXPIRES_MS)
        if self.shade.held and not self.silent:
            moments += self.shade.due()
        return min(moments, default=None)

    def excuse(self, since: int, until: int) -> None:
        """Say that nobody listened between two moments: silence then does not count."""
        for n, rule in self.judges.of_time:
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
        """Go on from a snapshot; give the ends of alerts whose rules are no more."""
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
