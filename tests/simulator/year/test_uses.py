"""Uses that nobody wants: what they add is what their label says, and nothing outside of it."""

from itertools import pairwise

import pytest

from simulator.year import uses
from simulator.year.label import Label, Span
from simulator.year.series import MINUTE, PER_UNIT, Series, minutes_of

START = 1_767_214_800
DAY = 86_400
SPAN = Span(START + 3_600, START + 5 * 3_600)


def empty(meter: str) -> Series:
    """Give a day in which nothing is used."""
    return Series(meter, "water_volume_l", START, minutes_of([], START, DAY // MINUTE))


def added(told: uses.Told) -> tuple[float, Label]:
    """Give the units that were added in all, having seen that none is outside of the label."""
    series, label = told
    first, last = ((moment - START) // MINUTE for moment in (label.start, label.end))
    assert not any(series.minutes[:first])
    assert not any(series.minutes[last:])
    return sum(series.minutes) / PER_UNIT, label


@pytest.mark.parametrize(
    ("told", "units", "kind", "expect"),
    [
        (uses.leak(empty("h0001-water"), SPAN, lph=1.4), 5.6, "leak", "water_leak"),
        (uses.burst(empty("h0001-water"), SPAN, lpm=20), 4_800, "burst", "water_burst"),
        (uses.gas_left_on(empty("h0001-gas"), SPAN, lph=200), 800, "left_on", "gas_long_use"),
        (uses.gas_leak(empty("h0001-gas"), SPAN, lph=30), 120, "gas_leak", "gas_continuous"),
        (uses.high_use(empty("h0001-main"), SPAN, kw=3), 12_000, "high_use", "high_usage"),
        (uses.base_up(empty("h0001-main"), SPAN, kw=0.35), 1_400, "base_up", "baseload_increase"),
        (uses.overload(empty("h0001-main"), SPAN, amps=70), 64_400, "overload", "overload"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_a_use_adds_what_its_label_says(told: uses.Told, units: float, kind: str, expect: str) -> None:
    """Rate times length, at the meter it names."""
    total, label = added(told)
    assert total == pytest.approx(units)
    assert (label.home, label.kind, label.expect) == ("h0001", kind, expect)
    assert str(label.params["meter"]).startswith("h0001-")


def test_a_running_toilet_fills_again_and_again() -> None:
    """Never longer than fifty-one minutes without a fill, the same for the same seed, another for another."""
    series, label = uses.running_toilet(empty("h0001-water"), SPAN, litres=3, seed=7)
    total, _ = added((series, label))
    filling = [START + MINUTE * n for n, minute in enumerate(series.minutes) if minute]
    assert 4 * 3 <= total <= 13 * 3
    assert max(b - a for a, b in pairwise(filling)) <= 51 * MINUTE
    assert uses.running_toilet(empty("h0001-water"), SPAN, litres=3, seed=7)[0] == series
    assert uses.running_toilet(empty("h0001-water"), SPAN, litres=3, seed=8)[0] != series


def test_a_bypass_hides_its_share_and_a_power_cut_all() -> None:
    """Of a steady kilowatt for a day, the hours of the span count less or not at all."""
    steady, _ = uses.base_up(empty("h0001-main"), Span(START, START + DAY), kw=1)
    seen, label = uses.bypass(steady, SPAN, percent=60)
    assert sum(seen.minutes) / PER_UNIT == pytest.approx(24_000 - 0.6 * 4_000)
    assert label.params["percent"] == 60
    assert sum(uses.power_cut(steady, SPAN).minutes) / PER_UNIT == pytest.approx(20_000)
