"""Thins the readings of a meter that talks every second to one an interval, without losing a total.

1. A counter's last value stands for all before it: what went through in between is in it.
2. A gauge is its last value ("last"), or the mean of those it had ("mean"), each counted where the meter said it.
3. Words of status are all those that were said: a leak that was told once was told.
4. A value with a capture time of its own is none of this: it is a reading already (`is_own`), and passes by.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from drivers.contract import Number, Reading
from drivers.quantities import BY_KEY, DECIMALS, FLAGS

How = Literal["last", "mean"]


@dataclass(slots=True)
class _Mean:
    total: float = 0.0
    count: int = 0

    def add(self, value: Number) -> None:
        self.total += float(value)
        self.count += 1

    def give(self) -> Number:
        mean = round(self.total / self.count, DECIMALS)
        return int(mean) if mean.is_integer() else mean


class Thinner:
    """Gathers one meter's readings until `give`; `count` is how many wait."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.count = 0
        self._last: Reading | None = None
        # By quantity, and so bounded by the closed list.
        self._values: dict[str, Number] = {}
        self._means: dict[str, _Mean] = {}
        self._status: set[str] = set()

    def add(self, reading: Reading) -> None:
        """Take a reading that is not `is_own`."""
        self.count += 1
        self._last = reading
        self._values.update(reading.values)
        self._status.update(reading.status)
        for key in _gauges(reading.values):
            self._means.setdefault(key, _Mean()).add(reading.values[key])

    def give(self, how: How) -> Reading | None:
        """Give what was gathered as one reading at the time of the last, and begin anew; None when nothing was."""
        last = self._last
        if last is None:
            return None
        if self.count > 1:
            means = {key: mean.give() for key, mean in self._means.items()} if how == "mean" else {}
            values = self._values | means
            last = replace(last, values=values, status=tuple(flag for flag in FLAGS if flag in self._status))
        self._begin()
        return last


def is_own(reading: Reading) -> bool:
    """Tell whether a reading has its own capture time, and so is never thinned."""
    return reading.captured is not None


def _gauges(keys: Iterable[str]) -> Iterable[str]:
    return (key for key in keys if key in BY_KEY and BY_KEY[key].kind == "gauge")
