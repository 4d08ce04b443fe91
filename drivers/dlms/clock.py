"""Date and time of DLMS: twelve bytes in, and back.

1. Every part may be left open (FF, or FFFF for the year); months and days also have numbers for "the last one" and for
   the change of summer time, which are no moment and count as open here.
2. The deviation is what is added to local time to get UTC, in minutes, summer time included; 8000 leaves it open.
3. The status says what the clock knows of itself; FF says nothing.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from drivers.contract import DecodeError

LENGTH = 12
_OPEN, _OPEN_YEAR, _OPEN_DEVIATION = 0xFF, 0xFFFF, -0x8000
_INVALID, _DOUBTFUL, _BAD_CLOCK, _SUMMER = 0x01, 0x02, 0x08, 0x80
_FURTHEST = 720
"""Minutes of the largest deviation."""


@dataclass(frozen=True, slots=True)
class DateTime:
    """A date and time as a meter says it; None for parts left open. `deviation` is UTC minus local time, in minutes."""

    year: int | None
    month: int | None
    day: int | None
    weekday: int | None
    hour: int | None
    minute: int | None
    second: int | None
    hundredths: int | None
    deviation: int | None
    status: int | None

    @property
    def is_doubtful(self) -> bool:
        """Whether the meter says that its clock is wrong, or may be."""
        return self.status is not None and bool(self.status & (_INVALID | _DOUBTFUL | _BAD_CLOCK))

    @property
    def is_summer(self) -> bool | None:
        """Whether summer time is on; None when the meter says nothing of its clock."""
        return None if self.status is None else bool(self.status & _SUMMER)

    @property
    def moment(self) -> datetime | None:
        """The moment, to the second and finer where said; without a zone when the deviation is open, None for none."""
        if self.year is None or self.month is None or self.day is None or self.hour is None or self.minute is None:
            return None
        zone = None if self.deviation is None else timezone(timedelta(minutes=-self.deviation))
        microseconds = (self.hundredths or 0) * 10_000
        try:
            return datetime(
                self.year, self.month, self.day, self.hour, self.minute, self.second or 0, microseconds, zone
            )  # fmt: skip
        except ValueError:  # the 31st of February
            return None

    def utc(self, zone: tzinfo) -> datetime | None:
        """Give the moment in UTC; `zone` is the meter's where it leaves the deviation open.

        The hour that comes twice in autumn is told by the summer time of the status.
        """
        moment = self.moment
        if moment is None:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone, fold=int(self.is_summer is False))
        try:
            return moment.astimezone(UTC)
        except OverflowError:  # before the year 1
            return None


def decode(octets: bytes) -> DateTime:
    """Read twelve bytes; raises DecodeError for parts out of their range."""
    if len(octets) != LENGTH:
        raise DecodeError(f"a time of {len(octets)} bytes is none", "the message is damaged")
    deviation = int.from_bytes(octets[9:11], "big", signed=True)
    year = int.from_bytes(octets[:2], "big")
    month, day, weekday, hour, minute, second, hundredths = (None if part == _OPEN else part for part in octets[2:9])
    told = DateTime(
        None if year == _OPEN_YEAR else year, None if month in _CHANGES else month, None if day in _LAST_DAYS else day,
        weekday, hour, minute, second, hundredths, None if deviation == _OPEN_DEVIATION else deviation,
        None if octets[11] == _OPEN else octets[11],
    )  # fmt: skip
    _check(told)
    return told


_CHANGES = (None, 0xFD, 0xFE)
_LAST_DAYS = (None, 0xFD, 0xFE)


def _check(told: DateTime) -> None:
    bounds = (
        (told.month, 1, 12), (told.day, 1, 31), (told.weekday, 1, 7), (told.hour, 0, 23), (told.minute, 0, 59),
        (told.second, 0, 59), (told.hundredths, 0, 99), (told.deviation, -_FURTHEST, _FURTHEST),
    )  # fmt: skip
    if any(part is not None and not low <= part <= high for part, low, high in bounds):
        raise DecodeError("no such date and time", "the meter's clock is not set, or the message is damaged")


def encode(moment: datetime) -> bytes:
    """Give the bytes of a moment to the second; a naive one leaves the deviation open."""
    offset = moment.utcoffset()
    deviation = _OPEN_DEVIATION if offset is None else -round(offset.total_seconds() / 60)
    parts = (moment.month, moment.day, _OPEN, moment.hour, moment.minute, moment.second, 0)
    return moment.year.to_bytes(2, "big") + bytes(parts) + deviation.to_bytes(2, "big", signed=True) + b"\x00"
