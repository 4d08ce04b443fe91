"""Which of one meter's rules judge what, so that a reading asks only those whom it concerns."""

from collections.abc import Sequence
from typing import cast

from gateway.alerts.rule import JudgesFlags, JudgesHours, JudgesIntervals, JudgesReadings, JudgesTime, Rule

KINDS = 16
"""Sets of values remembered a meter."""


class Judges:
    """A meter's rules by what they judge, each with its number; `kinds` has those already asked of `of_kind`."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Sort the rules, which are numbered in this order."""
        self._of_reading = [(n, rule) for n, rule in enumerate(rules) if isinstance(rule, JudgesReadings)]
        self.kinds: dict[tuple[str, ...], list[tuple[int, JudgesReadings]]] = {}
        self.of_time = [(n, rule) for n, rule in enumerate(rules) if isinstance(rule, JudgesTime)]
        self.of_flags = [(n, rule) for n, rule in enumerate(rules) if isinstance(rule, JudgesFlags)]
        self.of_counter: dict[str, tuple[list[tuple[int, JudgesIntervals]], list[tuple[int, JudgesHours]]]] = {}
        for n, rule in enumerate(rules):
            for key in rule.keys if isinstance(rule, JudgesIntervals) else ():
                self.of_counter.setdefault(key, ([], []))[0].append((n, cast("JudgesIntervals", rule)))
            for key in rule.hour_keys if isinstance(rule, JudgesHours) else ():
                self.of_counter.setdefault(key, ([], []))[1].append((n, cast("JudgesHours", rule)))

    def of_kind(self, keys: tuple[str, ...]) -> list[tuple[int, JudgesReadings]]:
        """Find the rules that judge one of these values, and remember them: a meter has a few kinds of telegram."""
        if len(self.kinds) >= KINDS:
            self.kinds.clear()
        present = set(keys)
        asked = [(n, rule) for n, rule in self._of_reading if not rule.reading_keys or present & set(rule.reading_keys)]
        self.kinds[keys] = asked
        return asked
