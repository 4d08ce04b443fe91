"""Tests of gateway/identity/claim.py: codes that people type, and that nothing about a box gives away (S2)."""

import hashlib
import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.identity import claim
from gateway.identity.errors import Refused

codes = st.binary(min_size=11, max_size=11).map(lambda dice: claim.new(lambda _: dice))
places = st.integers(0, claim.RANDOM + claim.CHECK - 1)


def test_a_code_has_groups_of_four() -> None:
    """Five groups can be read out on the telephone."""
    assert [len(group) for group in claim.new().split("-")] == [4] * 5


@settings(max_examples=30)
@given(codes)
def test_it_is_read_however_it_is_typed(code: str) -> None:
    """Lower case, no hyphens, spaces, look-alike letters and Arabic digits all mean the same."""
    arabic = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    for typed in (code.lower(), code.replace("-", ""), code.replace("-", " "), code.translate(arabic)):
        assert claim.read(typed) == code
    assert claim.read(code.replace("0", "o").replace("1", "l")) == code


@settings(max_examples=30)
@given(codes, places, st.integers(1, 31))
def test_one_wrong_symbol_is_noticed(code: str, place: int, by: int) -> None:
    """No single slip of a finger gives another valid code."""
    symbols = list(code.replace("-", ""))
    symbols[place] = claim.ALPHABET[(claim.ALPHABET.index(symbols[place]) + by) % 32]
    with pytest.raises(Refused, match="slip"):
        claim.read("".join(symbols))


@settings(max_examples=30)
@given(codes)
def test_swapped_neighbours_are_noticed(code: str) -> None:
    """Nor do two symbols in the wrong order."""
    symbols = code.replace("-", "")
    for place, (one, other) in enumerate(pairwise(symbols)):
        if one != other:
            with pytest.raises(Refused, match="slip"):
                claim.read(symbols[:place] + other + one + symbols[place + 2 :])


@settings(max_examples=30)
@given(st.text(max_size=200))
def test_rubbish_is_refused(typed: str) -> None:
    """Whatever else is typed is refused with a reason, and nothing else happens."""
    with pytest.raises(Refused):
        claim.read(typed)


def test_ten_thousand_codes_differ_and_show_no_pattern() -> None:
    """No two are the same; every symbol comes as often at every place as chance has it."""
    made = [claim.new().replace("-", "") for _ in range(10_000)]
    assert len(set(made)) == len(made)
    expected = len(made) / 32
    for place in range(claim.RANDOM):
        counts = Counter(code[place] for code in made)
        # Chi-square with 31 degrees of freedom is above 91 once in ten million places.
        assert sum((counts[symbol] - expected) ** 2 / expected for symbol in claim.ALPHABET) < 91


@pytest.mark.parametrize("hashed", ["raw", "md5", "sha1", "sha256", "sha512"])
@pytest.mark.parametrize("first", ["", "nabd", "claim", "admin"])
def test_no_known_scheme_leads_from_a_board_to_its_code(hashed: str, first: str) -> None:
    """Twenty ways by which makers derive codes from serial and MAC give none of these codes' beginnings."""
    boards = [f"{number:016x}" for number in range(500)] + [f"dca632{number:06x}" for number in range(500)]
    codes_made = {claim.new().replace("-", "")[:8] for _ in boards}
    for board in boards:
        text = (first + board).encode()
        value = int.from_bytes(text if hashed == "raw" else hashlib.new(hashed, text).digest())
        derived = "".join(claim.ALPHABET[value >> 5 * at & 31] for at in range(math.ceil(value.bit_length() / 5)))
        assert derived[:8] not in codes_made
        assert derived[::-1][:8] not in codes_made


def test_the_proof_binds_code_and_key() -> None:
    """Another code or another key proves nothing."""
    code, other = claim.new(), claim.new()
    proof = claim.proof(code, b"key")
    assert claim.proves(proof, code.lower(), b"key")
    assert not claim.proves(proof, code, b"another key")
    assert not claim.proves(proof, other, b"key")
    assert not claim.proves("", code, b"key")
