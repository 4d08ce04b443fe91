"""What kind of hour it is: weekends by zone, Ramadan, holidays, and days on which clocks change."""

from datetime import UTC, date, datetime

import pytest

from gateway.alerts.calendar import Calendar, Place, is_ramadan

HOUR = 3_600_000


def ms(text: str) -> int:
    """Read a time as UTC ms."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "day", "kind"),
    [
        ("Asia/Riyadh", "2026-11-20", "rest"),  # a Friday
        ("Asia/Riyadh", "2026-11-22", "work"),  # a Sunday
        ("Asia/Dubai", "2026-11-20", "work"),  # the Emirates rest with the world
        ("Asia/Dubai", "2026-11-22", "rest"),
        ("Europe/Berlin", "2026-11-20", "work"),
        ("Europe/Berlin", "2026-11-21", "rest"),
        ("UTC", "2026-11-22", "rest"),
    ],
)
def test_the_weekend_is_the_places_own(zone: str, day: str, kind: str) -> None:
    """Friday and Saturday, or Saturday and Sunday."""
    assert Calendar(zone).kind(date.fromisoformat(day)) == kind


def test_a_configured_weekend_and_holidays_are_obeyed() -> None:
    """Whatever the zone says."""
    calendar = Calendar("Asia/Riyadh", weekend=[6], holidays=[date(2026, 9, 23)])
    days = [calendar.kind(date(2026, 9, day)) for day in (18, 19, 20, 23, 24)]
    assert days == ["work", "work", "rest", "rest", "work"]


@pytest.mark.parametrize(
    ("day", "fasted"),
    [
        ("2026-02-17", False), ("2026-02-18", True), ("2026-03-19", True), ("2026-03-20", False),
        ("2025-03-01", True), ("2025-03-29", True), ("2025-03-30", False), ("2023-04-01", False),
        ("2030-01-05", True), ("2030-12-26", True), ("2090-01-01", False),
    ],
)  # fmt: skip
def test_ramadan_is_known_ahead(day: str, fasted: bool) -> None:
    """First and last day, the year that has two, and years beyond what is known."""
    assert is_ramadan(date.fromisoformat(day)) is fasted


def test_ramadan_counts_where_it_is_kept() -> None:
    """And where the configuration says so; a Friday in it is a day of fasting too."""
    friday = date(2026, 2, 20)
    assert Calendar("Asia/Riyadh").kind(friday) == "ramadan"
    assert Calendar("Europe/Berlin").kind(friday) == "work"
    assert Calendar("Europe/Berlin", ramadan=True).kind(friday) == "ramadan"
    assert Calendar("Asia/Riyadh", ramadan=False).kind(friday) == "rest"


def test_hours_are_local() -> None:
    """Nine in the evening in UTC is the next day's first hour in Riyadh; half past five zones have their own."""
    assert Calendar("Asia/Riyadh").place(ms("2026-11-21T21:00")) == Place(date(2026, 11, 22).toordinal(), 0, "work", 6)
    assert Calendar("Asia/Kolkata").place(ms("2026-11-21T18:30")).hour == 0


@pytest.mark.parametrize(("day", "hours"), [("2027-03-28", 23), ("2027-10-31", 25), ("2027-06-01", 24)])
def test_days_on_which_clocks_change_keep_their_hours(day: str, hours: int) -> None:
    """A day of 23 or 25 hours, each with its own place; the doubled hour is twice the same."""
    calendar = Calendar("Europe/Berlin")
    first = ms(f"{day}T00:00") - 2 * HOUR
    places = [calendar.place(first + n * HOUR) for n in range(-2, 30)]
    of_day = [place for place in places if place.day == date.fromisoformat(day).toordinal()]
    assert len(of_day) == hours
    assert [place.hour for place in of_day] == sorted(place.hour for place in of_day)


def test_slots_and_hours_of_the_week_are_numbered() -> None:
    """24 a kind of day; the week begins with Monday's first hour."""
    place = Calendar("Asia/Riyadh").place(ms("2026-11-20T04:00"))
    assert (place.slot, place.week_hour) == (24 + 7, 4 * 24 + 7)
    assert Calendar("Asia/Riyadh").place(ms("2026-02-20T04:00")).slot == 48 + 7


def test_it_remembers_a_few_hours_only() -> None:
    """A year asked hour by hour is answered as one asked anew, and memory stays small."""
    calendar = Calendar("Asia/Riyadh")
    moments = [ms("2026-01-01T00:00") + n * HOUR for n in range(2000)]
    answers = [calendar.place(moment) for moment in moments]
    assert answers[::100] == [Calendar("Asia/Riyadh").place(moment) for moment in moments[::100]]
    assert len(calendar._known) <= 64
