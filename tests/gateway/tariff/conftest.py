"""What tests of tariffs need: plans of the shipped files, and states filled by the hour."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from gateway.tariff import BillState, Plan, add, begin, load

Moment = Callable[[str, str], int]
Used = Callable[..., BillState]


@pytest.fixture(scope="session")
def at() -> Moment:
    """Give a callable that turns a local time and a zone into UTC ms."""

    def moment(text: str, zone: str) -> int:
        return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)

    return moment


@pytest.fixture(scope="session")
def plan() -> Callable[..., Plan]:
    """Give a callable that makes a plan of a shipped tariff, by default for one dwelling behind 63 A."""

    def make(name: str, units: int = 1, breaker: int | None = 63) -> Plan:
        return Plan(load(name), units, None if breaker is None else Decimal(breaker))

    return make


@pytest.fixture(scope="session")
def used(at: Moment) -> Used:
    """Give a callable that opens a period and uses so many units evenly between two local times."""

    def fill(plan: Plan, units: float | str, since: str, until: str) -> BillState:
        start, end = (at(text, plan.tariff.zone) for text in (since, until))
        state, closed = add(plan, begin(plan, start), start, end, Decimal(units) * 1000)
        assert closed == ()
        return state

    return fill
