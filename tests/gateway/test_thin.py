"""A telegram a second becomes a reading an interval, and no total is lost."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Number, Reading
from gateway.thin import How, Thinner, is_own


def reading(at: int, values: dict[str, Number], *status: str) -> Reading:
    """Make what a meter said."""
    return Reading("main", at, values, status, meter_time=at * 2)


def thinned(how: How, *readings: Reading) -> Reading:
    """Give what these readings become."""
    thinner = Thinner()
    for each in readings:
        thinner.add(each)
    assert thinner.count == len(readings)
    given = thinner.give(how)
    assert given is not None
    assert (thinner.count, thinner.give(how)) == (0, None)
    return given


THREE = (
    reading(1, {"energy_import_wh": 100, "power_w": 10, "voltage_l1_v": 230.1}),
    reading(2, {"energy_import_wh": 101, "power_w": 40, "voltage_l1_v": 230.2}),
    reading(3, {"energy_import_wh": 103, "power_w": 45}),
)


def test_last_is_the_last_value_of_each_quantity() -> None:
    """A value the last telegram left out is the one before it."""
    given = thinned("last", *THREE)
    assert given.values == {"energy_import_wh": 103, "power_w": 45, "voltage_l1_v": 230.2}
    assert (given.at, given.meter_time) == (3, 6)


def test_mean_counts_each_gauge_where_it_was_said() -> None:
    """Three powers, two voltages; the counter stays the last, whole numbers stay whole."""
    given = thinned("mean", *THREE)
    assert given.values == {"energy_import_wh": 103, "power_w": 31.6667, "voltage_l1_v": 230.15}
    assert given.at == 3
    whole = thinned("mean", reading(1, {"power_w": -10.0}), reading(2, {"power_w": -20}))
    assert repr(whole.values["power_w"]) == "-15"


@pytest.mark.parametrize("how", ["last", "mean"])
def test_one_reading_is_given_as_it_is(how: How) -> None:
    """Nothing is rounded or retyped where there is nothing to thin."""
    alone = reading(1, {"power_w": Decimal("1.23456")}, "leak")
    assert thinned(how, alone) is alone


@pytest.mark.parametrize("how", ["last", "mean"])
def test_status_is_all_that_was_said(how: How) -> None:
    """A leak told by the first telegram only is in the reading, each word once."""
    given = thinned(how, reading(1, {}, "leak"), reading(2, {}, "tamper", "leak"), reading(3, {}))
    assert given.status == ("leak", "tamper")


def test_nothing_of_an_interval_is_left_in_the_next() -> None:
    """Means, values and words begin anew."""
    thinner = Thinner()
    for number in range(1, 4):
        thinner.add(reading(number, {"power_w": number}, "leak"))
    thinner.give("mean")
    thinner.add(reading(5, {"voltage_l1_v": 1.0}))
    thinner.add(reading(6, {"power_w": 7}))
    assert thinner.give("mean") == reading(6, {"voltage_l1_v": 1, "power_w": 7})


def test_captured_values_are_told_apart() -> None:
    """A sub-meter's value with its own time is a reading already."""
    assert is_own(Reading("gas", 1, {"gas_volume_l": 1}, captured=5))
    assert not is_own(Reading("gas", 1, {"gas_volume_l": 1}))


STEPS = st.lists(st.tuples(st.integers(0, 10_000), st.booleans(), st.booleans()), min_size=1, max_size=200)


@given(STEPS, st.sampled_from(["last", "mean"]))
def test_totals_are_the_same_however_it_is_thinned(steps: list[tuple[int, bool, bool]], how: How) -> None:
    """The sum of a counter's steps is that of the thinned ones, wherever intervals end and telegrams lack it."""
    thinner, register = Thinner(), 0
    said, heard = [], []
    for at, (step, is_said, is_due) in enumerate(steps):
        register += step
        if is_said:
            said.append(register)
        thinner.add(reading(at, {"energy_import_wh": register} if is_said else {"power_w": step}))
        if is_due and (given := thinner.give(how)):
            heard.append(given)
    if rest := thinner.give(how):
        heard.append(rest)
    totals = [int(given.values["energy_import_wh"]) for given in heard if "energy_import_wh" in given.values]
    assert totals == sorted(totals)
    assert set(totals) <= set(said)
    assert totals[-1:] == said[-1:]
    # From the register before the first one heard, no step is lost or counted twice.
    assert sum(b - a for a, b in pairwise([0, *totals])) == sum(b - a for a, b in pairwise([0, *said]))


@given(st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 3)), min_size=1, max_size=100))
def test_mean_lies_between_the_extremes(values: list[float]) -> None:
    """As any mean does, at the resolution of readings."""
    mean = float(thinned("mean", *(reading(1, {"power_w": value}) for value in values)).values["power_w"])
    assert min(values) - 1e-4 <= mean <= max(values) + 1e-4
