"""PRIOS: what is hidden is shown, and what is not PRIOS is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import DecodeError
from drivers.wmbus.prios import mix, take_apart

ADDRESS = bytes.fromhex("2423860775035048")


@given(st.integers(0, 2**32 - 1), st.binary(max_size=40))
def test_mixing_twice_changes_nothing(register: int, data: bytes) -> None:
    """The same bytes hide and show."""
    assert mix(register, mix(register, data)) == data


@given(st.binary(min_size=8, max_size=8), st.integers(0xA0, 0xA7), st.binary(max_size=60))
def test_any_bytes_are_shown_or_refused(address: bytes, ci: int, data: bytes) -> None:
    """What comes out begins with the same four bytes and the one that proves the key."""
    try:
        shown = take_apart(address, ci, data)
    except DecodeError:
        return
    assert (shown[:4], shown[4], len(shown)) == (data[:4], 0x4B, len(data))


def test_each_reason_has_its_words() -> None:
    """Too short, and hidden with a key that is not known."""
    with pytest.raises(DecodeError, match="cut off"):
        take_apart(ADDRESS, 0xA2, bytes(4))
    with pytest.raises(DecodeError, match="no known key opens"):
        take_apart(ADDRESS, 0xA2, bytes(20))
