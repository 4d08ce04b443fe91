"""Covers a meter's registers by the requests that take the least time on the wire. Pure arithmetic on addresses.

1. `Wire.time_of` says what one request costs: its bytes and the answer's, the meter's thinking, the silence between.
2. A row is read whole. A request may read along what lies between rows where that is cheaper than another request, but
   never a forbidden register, never across a cut, and never more than the meter's limit.
3. Rows sorted by their start are cut into runs, each run one request. Some plan of this kind is always among the best:
   where two requests take turns in reading rows, the one that ends later can take over the other's later rows, or has
   nothing of its own between them. So one pass over the last rows of runs finds the least time.

Each table (function 3, function 4) is planned by itself, since no request reads both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Bytes of a request (unit, function, address, count, CRC), and of an answer around its registers.
_REQUEST, _AROUND = 8, 5


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Registers `start` to `end - 1`."""

    start: int
    end: int

    def meets(self, other: "Span") -> bool:
        """Tell whether both have a register in common."""
        return self.start < other.end and other.start < self.end

    def within(self, other: "Span") -> bool:
        """Tell whether `other` holds all of this."""
        return other.start <= self.start and self.end <= other.end

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Wire:
    """What time costs on a line: seconds a character takes, and seconds a meter thinks before it answers."""

    character: float
    turnaround: float = 0.02

    @property
    def gap(self) -> float:
        """Seconds of silence before a request: 3.5 characters, but at least 1.75 ms."""
        return max(3.5 * self.character, 0.00175)

    def time_of(self, registers: int) -> float:
        """Give the seconds from the silence before a request to the last byte of its answer."""
        return self.gap + (_REQUEST + _AROUND + 2 * registers) * self.character + self.turnaround


@dataclass(frozen=True, slots=True)
class Limits:
    """What a meter lets be read at once: so many registers, no forbidden one along with others, nothing across a cut.

    A cut at 40 lets 39 and 40 be read in two requests only.
    """

    registers: int
    forbidden: Sequence[Span] = ()
    cuts: frozenset[int] = frozenset()

    def allow(self, span: Span) -> bool:
        """Tell whether one request may read the span."""
        return (
            len(span) <= self.registers
            and not any(span.meets(gone) for gone in self.forbidden)
            and not any(span.start < cut < span.end for cut in self.cuts)
        )


def cover(rows: Iterable[Span], limits: Limits, wire: Wire) -> list[Span]:
    """Give the spans, in order, that read all rows in the least time.

    A row that breaks a limit by itself stands alone, and what lies within it is read with it.
    """
    ordered = sorted(set(rows))
    alone = _outermost([row for row in ordered if not limits.allow(row)])
    others = [row for row in ordered if not any(row.within(big) for big in alone)]
    return sorted({*alone, *_least(others, limits, wire)})


def _outermost(rows: Sequence[Span]) -> list[Span]:
    return [row for row in rows if not any(row.within(other) and row != other for other in rows)]


def _least(rows: Sequence[Span], limits: Limits, wire: Wire) -> Iterable[Span]:
    best = [(0.0, Span(0, 0))]  # for the first n rows: the least time, and the last request of that plan
    begins = [0]
    for last in range(len(rows)):
        time, first, span = min(_runs_to(last, rows, best, limits, wire))
        best.append((time, span))
        begins.append(first)
    end = len(rows)
    while end:
        yield best[end][1]
        end = begins[end]


def _runs_to(
    last: int, rows: Sequence[Span], best: Sequence[tuple[float, Span]], limits: Limits, wire: Wire
) -> Iterable[tuple[float, int, Span]]:
    """Give the whole time of each plan whose last request reads rows `first` to `last`."""
    end = 0
    for first in range(last, -1, -1):
        end = max(end, rows[first].end)
        span = Span(rows[first].start, end)
        if not limits.allow(span):
            return  # a longer one breaks the same limit
        yield best[first][0] + wire.time_of(len(span)), first, span
