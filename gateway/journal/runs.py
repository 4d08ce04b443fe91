"""Sets of sequence numbers as runs, `1000-1003,1007`: short in the file, exact in the ledger, of any size."""

from collections.abc import Iterable

Run = tuple[int, int]


def runs_of(numbers: Iterable[int]) -> list[Run]:
    """Join ascending numbers into (first, last) runs."""
    runs: list[Run] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def to_text(runs: Iterable[Run]) -> str:
    """Write runs down; text, because SQLite's integers end at 2^63."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def from_text(text: str) -> list[Run]:
    """Read runs back; raises ValueError when the text was damaged."""
    runs = []
    for part in text.split(",") if text else []:
        first, dash, last = part.partition("-")
        runs.append((int(first), int(last) if dash else int(first)))
    if any(first > last for first, last in runs):
        raise ValueError("runs are not ascending")
    return runs


def touches(text: str, first: int, last: int) -> bool:
    """Whether a text names any number of first … last; not when it was damaged."""
    try:
        return any(low <= last and first <= high for low, high in from_text(text))
    except ValueError:
        return False


def count_of(text: str) -> int:
    """How many numbers a text names; 0 when it was damaged."""
    try:
        return sum(last - first + 1 for first, last in from_text(text))
    except ValueError:
        return 0
