"""The data of M-Bus records: integers, BCD, floats, dates and texts, least byte first. Bytes in, values out.

A field that is no number of its kind (a BCD digit above 9, a date that does not exist or is marked invalid, a float
that is none) is None: the meter means that it has no value.
"""

import math
import struct
from datetime import date, datetime
from fractions import Fraction

Exact = int | Fraction

_FLOAT_DIGITS = range(6, 10)
"""Significant digits a float of 32 bits may need to be told from its neighbours."""

_CENTURY = 100
_LAST_YEAR = 99
"""Greater two-digit years say "every year" or nothing."""
_YEARS_OF_1900 = 81
"""Two-digit years from here on are of the last century; M-Bus began in 1990, and some clocks were never set."""


def integer(data: bytes) -> int | None:
    """Read a signed integer; the least one there is means that the meter has no value."""
    number = int.from_bytes(data, "little", signed=True)
    return None if number == -1 << 8 * len(data) - 1 else number


def unsigned(data: bytes) -> int:
    """Read bits and counts."""
    return int.from_bytes(data, "little")


def bcd(data: bytes) -> int | None:
    """Read decimal digits, two a byte; an F in the highest place is a minus."""
    digits = data[::-1].hex()
    sign = -1 if digits.startswith("f") else 1
    digits = digits[1:] if sign < 0 else digits
    return sign * int(digits) if digits.isdigit() else None


def real(data: bytes) -> Fraction | None:
    """Read a float of 32 bits as the shortest decimal that is the same float."""
    (number,) = struct.unpack("<f", data)
    if not math.isfinite(number):
        return None
    texts = (f"{number:.{digits}g}" for digits in _FLOAT_DIGITS)
    return next(Fraction(text) for text in texts if struct.pack("<f", float(text)) == data or float(text) == 0)


def text(data: bytes) -> str:
    """Read characters, which stand last first."""
    return data[::-1].decode("latin-1")


def date_g(data: bytes) -> date | None:
    """Read two bytes: day, month, and seven bits of year."""
    day, month = data[0] & 0x1F, data[1] & 0x0F
    return _date(_year(data[0], data[1]), month, day)


def time_f(data: bytes) -> datetime | None:
    """Read four bytes: minute, hour, then a date; local time, whose summer bit is not applied."""
    minute, hour = data[0], data[1]
    if minute & 0x80:
        return None
    century = hour >> 5 & 0x03
    year = _year(data[2], data[3], century)
    return _time(_date(year, data[3] & 0x0F, data[2] & 0x1F), hour & 0x1F, minute & 0x3F, 0)


def time_i(data: bytes) -> datetime | None:
    """Read six bytes: second, minute, hour, a date, and the week."""
    second, minute, hour = data[0] & 0x3F, data[1], data[2] & 0x1F
    if minute & 0x80:
        return None
    return _time(_date(_year(data[3], data[4]), data[4] & 0x0F, data[3] & 0x1F), hour, minute & 0x3F, second)


def clock_j(data: bytes) -> str | None:
    """Read three bytes, second, minute and hour, as `hh:mm:ss`."""
    second, minute, hour = data[0] & 0x3F, data[1] & 0x3F, data[2] & 0x1F
    found = _time(date(2000, 1, 1), hour, minute, second)
    return f"{found:%H:%M:%S}" if found else None


def _year(low: int, high: int, century: int = 0) -> int:
    year = low >> 5 | (high & 0xF0) >> 1
    if year > _LAST_YEAR:
        return 0  # a year no calendar has
    if century:
        return 1900 + _CENTURY * century + year
    return year + (2000 if year < _YEARS_OF_1900 else 1900)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _time(day: date | None, hour: int, minute: int, second: int) -> datetime | None:
    if day is None:
        return None
    try:
        return datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001  the wire has no zone
    except ValueError:
        return None
