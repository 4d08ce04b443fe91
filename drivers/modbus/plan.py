"""Merges a meter's registers into few requests. Pure arithmetic on addresses.

1. Rows are sorted by address; a request grows while the next row still fits below the meter's limit.
2. A hole between two rows is read along when that costs less time on the wire than a request of its own.
3. A hole that touches a forbidden range always ends the request, since some meters refuse the whole of it then.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# What a further request costs on a serial line, in characters: its own 8, the 5 around the answer's registers, twice
# the 3.5 of silence, and about 20 ms in which the meter thinks, which are 20 characters at 9600 baud.
_REQUEST = 8 + 5 + 7 + 20

BRIDGE = _REQUEST // 2
"""Holes of up to this many registers (two characters each) are cheaper to read along. On TCP it hardly matters."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Registers `start` to `end - 1`."""

    start: int
    end: int

    def meets(self, other: "Span") -> bool:
        """Tell whether both have a register in common."""
        return self.start < other.end and other.start < self.end


def merge(rows: Iterable[Span], limit: int, forbidden: Sequence[Span] = ()) -> list[Span]:
    """Cover all rows by few spans of at most `limit` registers, no row torn, no forbidden hole read along."""
    spans: list[Span] = []
    for row in sorted(rows):
        grown = Span(spans[-1].start, max(spans[-1].end, row.end)) if spans else row
        if spans and _worth_it(spans[-1], row, grown, limit, forbidden):
            spans[-1] = grown
        else:
            spans.append(row)
    return spans


def _worth_it(span: Span, row: Span, grown: Span, limit: int, forbidden: Sequence[Span]) -> bool:
    hole = Span(span.end, max(span.end, row.start))
    return (
        grown.end - grown.start <= limit
        and hole.end - hole.start <= BRIDGE
        and not any(hole.meets(range_) for range_ in forbidden)
    )
