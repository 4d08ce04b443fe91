"""What installers get wrong, and the very words they are told: file, line, place, cause, remedy."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

MISTAKES = tomllib.loads(Path(__file__).with_name("mistakes.toml").read_text(encoding="utf-8"))["mistake"]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["name"])
def test_each_mistake_is_told_in_its_own_words(
    mistake: dict[str, str], good: str, canary: str, complain: Callable[[str], str]
) -> None:
    """The error names file and line, the key as the file shows it, and what to write; never a secret."""
    assert mistake["old"] in good
    told = complain(good.replace(mistake["old"], mistake["new"], 1))
    assert told == mistake["told"]
    assert canary not in told


def test_no_more_than_a_screenful_is_listed(good: str, complain: Callable[[str], str]) -> None:
    """Of thirty mistakes twenty are shown and the rest is counted."""
    told = complain(good.replace("[journal]", "[journal]\n" + "".join(f"x{n} = {n}\n" for n in range(30))))
    assert len(told.split("\n")) == 21
    assert told.endswith("\nand 10 more")


def test_an_error_holds_its_parts(good: str, write: Callable[[str], Path]) -> None:
    """A page or a log takes file, line, key, cause and hint apart; nothing of pydantic hangs on it."""
    from gateway.config import ConfigError, load

    path = write(good.replace('profile = "eastron', 'profle = "eastron'))
    with pytest.raises(ConfigError) as caught:
        load(path, "edge", {})
    main = caught.value.main
    assert (main.file, main.line, main.key) == (path, 26, "meter.0.profle")
    assert (main.what, main.hint) == ("is not an option here", 'did you mean "profile"?')
    assert caught.value.__context__ is None
