"""Gauges: values that repeat, that are none, and that cannot be true together."""

import json
from collections.abc import Mapping, Sequence

import pytest

from gateway.check import Remark
from gateway.check.gauges import REPEATS, Gauges

MINUTE = 60_000


def told(readings: Sequence[Mapping[str, float]], every: int = MINUTE, cut: int | None = None) -> list[Remark]:
    """Judge readings a minute apart; with `cut` a second one goes on from the first one's snapshot."""
    gauges, remarks = Gauges("m"), []
    for n, values in enumerate(readings):
        if n == cut:
            remarks = gauges.remarks()
            gauges = Gauges("m", json.loads(json.dumps(gauges.snapshot())))
        gauges.take((n + 1) * every, values)
    return remarks + gauges.remarks()


def test_v13_thirty_equal_values_of_four_digits_are_stuck() -> None:
    """Twenty-nine are not, nor three digits, nor zero; a whole number counts with the decimals seen before."""
    assert told([{"power_w": 1234.0}] * (REPEATS - 1)) == []
    assert told([{"power_w": 1234.0}] * REPEATS) == [Remark("m", "power_w", "stuck", MINUTE, REPEATS * MINUTE)]
    assert told([{"power_w": 123.0}] * 60) == told([{"power_w": 0.0}] * 60) == []
    (one,) = told([{"voltage_v": 231.4}] + [{"voltage_v": 230.0}] * REPEATS)
    assert (one.key, one.start) == ("voltage_v", 2 * MINUTE)


def test_v13_goes_on_over_midnight() -> None:
    """The count is part of what the next day goes on from."""
    assert [remark.flag for remark in told([{"power_w": 1234.0}] * REPEATS, cut=20)] == ["stuck"]


def standing(watts: float, step: float, polls: int, every: int = MINUTE) -> list[Remark]:
    """Let a register move once and then stand."""
    values = [5_000_000.0, *[5_000_000.0 + step] * polls]
    return told([{"energy_import_wh": value, "power_w": watts} for value in values], every)


def test_v13_a_register_stands_still_under_power() -> None:
    """Above 50 W, for a quarter of an hour and three polls, once two of its steps should have gone by."""
    assert standing(49, 1, 60) == []
    assert standing(60, 1, 15) == []
    (one,) = standing(60, 1, 16)
    assert (one.flag, one.key, one.end - one.start) == ("stuck", "energy_import_wh", 15 * MINUTE)
    assert standing(60, 1000, 300) == []
    assert standing(3000, 1, 2, 15 * MINUTE) == []
    assert len(standing(3000, 1, 3, 15 * MINUTE)) == 1


@pytest.mark.parametrize("absent", [6553.5, 65_535, 32_767, -32_768, 2_147_483_647, 99_999, 1.8446744073709552e19])
def test_v14_patterns_of_no_value(absent: float) -> None:
    """At whatever scale."""
    assert Remark("m", "voltage_v", "na", 2 * MINUTE, 2 * MINUTE) in told([{"voltage_v": 230.1}, {"voltage_v": absent}])


def test_v14_what_is_no_number() -> None:
    """A key whose value could not be read."""
    gauges = Gauges("m")
    gauges.take(MINUTE, {}, ["power_w"])
    assert gauges.remarks() == [Remark("m", "power_w", "na", MINUTE, MINUTE)]


def phases(total: float, *parts: float) -> dict[str, float]:
    """Make a reading of a total and its phases."""
    return {"power_w": total, **{f"power_l{n}_w": part for n, part in enumerate(parts, 1)}}


def test_v16_phases_make_their_total() -> None:
    """Two per cent of it, or five watts, may be missing."""
    assert told([phases(1000, 300, 300, 380), phases(10, 5, 5, 5), phases(1000, 300, 700)]) == []
    assert [remark.key for remark in told([phases(1000, 300, 300, 379)])] == ["power_w"]


def test_v16_voltages_of_a_house() -> None:
    """Between 184 and 276 V; a phase that is not connected shows nothing and carries nothing."""
    sound = {"voltage_v": 184, "voltage_l1_v": 276, "voltage_l2_v": 0, "current_l2_a": 0}
    assert told([sound]) == []
    wrong = {"voltage_v": 0, "voltage_l1_v": 276.1, "voltage_l2_v": 0, "current_l2_a": 1}
    assert sorted(remark.key for remark in told([wrong])) == ["voltage_l1_v", "voltage_l2_v", "voltage_v"]


def test_remarks_side_by_side_are_one() -> None:
    """From the first reading to the last; a sound one between them makes two."""
    wrong, sound = {"voltage_v": 100.5}, {"voltage_v": 230.5}
    spans = [(remark.start // MINUTE, remark.end // MINUTE) for remark in told([wrong, wrong, sound, wrong])]
    assert spans == [(1, 2), (4, 4)]
