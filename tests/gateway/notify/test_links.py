"""Links: only ours work, only as they were made, only until they expire."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.notify.links import Link, LinkError, read

KEY = b"k" * 32
LINK = Link("acknowledge", "home", "0123456789abcdef", "phone", 2000)
TOKEN = LINK.sign(KEY)


def test_a_link_says_what_was_signed() -> None:
    """What is read is what was signed, until the second it expires."""
    assert read(TOKEN, KEY, 1999) == LINK
    mute = Link("mute", "a" * 64, "f" * 16, "-_" * 32, 10**11)
    assert read(mute.sign(KEY), KEY, 0) == mute
    with pytest.raises(LinkError):
        read(TOKEN, KEY, 2000)


def test_a_token_needs_no_escaping_in_a_url() -> None:
    """Letters, digits, underscore, hyphen and dots only."""
    assert set(TOKEN) <= set(string.ascii_letters + string.digits + "_-.")


def test_another_key_is_another_hub() -> None:
    """A link signed elsewhere is nothing here."""
    with pytest.raises(LinkError):
        read(LINK.sign(b"K" * 32), KEY, 0)


@given(st.integers(0, len(TOKEN) - 1), st.characters())
def test_no_character_may_change(at: int, char: str) -> None:
    """Any one character changed, whichever, makes the link worthless."""
    changed = TOKEN[:at] + char + TOKEN[at + 1 :]
    if changed != TOKEN:
        with pytest.raises(LinkError):
            read(changed, KEY, 0)


@pytest.mark.parametrize(
    "token",
    ["", ".", TOKEN + "x", TOKEN[:-1], TOKEN + "\n", "x" * 10_000, TOKEN.replace("acknowledge", "mute"), "\ud800"],
)
def test_what_is_no_link_is_refused(token: str) -> None:
    """Rubbish, a cut link, another action with the same proof: all the same answer."""
    with pytest.raises(LinkError):
        read(token, KEY, 0)
