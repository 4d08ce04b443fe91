"""What installers type, in the digits and marks of both scripts."""

from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.commission.digits import LIMIT, read_display
from gateway.commission.errors import Unreadable


@pytest.mark.parametrize(
    ("text", "value", "step"),
    [
        ("01234.5", "1234500", "100"),
        ("1234,5", "1234500", "100"),
        ("001234", "1234000", "1000"),
        ("1.234", "1234", "1"),
        ("1,234,567", "1234567000", "1000"),
        ("1.234.567,8", "1234567800", "100"),
        ("1 234,56 kWh", "1234560", "10"),
        ("12'345.6", "12345600", "100"),
        ("1.2345 MWh", "1234500", "100"),
        ("123450 wh", "123450", "1"),
        ("\u0661\u0662\u0663\u0664\u066b\u0665", "1234500", "100"),
        ("\u0661\u066c\u0662\u0663\u0664\u066b\u0665 ك.و.س", "1234500", "100"),
        ("\u06f1\u06f2\u06f3\u06f4", "1234000", "1000"),
        ("\u20681234.5\u2069", "1234500", "100"),
        ("1234.", "1234000", "1000"),
    ],
)
def test_a_display_is_understood(text: str, value: str, step: str) -> None:
    """Digits, decimals and units come out in the base unit, with the worth of the last digit."""
    typed = read_display(text, "Wh")
    assert (typed.value, typed.step) == (Fraction(value), Fraction(step))


@pytest.mark.parametrize(("text", "litres"), [("12.345", 12345), ("12,3 م3", 12300), ("12 m3", 12000), ("77 l", 77)])
def test_water_is_read_in_cubic_metres(text: str, litres: int) -> None:
    """Without a unit a water display shows m³, and an Arabic m³ may end in a digit."""
    assert read_display(text, "l").value == litres


@pytest.mark.parametrize(
    "text", ["", "about 12", "12 apples", "-5", "1.2,3.4,5", "٣²", "0x10", "1e9", "9" * (LIMIT + 1), "12 m³"]
)
def test_what_is_no_display_is_asked_again(text: str) -> None:
    """Anything else is refused with a hint, and never guessed."""
    with pytest.raises(Unreadable) as caught:
        read_display(text, "Wh")
    assert caught.value.hint


@given(st.text(max_size=60))
def test_nothing_typed_breaks_it(text: str) -> None:
    """Any text is a value above or at zero, or Unreadable."""
    with suppress(Unreadable):
        assert read_display(text, "Wh").value >= 0


@given(st.integers(0, 10**9), st.integers(0, 999), st.sampled_from([".", ",", "\u066b"]), st.booleans())
def test_every_script_says_the_same(whole: int, part: int, mark: str, arabic: bool) -> None:
    """Whatever digits and mark, the value is that of the digits."""
    text = f"{whole}{mark}{part:03}"
    if arabic:
        text = text.translate({ord("0") + n: 0x660 + n for n in range(10)})
    assert read_display(text, "Wh").value == whole * 1000 + part
