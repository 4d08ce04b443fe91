"""A meter's whole table: what its profile says, the requests that read it, and what a meter taught us about itself.

1. `Table` is what a profile compiles to. `pages` plans the requests for a wire, each table (function) by itself.
2. Meters differ from their profile by firmware: some refuse a request because one register in it does not exist. Then
   the request is halved until the row that is refused stands alone; `Lessons` keeps what came out, and the next plan
   avoids it. Where both halves answer and the whole did not, the whole is never asked again: a cut.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from drivers.contract import Number
from drivers.modbus.codec import MAX_REGISTERS, Read
from drivers.modbus.layout import HOLDING, INPUT, Order, Page, Row, Status, compile_page
from drivers.modbus.nameplate import Nameplate
from drivers.modbus.plan import Limits, Span, Wire, cover


@dataclass(slots=True)
class Lessons:
    """What one meter taught: rows it refuses, and (function, address) that must begin a request."""

    missing: set[Row | Status] = field(default_factory=set)
    cuts: set[tuple[int, int]] = field(default_factory=set)

    def all_but(self, row: Row | Status) -> "Lessons":
        """Give the same lessons with one more try for a row."""
        return Lessons(self.missing - {row}, self.cuts)

    def __len__(self) -> int:
        return len(self.missing) + len(self.cuts)


@dataclass(frozen=True, slots=True)
class Table:
    """All rows of a meter model, and what it lets be read at once."""

    rows: tuple[Row | Status, ...]
    order: Order = "ABCD"
    max_registers: int = MAX_REGISTERS
    forbidden: tuple[Span, ...] = ()
    nameplate: tuple[Nameplate, ...] = ()
    # What was compiled once serves every meter of this model: a plan a wire, a page an order of words.
    _plans: dict[Wire, tuple[Page, ...]] = field(default_factory=dict, compare=False, repr=False)
    _reordered: dict[tuple[Read, Order], Page] = field(default_factory=dict, compare=False, repr=False)

    def pages(self, wire: Wire, lessons: Lessons | None = None) -> tuple[Page, ...]:
        """Plan the requests that take the least time on a wire, and compile how their answers are read."""
        if lessons:
            return self._plan(wire, lessons)
        if wire not in self._plans:
            self._plans[wire] = self._plan(wire, Lessons())
        return self._plans[wire]

    def _plan(self, wire: Wire, lessons: Lessons) -> tuple[Page, ...]:
        pages: list[Page] = []
        for function in (HOLDING, INPUT):
            rows = [row for row in self.rows if row.table == function and row not in lessons.missing]
            gone = [row.span for row in lessons.missing if row.table == function]
            cuts = frozenset(at for table, at in lessons.cuts if table == function)
            limits = Limits(self.max_registers, (*self.forbidden, *gone), cuts)
            for span in cover([row.span for row in rows], limits, wire):
                inside = [row for row in rows if row.span.within(span)]
                pages.append(compile_page(Read(function, span.start, len(span)), inside, self.order))
                rows = [row for row in rows if row not in inside]
        return tuple(pages)

    def halves(self, page: Page) -> tuple[Page, Page] | None:
        """Cut a refused request in two; None when it asks for one row alone."""
        middle = len(page.rows) // 2
        return (self._page(page, page.rows[:middle]), self._page(page, page.rows[middle:])) if middle else None

    def reordered(self, page: Page, order: Order) -> Page:
        """Read a request's answer as another order of words and bytes would have it."""
        made = self._reordered.get((page.read, order))
        if made is None or made.rows != page.rows:
            made = self._reordered[page.read, order] = compile_page(page.read, page.rows, order)
        return made

    def decode(self, registers: Mapping[int, bytes], wire: Wire) -> dict[str, Number]:
        """Read values from registers given as bytes, those not given as zero."""
        values: dict[str, Number] = {}
        for page in self.pages(wire):
            places = range(page.read.start, page.read.start + page.read.count)
            values |= page.decode(b"".join(registers.get(at, b"\0\0") for at in places))
        return values

    def _page(self, page: Page, rows: tuple[Row | Status, ...]) -> Page:
        start, end = min(row.span.start for row in rows), max(row.span.end for row in rows)
        return compile_page(Read(page.read.function, start, end - start), rows, self.order)
