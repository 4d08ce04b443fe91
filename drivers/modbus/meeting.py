"""What the driver knows of one meter since it connected: its plan, what it refuses, and whether its values make sense.

1. The first values must be such as a meter says (plausible.py). Until some value has spoken for the order of words that
   the profile gives, every reading is looked at; afterwards none.
2. Rows the meter refused are left out of the plan from then on. When it has refused them all, it is asked for the first
   one again at each turn, for it may have been starting.
"""

from collections.abc import Mapping, Sequence

from drivers.contract import Number, Refused
from drivers.modbus import plausible
from drivers.modbus.layout import Order, Page
from drivers.modbus.plan import Wire
from drivers.modbus.table import Lessons, Table


class Meeting:
    """One meter on one wire; `pages` is what to ask next, `proven` says that its values may be trusted."""

    def __init__(self, table: Table, wire: Wire) -> None:
        self.table = table
        self.pages = table.pages(wire)
        self.proven = False
        self.refusal: Refused | None = None
        self._wire = wire
        self._lessons = Lessons()
        self._known = 0

    def judge(self, answers: Sequence[tuple[Page, bytes]]) -> None:
        """Hold a reading against what meters say; raises DecodeError."""

        def read(order: Order) -> Mapping[str, Number]:
            values: dict[str, Number] = {}
            for page, payload in answers:
                values |= self.table.reordered(page, order).decode(payload)
            return values

        self.proven = plausible.judge(self.table.order, read)

    def miss(self, page: Page, refusal: Refused) -> None:
        """Remember that the meter has no such row, and how it said so."""
        self._lessons.missing.update(page.rows)
        self.refusal = refusal

    def cut(self, later: Page) -> None:
        """Remember that both halves of a request are answered, though the whole is not."""
        self._lessons.cuts.add((later.read.function, later.read.start))

    def learned(self, *, answered: bool) -> None:
        """Plan anew after a reading that taught something."""
        if len(self._lessons.missing) < len(self.table.rows):
            if len(self._lessons) != self._known:
                self._known = len(self._lessons)
                self.pages = self.table.pages(self._wire, self._lessons)
        elif answered:  # the one row that was asked again: there are registers now
            self._lessons, self._known = Lessons(), 0
            self.pages = self.table.pages(self._wire)
        else:
            self.pages = self.table.pages(self._wire, self._lessons.all_but(self.table.rows[0]))
