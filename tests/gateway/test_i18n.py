"""Which language a reader gets."""

import pytest

from gateway.i18n import LANGUAGES, choose, direction, words


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        (None, "en"),
        ("", "en"),
        ("ar", "ar"),
        ("en;q=0.5,ar;q=0.8", "ar"),
        ("de,ar;q=0.1", "ar"),
        ("ar;q=0", "en"),
        ("ar;q=much", "en"),
        ("*", "en"),
        ("x" * 100_000 + ",ar", "en"),
    ],
)
def test_the_best_spoken_wish_wins(accepted: str | None, expected: str) -> None:
    """Of the browser's wishes the best that we speak is taken; rubbish leads to the default."""
    assert choose(None, accepted, "en") == expected


def test_every_language_has_words_and_a_direction() -> None:
    """Each language of the list can be used at once."""
    assert {language: direction(language) for language in LANGUAGES} == {"en": "ltr", "ar": "rtl"}
    for language in LANGUAGES:
        assert words(language).gettext("Water")
