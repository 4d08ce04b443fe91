"""When it is night where the meter is: local hours as UTC, through every change of the clocks."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_DAY = 86400.0


def nights(zone: ZoneInfo, begins: float, ends: float) -> Callable[[int], tuple[int, int]]:
    """Make the function that gives begin and end (UTC ms) of the first night that ends after a moment (UTC ms).

    `begins` and `ends` are seconds after local midnight; a night that begins later than it ends begins the day before.
    """

    def at(day: datetime, seconds: float) -> int:
        wall = day + timedelta(seconds=seconds)  # on the wall clock, so that 05:00 is 05:00 on every day
        return round(wall.replace(tzinfo=zone).timestamp() * 1000)

    def night_of(moment: int) -> tuple[int, int]:
        day = datetime.fromtimestamp(moment / 1000, zone).replace(
            tzinfo=None, hour=0, minute=0, second=0, microsecond=0
        )
        while at(day, ends) <= moment:
            day += timedelta(days=1)
        return at(day, begins - _DAY if begins > ends else begins), at(day, ends)

    return night_of
