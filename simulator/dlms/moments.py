"""Date and time as twelve bytes of DLMS, for a meter with a clock of its own zone.

The bytes: year (two), month, day, weekday (Monday is 1), hour, minute, second, hundredths, minutes from local time to
UTC (two, signed; 8000 is unknown), status. FF stands for what is left open.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_OPEN, _OPEN_DEVIATION, _OPEN_YEAR = 0xFF, -0x8000, 0xFFFF
_SUMMER = 0x80


def date_time(time: float, zone: ZoneInfo) -> bytes:
    """Write a unix time as the meter's clock shows it."""
    local = datetime.fromtimestamp(int(time), zone)
    away = local.utcoffset() or timedelta()
    return (
        local.year.to_bytes(2, "big")
        + bytes((local.month, local.day, local.isoweekday(), local.hour, local.minute, local.second, 0))
        + (-int(away.total_seconds()) // 60).to_bytes(2, "big", signed=True)
        + bytes((_SUMMER if local.dst() else 0,))
    )


def unix_time(octets: bytes, zone: ZoneInfo) -> float | None:
    """Read a moment; None when it is none, or leaves its day open."""
    if len(octets) != 12:  # noqa: PLR2004  as above
        return None
    year, deviation = int.from_bytes(octets[:2], "big"), int.from_bytes(octets[9:11], "big", signed=True)
    hour, minute, second = (0 if octet == _OPEN else octet for octet in octets[5:8])
    try:
        naive = datetime(year, octets[2], octets[3], hour, minute, second)  # noqa: DTZ001  its zone follows
        if deviation == _OPEN_DEVIATION:
            return naive.replace(tzinfo=zone).timestamp()
        return (naive.replace(tzinfo=UTC) + timedelta(minutes=deviation)).timestamp()
    except (ValueError, OverflowError):
        return None
