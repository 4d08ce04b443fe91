"""Display and register: when they agree, and what is named when they do not."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.commission.causes import Cause, Change, Evidence, causes
from gateway.commission.compare import Window, between

MAIN = "energy_import_wh"


def at(value: int, *, slack: int = 100) -> Window:
    """Make the window of a display whose last digit is 0.1 kWh."""
    return Window(Fraction(value - slack), Fraction(value + slack))


def evidence(display: int, *, ratio: str = "1", transformer: int | None = None, **raw: int) -> Evidence:
    """Hold a display against registers read twice alike."""
    counters = {f"{key}_wh": between(Fraction(value), Fraction(value)) for key, value in raw.items()}
    made = Fraction(transformer) if transformer else None
    return Evidence(at(display), counters, MAIN, Fraction(ratio), transformer=made)


@given(st.integers(1, 10**11), st.integers(0, 5000), st.integers(0, 5000), st.sampled_from([1, 10, 100, 1000]))
def test_a_running_load_is_no_difference(start: int, first: int, second: int, digit: int) -> None:
    """What was cut off between two readings of a growing register agrees, whatever the display's last digit."""
    shown = (start + first) // digit * digit
    window = between(Fraction(start), Fraction(start + first + second))
    assert window.meets(Window(Fraction(shown - digit), Fraction(shown + digit)))


@pytest.mark.parametrize("off", [-1000, 400])
def test_a_few_digits_off_is_a_difference(off: int) -> None:
    """The tolerance is the last digit, not more."""
    assert causes(evidence(1_234_500 + off, energy_import=1_234_567)) != ()


def test_what_agrees_has_no_cause() -> None:
    """A display cut at 0.1 kWh is the register it shows."""
    assert causes(evidence(1_234_500, energy_import=1_234_567)) == ()


def kinds(about: Evidence) -> list[tuple[str, str, str | None]]:
    """Name what was found, with the value that would be written."""
    return [(cause.kind, cause.fact, cause.change.value if cause.change else None) for cause in causes(about)]


def test_a_missing_ratio_of_the_label_comes_first() -> None:
    """A factor that is on the transformer's label is that transformer."""
    assert kinds(evidence(61_725_000, energy_import=1_234_500, transformer=50))[0] == ("transformer", "50", "50.0")


def test_a_power_of_ten_is_named() -> None:
    """A register in other units is a factor, up and down."""
    assert kinds(evidence(12_345_000, energy_import=1_234_500))[0] == ("factor", "10", "10.0")
    assert kinds(evidence(1_234_500, energy_import=1_234_500_000))[0] == ("factor", "0.001", "0.001")


def test_transformers_counted_twice_are_named() -> None:
    """A ratio in the configuration of a meter that multiplies by itself."""
    found = kinds(evidence(1_234_500, energy_import=1_234_500, ratio="50"))
    assert found == [("counted_twice", "0.02", "1.0")]


def test_a_common_transformer_is_guessed() -> None:
    """Without a label, factors for which transformers are made are named."""
    assert ("transformer", "50", "50.0") in kinds(evidence(61_725_000, energy_import=1_234_500))


def test_swapped_directions_are_named_and_not_written() -> None:
    """No ratio mends wires."""
    found = kinds(evidence(555_500, energy_import=1_234_500, energy_export=555_555))
    assert found == [("swapped", "energy_export", None)]


def test_tariffs_and_phases_are_named() -> None:
    """A display that stands on a tariff, or shows what the register does not sum."""
    one = evidence(400_000, energy_import=1_234_500, energy_import_t1=400_012, energy_import_t2=834_488)
    assert kinds(one) == [("register", "energy_import_t1", None)]
    both = evidence(1_234_500, energy_import=7_000_000, energy_import_t1=400_012, energy_import_t2=834_488)
    assert kinds(both) == [("tariffs", "2", None)]


def test_another_order_of_words_is_named_first() -> None:
    """What another order makes of the same bytes, though the configured order gives a number too."""
    about = evidence(1_234_500, energy_import=4_608_000)
    with_orders = Evidence(about.display, about.raw, MAIN, orders={"CDAB": at(1_234_600)})
    assert causes(with_orders)[0] == Cause("order", "CDAB", Change("order", "CDAB"))


def test_an_electricity_meter_gets_no_offset() -> None:
    """Its display is its register, so an unexplained difference is another meter, and nothing is written."""
    assert kinds(evidence(700_000, energy_import=1_234_500)) == [("stranger", "-534500", None)]


def test_a_pulse_counter_gets_its_offset_first() -> None:
    """Pulses count from zero wherever the dial stands, even where a factor would fit by chance."""
    raw = {"water_volume_l": between(Fraction(1234), Fraction(1234))}
    display = Window(Fraction(12_339), Fraction(12_341))
    about = Evidence(display, raw, "water_volume_l", counts_pulses=True, own_display=False)
    assert causes(about)[0] == Cause("offset", "11106", Change("offset", "11106.0"))


@given(st.integers(1, 10**10), st.integers(1, 10**10))
def test_whatever_is_written_mends_it(display: int, register: int) -> None:
    """Each change offered makes display and register agree."""
    about = evidence(display, energy_import=register)
    for cause in causes(about):
        if cause.change and cause.change.key == "ratio":
            mended = Evidence(about.display, about.raw, MAIN, Fraction(cause.change.value))
            assert causes(mended) == ()
