"""Days that follow the moon: Ramadan and the two feasts.

The table is the Umm al-Qura calendar's, as the package hijridate 2.6.0 gives it for the years 1444 to 1458: the first
days of Ramadan and of the feast that ends it, and the feast of sacrifice.
"""

from datetime import date

FEAST_DAYS = 4

_YEARS = """
2023-03-23 2023-04-21 2023-06-28
2024-03-11 2024-04-10 2024-06-16
2025-03-01 2025-03-30 2025-06-06
2026-02-18 2026-03-20 2026-05-27
2027-02-08 2027-03-09 2027-05-16
2028-01-28 2028-02-26 2028-05-05
2029-01-16 2029-02-14 2029-04-24
2030-01-05 2030-02-04 2030-04-13
2030-12-26 2031-01-24 2031-04-02
2031-12-15 2032-01-14 2032-03-22
2032-12-04 2033-01-02 2033-03-11
2033-11-23 2033-12-23 2034-03-01
2034-11-12 2034-12-12 2035-02-18
2035-11-01 2035-12-01 2036-02-07
2036-10-20 2036-11-19 2037-01-26
"""

RAMADANS = tuple(
    (date.fromisoformat(first), date.fromisoformat(feast))
    for first, feast, _ in map(str.split, _YEARS.strip().splitlines())
)
"""First day, and the first day after; in order."""
_FEASTS = frozenset(
    date.fromisoformat(day).toordinal() + n
    for line in _YEARS.strip().splitlines()
    for day in line.split()[1:]
    for n in range(FEAST_DAYS)
)


def in_ramadan(day: date) -> bool:
    """Tell whether a day is in Ramadan; years outside of the table have none."""
    return any(first <= day < feast for first, feast in RAMADANS)


def is_feast(day: date) -> bool:
    """Tell whether a day belongs to one of the two feasts."""
    return day.toordinal() in _FEASTS
