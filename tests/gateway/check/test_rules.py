"""The rules of a day at their thresholds."""

from gateway.check import rules
from gateway.check.slots import Grade, Slot

QUARTER = 900_000


def slots(*amounts: float | None, grade: Grade = "actual") -> list[Slot]:
    """Make slots side by side; None is unknown."""
    return [
        Slot(n * QUARTER, (n + 1) * QUARTER, amount, grade if amount is not None else "unknown")
        for n, amount in enumerate(amounts)
    ]


def test_v1_missing_slots_are_joined() -> None:
    """Unknown and estimated slots side by side are one gap."""
    day = [*slots(1, None, None, 1), Slot(4 * QUARTER, 5 * QUARTER, 3, "estimated")]
    assert rules.gaps(day) == [(QUARTER, 3 * QUARTER), (4 * QUARTER, 5 * QUARTER)]


def test_v8_spike_is_more_than_180_percent_above_the_third() -> None:
    """At 2.8 times nothing, above it the highest slot; below half a kWh never."""
    assert rules.spike(slots(500, 600, 1400)) == []
    assert rules.spike(slots(500, 600, 1401)) == [(2 * QUARTER, 3 * QUARTER)]
    assert rules.spike(slots(499, 600, 9000)) == []
    assert rules.spike(slots(600, 9000)) == []


def test_v8_estimates_are_no_spike() -> None:
    """Only what was measured is compared."""
    assert rules.spike([*slots(500, 600, 700), Slot(3 * QUARTER, 4 * QUARTER, 9000, "estimated")]) == []


def test_v10_between_half_and_twice_is_usual() -> None:
    """The mean of three same weekdays; one may be missing, two may not."""
    assert not rules.unlike(50, [90, 100, 110])
    assert not rules.unlike(200, [90, None, 110])
    assert rules.unlike(49, [90, 100, 110])
    assert rules.unlike(201, [90, None, 110])
    assert not rules.unlike(900, [100, None, None])
    assert not rules.unlike(None, [100, 100, 100])
    assert not rules.unlike(10, [0, 0, 0])


def test_v11_two_steps_or_a_thousandth_may_differ() -> None:
    """Whichever is more."""
    assert not rules.parts_differ(1000, [600, 398], 1)
    assert rules.parts_differ(1000, [600, 397], 1)
    assert not rules.parts_differ(10_000, [6000, 3990], 1)
    assert rules.parts_differ(10_000, [6000, 3989], 1)
    assert not rules.parts_differ(1000, [], 1)
    assert not rules.parts_differ(1000, [600, None], 1)


def test_states_last_over_midnight() -> None:
    """What held before the day counts; one other slot begins anew."""
    run, spans = rules.lasting(slots(0, 0, 0), 5 * QUARTER, rules.is_zero, 7 * QUARTER)
    assert (run, spans) == (8 * QUARTER, [(-5 * QUARTER, 3 * QUARTER)])
    run, spans = rules.lasting(slots(0, 1, 0), 5 * QUARTER, rules.is_zero, 7 * QUARTER)
    assert (run, spans) == (QUARTER, [])


def test_v12_v18_v19_look_at_what_was_measured() -> None:
    """An estimated zero is no zero, an unknown slot no flow, and either is unmeasured."""
    (zero,), (unknown,), (drop,) = slots(0), slots(None), slots(0.1)
    (guess,) = slots(0, grade="estimated")
    assert [rules.is_zero(slot) for slot in (zero, unknown, guess)] == [True, False, False]
    assert [rules.is_flowing(slot) for slot in (zero, unknown, drop)] == [False, False, True]
    assert [rules.is_estimated(slot) for slot in (zero, unknown, guess)] == [False, True, True]


def test_v16_reactive_energy_alone() -> None:
    """A hundred varh and no Wh in either direction."""
    assert rules.reactive_alone({"energy_import_wh": 0.0, "reactive_energy_import_varh": 100.0})
    assert not rules.reactive_alone({"energy_import_wh": 0.0, "reactive_energy_import_varh": 99.0})
    assert not rules.reactive_alone({"energy_import_wh": 1.0, "reactive_energy_import_varh": 900.0})
    assert not rules.reactive_alone({"energy_import_wh": None, "reactive_energy_import_varh": 900.0})
