"""Registers for a test: readings an hour apart, judged in turn, and what they add up to."""

from collections.abc import Sequence

from drivers.contract import Number
from gateway.check import Checker, Interval, Limits

KEY = "energy_import_wh"
HOUR = 3_600_000
SHARP = Limits(rating_a=63)


def feed(
    readings: Sequence[tuple[int, Number]], limits: Limits = SHARP, key: str = KEY, checker: Checker | None = None
) -> tuple[list[int], list[Interval]]:
    """Judge readings in turn; give each one's bits and all intervals."""
    checker = checker or Checker()
    bits, intervals = [], []
    for ts, value in readings:
        q, closed = checker.judge("m", ts, {key: value, "voltage_l1_v": 230.1}, (), limits)
        bits.append(q)
        intervals += closed
    return bits, intervals


def hourly(*values: Number, step: int = HOUR) -> list[tuple[int, Number]]:
    """Give values one hour apart."""
    return [(index * step, value) for index, value in enumerate(values)]


def booked(intervals: Sequence[Interval]) -> float:
    """Sum what is known."""
    return round(sum(row.amount for row in intervals if row.amount is not None), 4)
