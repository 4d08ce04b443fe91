"""Numbers and ages, as each language says them."""

from decimal import Decimal

import pytest

from gateway.web.words import Words

DAY = 86400


@pytest.mark.parametrize(
    ("seconds", "english", "arabic"),
    [
        (-5, "now", "الآن"),
        (0.9, "now", "الآن"),
        (1, "1 second ago", "قبل ثانية"),
        (2, "2 seconds ago", "قبل ثانيتين"),
        (3, "3 seconds ago", "قبل 3 ثوانٍ"),
        (10, "10 seconds ago", "قبل 10 ثوانٍ"),
        (11, "11 seconds ago", "قبل 11 ثانية"),
        (100, "100 seconds ago", "قبل 100 ثانية"),
        (103, "103 seconds ago", "قبل 103 ثوانٍ"),
        (119.9, "119 seconds ago", "قبل 119 ثانية"),
        (120, "2 minutes ago", "قبل دقيقتين"),
        (7200, "2 hours ago", "قبل ساعتين"),
        (2 * DAY, "2 days ago", "قبل يومين"),
        (15 * DAY, "15 days ago", "قبل 15 يومًا"),
        (1500 * DAY, "1,500 days ago", "قبل 1,500 يوم"),
    ],
)
def test_an_age_is_told_in_its_own_plural_form(seconds: float, english: str, arabic: str) -> None:
    """Each age is said in the unit that fits and the plural form that the number asks for."""
    assert Words("en").age(seconds).striptags() == english
    assert Words("ar").age(seconds).striptags() == arabic


def test_numbers_are_set_apart_from_the_words_around_them() -> None:
    """A number within words carries its own direction."""
    assert Words("ar").age(5) == 'قبل <bdi dir="ltr">5</bdi> ثوانٍ'


@pytest.mark.parametrize(
    ("value", "unit", "number", "said"),
    [
        ("999.4", "W", "999", "W"),
        ("1000", "W", "1.00", "kW"),
        ("-2384.1", "W", "\N{MINUS SIGN}2.38", "kW"),
        ("-0.3", "W", "0", "W"),
        ("18607447.1", "Wh", "18,607.4", "kWh"),
        ("312847.25", "l", "312.847", "m³"),
        ("432", "flow", "7.2", "L/min"),
        ("1250", "gas flow", "1.25", "m³/h"),
        ("230.16", "V", "230.2", "V"),
    ],
)
def test_an_amount_is_told_in_the_unit_people_read(value: str, unit: str, number: str, said: str) -> None:
    """Base units become the units of bills and nameplates, rounded to what a reader can use."""
    assert Words("en").amount(Decimal(value), unit) == (number, said)


def test_an_amount_in_arabic_has_its_unit_in_arabic() -> None:
    """Units follow the language, digits stay."""
    assert Words("ar").amount(Decimal(1500), "W") == ("1.50", "ك.و")


def test_what_is_filled_into_a_text_is_escaped() -> None:
    """Text from outside stays text."""
    said = Words("en").say("Late: last reading {age}", age="<script>")
    assert said == "Late: last reading &lt;script&gt;"
