"""A meter that pushes: its next notification, opened with its keys and read by its model."""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from drivers.contract import DecodeError, DriverError, Meter, NoAnswer, Reading, Refused
from drivers.dlms import clock
from drivers.dlms.apdu import Apdu
from drivers.dlms.entries import entries
from drivers.dlms.measured import of_entries
from drivers.dlms.notices import DataNotification
from drivers.dlms.push import Opener
from drivers.dlms.security import Received, Unproven
from drivers.pushed import PushedPort

if TYPE_CHECKING:
    from drivers.dlms.layout import Layout

SILENCE = 90.0
"""Seconds: the slowest meters push each minute. A longer deadline of the meter counts instead: some push each hour."""


class Listening:
    """One meter's pushes on one wire."""

    def __init__(self, meter: Meter, pushed: PushedPort[Apdu], received: Received) -> None:
        self.meter = meter
        self.pushed = pushed
        self.left_out: Counter[str] = Counter()
        self._opener = Opener(meter.keys, received)
        self._seen = 0
        self._refused: DecodeError | None = None

    @property
    def counters(self) -> Counter[str]:
        """What was of no use, by reason."""
        return self.left_out + self._opener.counters

    async def next(self) -> Reading:
        """Await what the meter pushes next; raises NoAnswer, NotConnected, and Refused for keys that do not fit."""
        silence = max(self.meter.deadline, SILENCE)
        try:
            async with asyncio.timeout(silence):
                while True:
                    self._seen, at, apdu = await self.pushed.after(self._seen)
                    reading = self._read(at, apdu)
                    if reading is not None:
                        return reading
        except TimeoutError:
            raise self._silent(silence) from None

    def _read(self, at: int, apdu: Apdu) -> Reading | None:
        try:
            notification = self._opener.open(apdu)
        except DecodeError as error:
            self._refused = error
            return None
        if not isinstance(notification, DataNotification):
            return None
        self._refused = None
        layout: Layout = self.meter.profile.layout
        said = of_entries(layout.registers, layout.lists, entries(notification.body))
        self.left_out += said.left_out
        return Reading(self.meter.id, at, said.values, meter_time=_time(notification)) if said.values else None

    def _silent(self, silence: float) -> DriverError:
        if isinstance(self._refused, Unproven):
            return Refused(self._refused.what, self._refused.hint, meter=self.meter.id)
        if self._seen:
            return NoAnswer(f"nothing of the profile's rows within {silence:g} s", "does the profile fit?")
        return NoAnswer(f"no push within {silence:g} s", "is the meter's port opened by the operator, and wired right?")


def _time(notification: DataNotification) -> int | None:
    """Give the meter's clock in UTC ms, where it says how far it is from UTC."""
    if not notification.at:
        return None
    try:
        moment = clock.decode(notification.at).moment
    except DecodeError:
        return None
    return round(moment.timestamp() * 1000) if moment and moment.tzinfo else None
