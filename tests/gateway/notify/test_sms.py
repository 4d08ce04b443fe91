"""Text messages: their parts are counted as networks do, and every text we have fits into two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.i18n import LANGUAGES
from gateway.notify.sms import PARTS, fit, parts, plain


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2),
        ("ن" * 70, 1), ("ن" * 71, 2), ("ن" * 134, 2), ("ن" * 135, 3), ("a" * 133 + "³", 2), ("a" * 134 + "³", 3),
        ("😀" * 35, 1), ("😀" * 36, 2),
    ],
)  # fmt: skip
def test_parts_are_counted_as_networks_count(text: str, count: int) -> None:
    """160 or 153 characters of GSM, 70 or 67 of UCS-2, where a pair of surrogates is two."""
    assert parts(text) == count


def test_english_stays_gsm_and_arabic_keeps_its_signs() -> None:
    """A superscript would halve an English message; Arabic is UCS-2 anyway."""
    assert plain("\u20682.5\u2069 m³") == "2.5 m3"
    assert plain("\u20682.5\u2069 م³") == "2.5 م³"


@given(st.lists(st.text(max_size=400), min_size=1, max_size=6))
def test_anything_fits_into_two_parts(sentences: list[str]) -> None:
    """The first sentence is told in any case, cut if it must be, and no isolate is left."""
    said = fit(sentences)
    assert parts(said) <= PARTS
    assert not set("\u2068\u2069") & set(said)


def test_what_fits_is_whole_sentences_in_order() -> None:
    """The rest is left out."""
    assert fit(["ن" * 60, "م" * 60, "ل" * 60]) == f"{'ن' * 60} {'م' * 60}"
    assert fit(["ن" * 200]).endswith("…")
    assert set(LANGUAGES) == {"en", "ar"}


def test_what_to_do_goes_before_the_figures() -> None:
    """Where both fit they stand in their order; where one fits it is what to do, and nothing after it comes without."""
    happened, figures, action, more = "ن" * 40, "م" * 80, "ل" * 60, "ك" * 30
    assert fit([happened, figures, action, more], 2) == f"{happened} {action}"
    assert fit([happened, "م" * 20, action, more], 2) == f"{happened} {'م' * 20} {action}"
    assert fit([happened, figures, "ل" * 200], 2) == f"{happened} {figures}"
    assert fit([], 0) == ""
