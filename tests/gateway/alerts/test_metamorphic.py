"""What must not change the alerts of all rules over weeks: zones, pace, doubles, order, portions, and any restart."""

import random
from collections.abc import Callable

import pytest

from gateway.alerts.calendar import Calendar
from gateway.alerts.event import AlertEvent
from tests.support.rule_weeks import HOUR, METERS, START, Judge, Said, alerts, judged, weeks

MINUTES = "panel"
MOST_BYTES = 16_000
LATER = {"meter_offline": 4, "water_burst": 2, "water_leak": 2}
"""Hours by which hourly readings may tell later: five periods of silence are longer, flow and stands are coarser."""


@pytest.fixture(scope="module")
def rows() -> list[Said]:
    """Give weeks in which all happens."""
    return weeks(1)


@pytest.fixture(scope="module")
def told(rows: list[Said]) -> list[tuple[str, str, int]]:
    """Give what is told of them."""
    return alerts(judged(rows))


def test_every_rule_of_the_catalogue_has_something_to_tell(told: list[tuple[str, str, int]]) -> None:
    """So that what follows speaks of all of them but the one that judges whole days as the hub sees them."""
    assert {rule for rule, _, _ in told} == Judge().names - {"data_quality"}
    assert len(Judge().names) >= 20


@pytest.mark.parametrize("seed", [2])
def test_other_weeks_tell_the_same(seed: int, told: list[tuple[str, str, int]]) -> None:
    """Chance in ordinary use makes and hides no alert of these."""
    other = alerts(judged(weeks(seed)))
    assert {row[:2] for row in other} == {row[:2] for row in told}


@pytest.mark.parametrize(("zone", "hours"), [("Etc/GMT-3", 3), ("Etc/GMT+7", -7)])
def test_the_zone_shifts_with_the_data(
    zone: str, hours: int, rows: list[Said], told: list[tuple[str, str, int]]
) -> None:
    """The same home further east tells the same, earlier."""
    shift = hours * HOUR
    moved = [row._replace(ts=row.ts - shift) for row in rows]
    found = alerts(judged(moved, Calendar(zone)))
    assert [(rule, meter, at + shift) for rule, meter, at in found] == told


def test_hourly_readings_tell_the_same_later(rows: list[Said], told: list[tuple[str, str, int]]) -> None:
    """Of all meters but the one of minutes; each alert at most as much later as is stated."""
    slow = [row for row in rows if row.meter != MINUTES and row.ts % HOUR == 0]
    found, usual = alerts(judged(slow)), [row for row in told if row[1] != MINUTES]
    assert sorted(row[:2] for row in found) == sorted(row[:2] for row in usual)
    for (rule, _, at), (_, _, before) in zip(sorted(found), sorted(usual), strict=True):
        assert -1 <= (at - before) / HOUR <= LATER.get(rule, 1), rule


def test_doubles_change_nothing(rows: list[Said], told: list[tuple[str, str, int]]) -> None:
    """Each third reading comes twice; the second one closes no interval and moves no state."""
    doubled = [row for n, row in enumerate(rows) for _ in range(1 + (n % 3 == 0 and row.meter != MINUTES))]
    assert alerts(judged(doubled)) == told


def test_late_readings_are_left_out(rows: list[Said], told: list[tuple[str, str, int]]) -> None:
    """Every tenth reading comes an hour late: coarser for a while, and the same alerts."""
    late = [row._replace(ts=row.ts) for row in rows]
    order = [(row.ts + (HOUR if n % 10 == 0 and row.meter != MINUTES else 0), n) for n, row in enumerate(late)]
    found = alerts(judged([late[n] for _, n in sorted(order)]))
    assert sorted(row[:2] for row in found) == sorted(row[:2] for row in told)
    for (_, _, one), (_, _, other) in zip(sorted(found), sorted(told), strict=True):
        assert abs(one - other) <= 2 * HOUR


def test_a_delivery_in_portions_tells_the_same(rows: list[Said], told: list[tuple[str, str, int]]) -> None:
    """Values of one moment come one by one; what must be seen together comes together."""

    def parts(row: Said) -> list[Said]:
        if row.meter != "main":
            return [row]
        return [row._replace(values={key: value}) for key, value in row.values.items()]

    assert alerts(judged([part for row in rows for part in parts(row)])) == told


@pytest.mark.parametrize("every", [151])
def test_a_restart_at_any_reading_changes_no_event(every: int, rows: list[Said]) -> None:
    """All events, with their values and evidence: written down as JSON and taken up again, now and then."""
    assert _restarted(rows, lambda n: n % every == every // 2) == judged(rows)


def test_a_restart_beside_an_alert_changes_no_event(rows: list[Said]) -> None:
    """Where states are fullest: at the readings with an event, and those after them."""
    plain = judged(rows)
    moments = sorted({event.at for event in plain})
    near = {n for n, row in enumerate(rows) if row.ts in moments}
    assert _restarted(rows, lambda n: n in near or n - 4 in near) == plain


@pytest.mark.slow
def test_a_restart_at_every_reading_changes_no_event(rows: list[Said]) -> None:
    """At each single one."""
    assert _restarted(rows, lambda _: True) == judged(rows)


def _restarted(rows: list[Said], when: Callable[[int], bool]) -> list[AlertEvent]:
    judge, events = Judge(), list[AlertEvent]()
    for n, row in enumerate(rows):
        if when(n):
            judge.restart(row.meter)
        events += judge.hear(row)
    return events


def test_what_is_remembered_of_a_meter_stays_small(rows: list[Said]) -> None:
    """After six weeks in which all happened: below 16 kB each, as JSON, with what the check remembers."""
    judge = Judge()
    for row in rows:
        judge.hear(row)
    sizes = {meter: len(judge.written(meter)) for meter in METERS}
    assert max(sizes.values()) <= MOST_BYTES, sizes


def test_what_is_remembered_of_a_meter_does_not_grow() -> None:
    """Twelve weeks of everything at once on one meter: electricity, water, gas, dips and flags, at random."""
    dice = random.Random(7)
    judge, totals = Judge(), dict.fromkeys(("energy_import_wh", "water_volume_l", "gas_volume_l"), 1000.0)
    largest = 0
    for n in range(84 * 48):
        for key in totals:
            totals[key] += round(dice.expovariate(1 / 100) * (dice.random() < 0.7))
        values = totals | {"voltage_l1_v": dice.uniform(190, 270), "current_l1_a": dice.uniform(0, 120)}
        status = ("tamper",) if dice.random() < 0.1 else ()
        judge.hear(Said(START + n * HOUR // 2, MINUTES, values, status))
        if n % 48 == 0:
            largest = max(largest, len(judge.written(MINUTES)))
    assert 2_000 < largest <= MOST_BYTES
