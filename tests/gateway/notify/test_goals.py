"""Goals and days without a leak: told when they are true, and once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.alerts.event import AlertEvent, alert_id
from gateway.check.slots import days_before
from gateway.hubdb import HubDatabase
from gateway.notify.digest import Digest, Met, Use
from gateway.notify.digest_words import words_of
from gateway.notify.goals import Goal, goals_of, met_by, set_goal, streak_of

RIYADH = ZoneInfo("Asia/Riyadh")
UNTIL = round(datetime(2026, 11, 22, tzinfo=RIYADH).timestamp() * 1000)
WATER = Use("Garden", "water_volume_l", 2_900.0, 3_000.0, whole=True)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[HubDatabase]:
    """Give a hub database."""
    database = HubDatabase(tmp_path / "hub.sqlite")
    await database.open()
    yield database
    await database.close()


def leak(*, days_ago: int, state: str = "cleared", rule: str = "water_leak") -> AlertEvent:
    """Make a leak that ended, or was raised, so many days ago."""
    at = days_before(UNTIL, RIYADH, days_ago) + 3_600_000
    return AlertEvent(
        id=alert_id(rule, "m", at), seq=1, rule=rule, meter="m", state="raised" if state == "raised" else "cleared",
        severity="warning", raised=at, at=at, cleared=None if state == "raised" else at,
    )  # fmt: skip


def days(count: int, *, gap: int | None = None) -> dict[int, bool]:
    """Make so many days that were measured whole; but for the `gap`, counted back from the end."""
    return {days_before(UNTIL, RIYADH, n): n != gap for n in range(1, count + 1)}


async def test_goals_are_kept_by_meter(hub: HubDatabase) -> None:
    """The newest holds, nothing takes it away, and those of another customer are theirs."""
    for amount in (5.0, 7.0):
        await hub.file.write(lambda c, n=amount: set_goal(c, "home", Goal("a", n), 1))  # type: ignore[misc]
    await hub.file.write(lambda c: set_goal(c, "other", Goal("a", 9.0), 1))
    assert await hub.file.read(lambda c: goals_of(c, "home")) == [Goal("a", 7.0)]
    await hub.file.write(lambda c: set_goal(c, "home", Goal("a", 0.0), 2))
    assert await hub.file.read(lambda c: goals_of(c, "home")) == []


@pytest.mark.parametrize(
    ("use", "goal", "rule", "away", "met"),
    [
        (WATER, 3_000.0, "water_leak", False, True),
        (WATER, 2_900.0, "water_leak", False, True),
        (WATER, 2_899.0, "water_leak", False, False),
        (replace(WATER, whole=False), 3_000.0, "water_leak", False, False),
        (replace(WATER, amount=0.0), 3_000.0, "water_leak", False, False),
        (WATER, 3_000.0, "meter_offline", False, False),
        (WATER, 3_000.0, "zero_consumption", False, False),
        (WATER, 3_000.0, "water_leak", True, False),
    ],
)
def test_a_goal_comes_true_by_use_alone(use: Use, goal: float, rule: str, met: bool, *, away: bool) -> None:
    """Neither a gap, nor a stuck meter, nor an empty home is an achievement."""
    expected = (Met("Garden", "water_volume_l", use.amount, goal),) if met else ()
    assert met_by([use], {"Garden": goal}, [leak(days_ago=3, rule=rule)], away=away) == expected
    assert met_by([use], {"Kitchen": goal}, [], away=away) == ()


@pytest.mark.parametrize(
    ("known", "leaks", "told"),
    [
        (days(29), [], 0),
        (days(30), [], 30),
        (days(36), [], 30),
        (days(37), [], 0),
        (days(63), [], 60),
        (days(90, gap=31), [], 30),
        (days(90, gap=3), [], 0),
        (days(90), [leak(days_ago=33)], 30),
        (days(90), [leak(days_ago=20)], 0),
        (days(32), [leak(days_ago=5, state="raised")], 0),
        ({}, [], 0),
    ],
)
def test_days_without_a_leak_are_told_once_a_month(known: dict[int, bool], leaks: list[AlertEvent], told: int) -> None:
    """In the week in which a multiple of thirty is reached, of days that were measured whole."""
    assert streak_of(known, leaks, UNTIL, RIYADH) == told


def test_both_are_said_in_the_digest() -> None:
    """In the reader's language, with the numbers."""
    goal = Met("Garden", "water_volume_l", 2_900.0, 3_000.0)
    digest = Digest(UNTIL - 7 * 86_400_000, UNTIL, uses=(WATER,), met=(goal,), calm=60)
    now = datetime(2026, 11, 22, 9, tzinfo=RIYADH)
    said = words_of(digest, "en", now, "").text.translate({0x2068: None, 0x2069: None})
    assert "Goal met at Garden: 2.9 m³, where 3 m³ was your goal. Well done!" in said
    assert "60 days without a leak. Well done!" in said
    assert "تحقق هدفك" in words_of(digest, "ar", now, "").text
    assert Digest.from_dict(digest.to_dict()) == digest
