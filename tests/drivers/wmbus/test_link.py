"""The link layer: formats A and B, frames without CRCs, and damage."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import DecodeError
from drivers.wmbus.link import LONGEST, crc16, decode_frame, split, with_crcs
from simulator.wmbus_stick import format_a, format_b, radio_crc

FRAMES = st.binary(min_size=10, max_size=245).map(lambda body: bytes((len(body),)) + body)


def captured(captures: Path, mark: str) -> list[bytes]:
    """Read the captures whose encoding says `mark`."""
    entries = json.loads((captures / "wmbus/index.json").read_text())["entries"]
    files = [entry["file"] for entry in entries if mark in entry["encoding"]]
    return [bytes.fromhex((captures / "wmbus" / file).read_text()) for file in files]


def test_captured_frames_with_crcs(captures: Path) -> None:
    """Every captured frame of format A and B is whole, and the CRCs are out of it."""
    found = captured(captures, "with CRCs")
    assert len(found) == 14
    for data in found:
        ((start, end, frame),) = split(data)
        assert (start, end) == (0, len(data))
        assert frame[0] + 1 == len(frame) < len(data)


def test_captured_frames_without_crcs(captures: Path) -> None:
    """Every other captured frame has a sender of digits and letters, and nothing is left between frames."""
    found = captured(captures, "CRCs already removed") + captured(captures, "CRCs removed")
    for data in found:
        places = list(split(data))
        assert places[-1][1] == len(data)
        for _, _, frame in places:
            assert decode_frame(frame).sender.manufacturer.isalpha()
    assert len(found) > 160


def test_any_flipped_bit_is_refused(captures: Path) -> None:
    """No single bit of a frame with CRCs can turn without being noticed (Z6)."""
    for data in captured(captures, "with CRCs"):
        for bit in range(8 * len(data)):
            damaged = bytearray(data)
            damaged[bit // 8] ^= 1 << bit % 8
            found = with_crcs(bytes(damaged))
            assert found is None or found[0] != len(data)


@given(FRAMES)
def test_crcs_of_both_formats(frame: bytes) -> None:
    """What is written with CRCs, by code of its own, is read without them (Z4)."""
    assert crc16(frame).to_bytes(2, "big") == radio_crc(frame)
    assert with_crcs(format_a(frame)) == (len(format_a(frame)), frame)
    if len(frame) > 12:
        assert with_crcs(format_b(frame)) == (len(format_b(frame)), frame)
    assert len(format_a(frame)) <= LONGEST


@given(st.binary(max_size=600))
def test_any_bytes_are_split_or_refused(data: bytes) -> None:
    """Frames follow one another within the bytes, whatever these are."""
    at = 0
    for start, end, frame in split(data):
        assert at <= start < end <= len(data)
        assert decode_frame(frame).payload
        at = end


@pytest.mark.parametrize("data", [b"", b"\x0a" + bytes(9), b"\x0b" + bytes(10), b"\x0a" + bytes(11)])
def test_a_wrong_length_is_refused(data: bytes) -> None:
    """The first byte must count all others, and there must be a payload."""
    with pytest.raises(DecodeError, match="counts all that follow"):
        decode_frame(data)
