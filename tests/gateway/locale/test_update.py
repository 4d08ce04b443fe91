"""The catalogues are true to the source: nothing missing, nothing stale, compiled as committed."""

import re

import pytest

from gateway.i18n import LANGUAGES
from gateway.locale.update import collect, compiled, file_of, forms, languages, read, untranslated, written

PLACE = re.compile(r"\{\w+\}")
ARABIC_FORMS = 6


def test_every_language_but_the_source_has_a_catalogue() -> None:
    """English is the source; each other language has its file."""
    assert set(languages()) == set(LANGUAGES) - {"en"}


@pytest.mark.parametrize("language", languages())
def test_every_text_of_the_source_is_translated(language: str) -> None:
    """Each message of the source is in the catalogue, whole and settled; run `./run texts` for what is missing."""
    catalogue = read(language)
    assert {message.id for message in collect() if message.id} == {m.id for m in catalogue if m.id}
    assert untranslated(catalogue) == []


@pytest.mark.parametrize("language", languages())
def test_what_runs_is_what_was_translated(language: str) -> None:
    """The committed `.mo` and `.po` are what `./run texts` would write."""
    catalogue = read(language)
    assert file_of(language, ".mo").read_bytes() == compiled(catalogue)
    assert file_of(language, ".po").read_bytes() == written(catalogue)


@pytest.mark.parametrize("language", languages())
def test_translations_fill_the_same_places(language: str) -> None:
    """A translation has no place that the source does not fill, and drops none where a form stands for many numbers."""
    for message in read(language):
        source = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
        places = set(PLACE.findall(" ".join(source)))
        said = forms(message)
        assert all(set(PLACE.findall(form)) <= places for form in said), message.id
        # Zero, one and two are words in Arabic; every other form stands for many numbers and must show which.
        for form in said[3:] if len(said) > 1 else said:
            assert set(PLACE.findall(form)) == places, message.id


@pytest.mark.parametrize("language", languages())
def test_a_key_is_called_as_it_is_printed(language: str) -> None:
    """Whoever is asked to press Enter finds it by the same word in every question."""
    said = [message for message in read(language) if "Enter" in str(message.id)]
    assert said
    assert [message.string for message in said if "Enter" not in str(message.string)] == []


def test_arabic_has_its_six_forms() -> None:
    """Each counted text is said in all six Arabic forms."""
    catalogue = read("ar")
    assert catalogue.num_plurals == ARABIC_FORMS
    counted = [message for message in catalogue if isinstance(message.id, (tuple, list))]
    assert counted
    assert all(len(forms(message)) == ARABIC_FORMS for message in counted)
