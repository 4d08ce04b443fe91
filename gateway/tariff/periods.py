"""Billing periods and days in local time: from one local midnight to another, whatever the clocks do between."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gateway.tariff.model import EveryDays, Monthly, Plan


def period_of(plan: Plan, at: int) -> tuple[int, int]:
    """Give the billing period around `at`, from and to, UTC ms."""
    billing = plan.tariff.billing
    day = local_date(at, plan.zone)
    first, after = _monthly(billing, day) if isinstance(billing, Monthly) else _counted(billing, day)
    return midnight(first, plan.zone), midnight(after, plan.zone)


def validity_of(plan: Plan) -> tuple[int, int]:
    """Give the time in which the tariff holds, from and to, UTC ms; its last day is part of it."""
    tariff = plan.tariff
    return midnight(tariff.valid_from, plan.zone), midnight(tariff.valid_until + timedelta(days=1), plan.zone)


def local_date(at: int, zone: ZoneInfo) -> date:
    """Give the local day of a moment in UTC ms."""
    return datetime.fromtimestamp(at / 1000, zone).date()


def midnight(day: date, zone: ZoneInfo) -> int:
    """Give the moment a local day begins, UTC ms; where clocks skip midnight, the moment they skip it."""
    return round(datetime.combine(day, time(), zone).astimezone(UTC).timestamp() * 1000)


def _monthly(billing: Monthly, day: date) -> tuple[date, date]:
    begin = _billing_day(billing, day.year, day.month)
    if day < begin:
        before = day.replace(day=1) - timedelta(days=1)
        return _billing_day(billing, before.year, before.month), begin
    after = day.replace(day=28) + timedelta(days=4)  # always in the next month
    return begin, _billing_day(billing, after.year, after.month)


def _billing_day(billing: Monthly, year: int, month: int) -> date:
    return date(year, month, min(billing.day, monthrange(year, month)[1]))


def _counted(billing: EveryDays, day: date) -> tuple[date, date]:
    first = day - timedelta(days=(day - billing.first).days % billing.days)
    return first, first + timedelta(days=billing.days)
