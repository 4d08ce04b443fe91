"""What kind of hour it is where a meter hangs: the local hour, and whether its day is worked, rested or fasted.

1. Habits repeat by the local hour and by the kind of day: work, rest (weekend and holidays), Ramadan.
2. The weekend is the place's own. It is told by the time zone, unless the configuration names its days.
3. Ramadan is taken from the Umm al-Qura calendar, as published ahead; an observed month may begin a day later, which a
   usual value learnt over weeks does not feel.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

Kind = Literal["work", "rest", "ramadan"]
KINDS: tuple[Kind, ...] = ("work", "rest", "ramadan")

HOUR_MS = 3_600_000
_REMEMBERED = 64
"""Hours kept at once: all meters of a gateway are in the same one, late ones a few hours back."""

FRIDAY, SATURDAY, SUNDAY = 4, 5, 6
_FRIDAY_AND_SATURDAY = {
    *("Asia/Riyadh", "Asia/Kuwait", "Asia/Bahrain", "Asia/Qatar", "Asia/Muscat", "Asia/Baghdad", "Asia/Amman"),
    *("Asia/Damascus", "Asia/Aden", "Asia/Dhaka", "Africa/Cairo", "Africa/Khartoum", "Africa/Tripoli"),
    *("Africa/Algiers", "Asia/Gaza", "Asia/Hebron", "Asia/Jerusalem", "Indian/Maldives"),
}
_FASTING = _FRIDAY_AND_SATURDAY - {"Asia/Jerusalem"} | {
    *("Asia/Dubai", "Africa/Tunis", "Africa/Casablanca", "Asia/Karachi", "Asia/Jakarta", "Asia/Kuala_Lumpur"),
    *("Europe/Istanbul", "Asia/Kabul", "Africa/Nouakchott", "Africa/Mogadishu", "Africa/Djibouti", "Asia/Tehran"),
}

_RAMADAN = (
    ("2024-03-11", 30), ("2025-03-01", 29), ("2026-02-18", 30), ("2027-02-08", 29), ("2028-01-28", 29),
    ("2029-01-16", 29), ("2030-01-05", 30), ("2030-12-26", 29), ("2031-12-15", 30), ("2032-12-04", 29),
    ("2033-11-23", 30), ("2034-11-12", 30), ("2035-11-01", 30), ("2036-10-20", 30), ("2037-10-10", 29),
    ("2038-09-30", 29), ("2039-09-19", 30), ("2040-09-07", 30), ("2041-08-28", 29), ("2042-08-17", 29),
    ("2043-08-06", 29), ("2044-07-26", 29), ("2045-07-15", 30), ("2046-07-05", 29), ("2047-06-24", 30),
    ("2048-06-12", 30), ("2049-06-02", 29), ("2050-05-22", 29),
)  # fmt: skip
"""First day and length of each month of Ramadan, Hijri years 1445 to 1472 (Umm al-Qura, computed with hijridate)."""
_FIRSTS = [date.fromisoformat(first) for first, _ in _RAMADAN]


class Place(NamedTuple):
    """Where a moment lies: the local day's ordinal, the hour of that day, what kind of day it is, its weekday."""

    day: int
    hour: int
    kind: Kind
    weekday: int

    @property
    def slot(self) -> int:
        """Number the hour among those of all kinds of day, from 0: 24 a kind."""
        return KINDS.index(self.kind) * 24 + self.hour

    @property
    def week_hour(self) -> int:
        """Number the hour within the week, 0 is Monday's first."""
        return self.weekday * 24 + self.hour


class Calendar:
    """The local calendar of one place; remembers the hours it was just asked for."""

    def __init__(
        self,
        zone: str = "UTC",
        *,
        weekend: Iterable[int] | None = None,
        ramadan: bool | None = None,
        holidays: Iterable[date] = (),
    ) -> None:
        """Take the zone's name; `weekend` holds weekdays (0 is Monday). None asks what is usual in that zone."""
        usual = (FRIDAY, SATURDAY) if zone in _FRIDAY_AND_SATURDAY else (SATURDAY, SUNDAY)
        self.zone = ZoneInfo(zone)
        self.weekend = frozenset(usual if weekend is None else weekend)
        self.ramadan = zone in _FASTING if ramadan is None else ramadan
        self.holidays = frozenset(holidays)
        self._known: dict[int, Place] = {}

    def place(self, moment: int) -> Place:
        """Say where a moment (UTC ms) lies; that of its quarter of an hour, which no change of clocks cuts."""
        quarter = moment // 900_000
        found = self._known.get(quarter)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[quarter] = self._look(quarter * 900)
        return found

    def _look(self, seconds: int) -> Place:
        local = datetime.fromtimestamp(seconds, self.zone)
        day = local.date()
        return Place(day.toordinal(), local.hour, self.kind(day), day.weekday())

    def kind(self, day: date) -> Kind:
        """Say what kind of day a local date is."""
        if self.ramadan and is_ramadan(day):
            return "ramadan"
        return "rest" if day.weekday() in self.weekend or day in self.holidays else "work"


def is_ramadan(day: date) -> bool:
    """Whether this date lies in the month of fasting; False beyond the years that are known."""
    n = bisect_right(_FIRSTS, day) - 1
    return n >= 0 and day < _FIRSTS[n] + timedelta(days=_RAMADAN[n][1])
