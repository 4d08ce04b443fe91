"""Inclusive ranges of sequence numbers: [(first, last), …], ascending and apart from one another."""

from collections.abc import Iterable

Range = tuple[int, int]


def merge(ranges: Iterable[Range]) -> list[Range]:
    """Join ranges that overlap or touch; empty ones (last < first) vanish."""
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if last < first:
            continue
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def runs(numbers: Iterable[int]) -> list[Range]:
    """Give the ranges that hold exactly these numbers."""
    return merge((number, number) for number in numbers)


def gaps(ranges: Iterable[Range], first: int, last: int) -> list[Range]:
    """Give what is left of first … last when `ranges` are taken away."""
    left: list[Range] = []
    for low, high in merge(ranges):
        if low > last:
            break
        if first < low:
            left.append((first, low - 1))
        first = max(first, high + 1)
    if first <= last:
        left.append((first, last))
    return left


def size(ranges: Iterable[Range]) -> int:
    """Count the numbers in ranges that do not overlap."""
    return sum(last - first + 1 for first, last in ranges)
