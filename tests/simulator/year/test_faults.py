"""What meters make of their registers: each fault as its label says, and nothing else."""

from itertools import pairwise

import pytest

from simulator.year import faults
from simulator.year.label import Span
from simulator.year.series import Register

START, STEP, COUNT = 1_767_214_800, 900, 200
SPAN = Span(START + 50 * STEP, START + 90 * STEP)
AT = Span(SPAN.end, SPAN.end)


@pytest.fixture
def register() -> Register:
    """Give a register that counts three units a quarter-hour."""
    times = [START + STEP * n for n in range(COUNT)]
    return Register("h0001-water", "water_volume_l", times, [10_000 + 3 * n for n in range(COUNT)])


def steps(register: Register) -> list[int]:
    """Give what was counted from reading to reading."""
    return [after - before for before, after in pairwise(register.values)]


@pytest.mark.parametrize("fault", [faults.offline, faults.outage])
def test_a_silent_meter_catches_up_with_its_next_reading(register: Register, fault: faults.Fault) -> None:
    """No reading within, all that was counted after it, and not a unit lost."""
    seen, label = fault(register, SPAN)
    assert [t for t in seen.times if SPAN.start < t < SPAN.end] == []
    assert max(steps(seen)) == 3 * 40
    assert (seen.times[0], seen.times[-1], seen.values[-1]) == (register.times[0], register.times[-1], 10_000 + 3 * 199)
    assert label.params["meter"] == "h0001-water"


def test_only_the_meter_of_electricity_tells_an_outage(register: Register) -> None:
    """The register of water only falls silent."""
    assert faults.outage(register, SPAN)[1].expect == "may:meter_offline"
    main = Register("h0001-main", "energy_import_wh", register.times, register.values)
    assert faults.outage(main, SPAN)[1].expect == "outage"


def test_old_values_are_told_until_the_meter_catches_up(register: Register) -> None:
    """Readings go on, the register stands, and then all comes at once."""
    seen, label = faults.catch_up(register, SPAN)
    assert seen.times == register.times
    assert steps(seen)[50:89] == [0] * 39
    assert steps(seen)[89] == 3 * 40
    assert seen.values[90:] == register.values[90:]
    assert label.expect == "none"


def test_a_stuck_register_never_gets_back_what_it_missed(register: Register) -> None:
    """It stands, goes on from there, and the label says how much is missing."""
    seen, label = faults.stuck(register, SPAN)
    assert steps(seen)[50:89] == [0] * 39
    assert set(steps(seen)[89:]) == {3}
    assert register.values[-1] - seen.values[-1] == label.params["lost"] == 3 * 39


def test_a_reset_register_begins_at_zero(register: Register) -> None:
    """One step back to what was used since, then on as before."""
    seen, label = faults.register_reset(register, AT)
    assert seen.values[90] == 3
    assert [n for n, step in enumerate(steps(seen)) if step < 0] == [89]
    assert label.expect == "register_reset"


def test_a_replacement_begins_at_its_own_value(register: Register) -> None:
    """A gap, and then the new register."""
    seen, label = faults.replaced(register, SPAN, start=17)
    assert [t for t in seen.times if SPAN.start < t < SPAN.end] == []
    assert seen.values[seen.times.index(SPAN.end)] == 17 == label.params["first"]
    assert sorted(set(steps(seen)))[1:] == [3]


@pytest.mark.parametrize(("back", "falls"), [(40, 40), (10**9, 10_000 + 3 * 89)])
def test_a_reversed_register_falls_once_and_not_below_zero(register: Register, back: int, falls: int) -> None:
    """It falls by what the label says, and counts on."""
    seen, label = faults.reverse(register, AT, back=back)
    assert [step for step in steps(seen) if step != 3] == [3 - falls]
    assert label.params["back"] == falls
    assert min(seen.values) >= 0


def test_duplicates_are_the_same_reading_again(register: Register) -> None:
    """Each within comes twice; the set of readings is the same."""
    seen, _ = faults.duplicates(register, SPAN)
    pairs = list(zip(seen.times, seen.values, strict=True))
    assert len(pairs) == COUNT + 39
    assert set(pairs) == set(zip(register.times, register.values, strict=True))


def test_a_drifting_clock_stamps_later_and_later(register: Register) -> None:
    """Values stay, stamps run ahead up to the label's seconds, and are right again after it was set."""
    seen, label = faults.clock_drift(register, SPAN, most=400)
    off = [moment - right for moment, right in zip(seen.times, register.times, strict=True)]
    assert off[:51] == [0] * 51
    assert off[51:90] == sorted(off[51:90])
    assert 380 < off[89] < 400
    assert off[90:] == [0] * 110
    assert (seen.values, label.params["seconds"]) == (register.values, 400)


@pytest.mark.parametrize("span", [Span(0, 10), Span(START + 10**7, START + 10**7 + 10)])
@pytest.mark.parametrize("fault", [faults.offline, faults.catch_up, faults.stuck, faults.duplicates])
def test_faults_outside_of_the_readings_change_nothing(register: Register, fault: faults.Fault, span: Span) -> None:
    """Before the first and after the last reading there is nothing to change."""
    seen, _ = fault(register, span)
    assert seen == register
