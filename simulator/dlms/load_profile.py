"""A load profile: rows of what the meter showed at each end of a capture period, read whole, by time, by number.

Rows are not kept: each is made from its moment when it is asked for, so the profile is as true as the home.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from drivers.dlms.axdr import Data
from drivers.dlms.objects import Access, Descriptor, Result, Selector
from simulator.dlms.cosem import (
    OUT_OF_SCOPE,
    PROFILE,
    Cosem,
    always,
    array,
    enum,
    int8,
    octets,
    structure,
    uint16,
    uint32,
    when_asked,
)
from simulator.dlms.moments import unix_time

_FIRST_IN_FIRST_OUT = 1


@dataclass(frozen=True, slots=True)
class LoadProfile:
    """Rows of `columns`, one a `period` (seconds), the last `capacity` of them; `row` gives one at a unix time."""

    obis: bytes
    columns: Sequence[Descriptor]
    row: Callable[[float], Sequence[Data]]
    now: Callable[[], float]
    zone: ZoneInfo
    period: int = 900
    capacity: int = 960

    def object(self) -> Cosem:
        """Give it as an object of the meter; its clock is the column it is sorted by."""
        columns = [structure(uint16(c.class_id), octets(c.obis), int8(c.index), uint16(0)) for c in self.columns]
        attributes = {
            2: self._buffer,
            3: always(array(columns)),
            4: always(uint32(self.period)),
            5: always(enum(_FIRST_IN_FIRST_OUT)),
            6: always(columns[0]),
            7: when_asked(lambda: uint32(len(self._moments()))),
            8: always(uint32(self.capacity)),
        }
        return Cosem(PROFILE, self.obis, attributes, version=1)

    def _moments(self) -> range:
        """Give the times of the rows there are, the oldest first."""
        last = int(self.now()) // self.period * self.period
        return range(last - (self.capacity - 1) * self.period, last + 1, self.period)

    def _buffer(self, access: Access | None) -> Result:
        if access is None:
            return self._rows(self._moments())
        members = access.parameter.elements
        if len(members) != 4:  # noqa: PLR2004  both ways have four parameters
            return OUT_OF_SCOPE
        if access.selector == Selector.RANGE:
            return self._by_range(members)
        return self._by_entry(members) if access.selector == Selector.ENTRY else OUT_OF_SCOPE

    def _by_range(self, members: Sequence[Data]) -> Result:
        """Choose by time, both ends included; the fourth parameter, chosen columns, is empty for all of them."""
        bounds = [unix_time(member.content, self.zone) for member in members[1:3] if isinstance(member.content, bytes)]
        chosen = members[0].elements
        by_clock = len(chosen) > 1 and chosen[1].content == self.columns[0].obis
        if len(bounds) != 2 or None in bounds or not by_clock or members[3].elements:  # noqa: PLR2004  from and to
            return OUT_OF_SCOPE
        first, last = (bound or 0.0 for bound in bounds)
        return self._rows([moment for moment in self._moments() if first <= moment <= last])

    def _by_entry(self, members: Sequence[Data]) -> Result:
        """Choose by number, 1 being the oldest row and the first column; 0 as the end is the last there is."""
        numbers = [member.content for member in members if isinstance(member.content, int)]
        if len(numbers) != 4 or not numbers[0] or not numbers[2]:  # noqa: PLR2004  rows from and to, columns from and to
            return OUT_OF_SCOPE
        first, last, first_column, last_column = numbers
        moments = self._moments()
        return self._rows(moments[first - 1 : last or None], slice(first_column - 1, last_column or None))

    def _rows(self, moments: Sequence[int], columns: slice = slice(None)) -> Data:
        return array(structure(*self.row(moment)[columns]) for moment in moments)
