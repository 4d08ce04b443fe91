"""Tests of drivers/p1/sealed.py: what opens, what stays closed, and what moves the counter."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from drivers.contract import DecodeError, Keys
from drivers.p1.codec import Decoder, Sealed, decode, encode
from drivers.p1.sealed import Vault, counter_of, unseal

KEYS = Keys(bytes(range(16)), bytes(range(16, 32)))
TEXT = encode("NBD5\\2SEALED", ["1-0:1.8.0(006545766*Wh)", "1-0:1.7.0(000000286*W)"])

Seal = Callable[..., bytes]


def test_every_ciphered_capture_opens_to_what_is_expected(p1_captures: list[Any]) -> None:
    """Luxembourg by its public authentication key, Austria by its own; the whole stream, and byte by byte."""
    ciphered = [capture for capture in p1_captures if capture.is_ciphered]
    assert len(ciphered) == 2
    for capture in ciphered:
        (sealed,) = Decoder().feed(capture.data)
        decoder = Decoder()
        assert [found for byte in capture.data for found in decoder.feed(bytes([byte]))] == [sealed]
        assert isinstance(sealed, Sealed)
        assert unseal(sealed.frame, capture.keys).decode("ascii") == capture.expected["plaintext"]
        telegram = Vault().open(sealed.frame, capture.keys)
        assert telegram is not None
        assert telegram == decode(capture.expected["plaintext"].encode("ascii"))
        assert telegram.checked
        objects = [[entry.id, *(list(value) for value in entry.values)] for entry in telegram.objects]
        assert objects == capture.expected["objects"]


def test_public_key_of_luxembourg_is_the_usual_one(p1_captures: list[Any]) -> None:
    """Who configures the encryption key only reads a meter of Luxembourg."""
    (lux,) = (capture for capture in p1_captures if capture.name == "encrypted_lu_smarty_2.bin")
    telegram = Vault().open(lux.data, Keys(lux.keys.encryption))
    assert telegram
    assert telegram.identification == "Lux5\\253663629_D"


def test_every_flipped_bit_of_a_ciphered_capture_is_noticed(p1_captures: list[Any]) -> None:
    """Head, counter, text or tag: nothing gets out, and the counter does not move."""
    tried = 0
    for capture in p1_captures:
        if not capture.is_ciphered:
            continue
        vault = Vault()
        for bit in range(len(capture.data) * 8):
            damaged = bytearray(capture.data)
            damaged[bit // 8] ^= 1 << bit % 8
            for found in Decoder().feed(bytes(damaged) + bytes(300)):
                assert isinstance(found, Sealed)
                with pytest.raises(DecodeError):
                    vault.open(found.frame, capture.keys)
                tried += 1
        assert vault.open(capture.data, capture.keys)
    assert tried > 8000


def test_the_counter_must_rise(seal: Seal) -> None:
    """A repeat and an older frame are refused and counted; a frame of another meter has a counter of its own."""
    vault = Vault()
    for counter, is_taken in ((5, True), (5, False), (4, False), (6, True), (2**32 - 1, True), (7, False)):
        assert (vault.open(seal(TEXT, counter, KEYS), KEYS) is not None) is is_taken
    assert vault.open(seal(TEXT, 1, KEYS, title=b"OTHERONE"), KEYS)
    assert vault.counters == {"repeated_frame": 3}


def test_a_rejected_frame_never_moves_the_counter(seal: Seal) -> None:
    """Neither a forged counter nor text that is no telegram keeps the next true frame out."""
    vault = Vault()
    assert vault.open(seal(TEXT, 5, KEYS), KEYS)
    forged = bytearray(seal(TEXT, 6, KEYS))
    forged[14:18] = b"\xff\xff\xff\xff"
    assert counter_of(bytes(forged)) == 2**32 - 1
    assert vault.open(bytes(forged), KEYS) is None
    assert vault.open(seal(b"no telegram", 900, KEYS), KEYS) is None
    assert vault.open(seal(TEXT[:-6] + b"0000\r\n", 901, KEYS), KEYS) is None
    assert vault.open(seal(TEXT, 6, KEYS), KEYS)
    assert vault.counters == {"bad_tag": 1, "malformed": 1, "bad_crc": 1}


def test_a_wrong_key_is_named_until_one_fits(seal: Seal) -> None:
    """What an installer must change is said; after a frame was opened, one that does not open is noise."""
    frame = seal(TEXT, 5, KEYS)
    for keys, said in (
        (Keys(), "ciphered (the grid operator gives the key"),
        (Keys(bytes(16), KEYS.authentication), "the key does not open this telegram"),
        (Keys(KEYS.encryption), "auth_key_file"),
        (Keys(bytes(5)), "wrong length"),
    ):
        vault = Vault()
        with pytest.raises(DecodeError, match=re.escape(said)):
            vault.open(frame, keys)
        assert sum(vault.counters.values()) == 1
    vault = Vault()
    assert vault.open(frame, KEYS)
    assert vault.open(frame[:-1] + b"?", KEYS) is None


@pytest.mark.parametrize(("control", "tag"), [(0x10, 12), (0x20, 0), (0x30, 11), (0x31, 12)])
def test_only_what_is_ciphered_and_signed_is_read(seal: Seal, control: int, tag: int) -> None:
    """A frame without a tag proves nothing; a cut tag does not count; suite 1 is the same with AES-128."""
    frame = seal(TEXT, 5, KEYS, control=control, tag=tag)
    if control == 0x31:
        assert unseal(frame, KEYS) == TEXT
        return
    with pytest.raises(DecodeError, match="unsigned_frame" if control != 0x30 else "bad_tag"):
        unseal(frame, KEYS)


def test_a_text_of_two_telegrams_is_none(seal: Seal) -> None:
    """One frame holds one telegram."""
    with pytest.raises(DecodeError, match="malformed"):
        decode(TEXT + TEXT)
    vault = Vault()
    assert vault.open(seal(TEXT + b"\0\0", 1, KEYS), KEYS)
