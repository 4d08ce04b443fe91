"""Where homes stand: the zone's weather, weekend and holidays."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from math import cos, tau
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulator.serving import SimulatorError
from simulator.year.dice import Dice

YEAR = 365.25
WARMEST_HOUR = 15


class YearError(SimulatorError):
    """A year that cannot be simulated as asked."""


@dataclass(frozen=True)
class Climate:
    """Weather by the day of the year; temperatures in °C, lengths in hours.

    `mean` and `season` make the year's course, warmest at day `warmest`; `swing` is half of what a day goes up and
    down, `weather` how far single days stray. A day lasts 12 hours and `light` more in summer; `clouds` is the share
    of the sun that the greyest sky keeps away.
    """

    mean: float
    season: float
    swing: float
    weather: float
    light: float
    clouds: float
    warmest: int = 200

    def summer(self, day: date) -> float:
        """Tell the season: 1 at its warmest, -1 at its coldest."""
        return cos(tau * (day.timetuple().tm_yday - self.warmest) / YEAR)

    def day_mean(self, seed: int, day: date) -> float:
        """Give a day's mean temperature; neighbours have the same, and one day is much like the day before."""
        number = day.toordinal()
        stray = sum(_stray(seed, number - back) for back in range(3)) / 3
        return self.mean + self.season * self.summer(day) + 2 * self.weather * stray

    def above(self, hour: float) -> float:
        """Tell how much warmer than the day's mean an hour is."""
        return self.swing * cos(tau * (hour - WARMEST_HOUR) / 24)


@lru_cache(maxsize=4096)
def _stray(seed: int, number: int) -> float:
    return Dice(f"{seed} sky {number}").uniform(-1, 1)


HOT = Climate(mean=27, season=11, swing=6.5, weather=3, light=1.6, clouds=0.3)
"""Hot desert, such as Riyadh: nights of 8 °C in January, afternoons of 45 °C in July."""
COOL = Climate(mean=11, season=7, swing=3.5, weather=4, light=4.2, clouds=0.8)
"""Mild and wet, such as London: a heating season from October to April."""


@dataclass(frozen=True)
class Place:
    """A zone with its customs; `weekend` in days of the week (Monday is 0), `holidays` as (month, day)."""

    zone: ZoneInfo
    climate: Climate = COOL
    weekend: tuple[int, int] = (5, 6)
    ramadan: bool = False
    holidays: tuple[tuple[int, int], ...] = ((1, 1), (12, 25), (12, 26))

    @property
    def hot(self) -> bool:
        """Tell whether homes are cooled rather than heated."""
        return self.climate is HOT


_FRIDAY = (4, 5)
_GULF = {
    "Asia/Riyadh": (_FRIDAY, ((2, 22), (9, 23))),
    "Asia/Kuwait": (_FRIDAY, ((2, 25), (2, 26))),
    "Asia/Qatar": (_FRIDAY, ((12, 18),)),
    "Asia/Bahrain": (_FRIDAY, ((12, 16), (12, 17))),
    "Asia/Muscat": (_FRIDAY, ((11, 18),)),
    "Asia/Dubai": ((5, 6), ((12, 2), (12, 3))),
}


def place_of(zone: str) -> Place:
    """Give the place of a zone: hot around the Gulf, cool everywhere else; raises YearError for no zone."""
    try:
        info = ZoneInfo(zone)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise YearError(f"there is no time zone {zone[:40]!r}; such as Asia/Riyadh or Europe/London") from None
    if zone in _GULF:
        weekend, holidays = _GULF[zone]
        return Place(info, HOT, weekend, ramadan=True, holidays=holidays)
    return Place(info)
