"""Tests of drivers/p1/framing.py: ciphered frames and 7E1 characters among rubbish, in any chunks, at bounded cost."""

import time
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import Keys
from drivers.p1.codec import Decoder, Sealed, Telegram, encode
from drivers.p1.framing import LIMIT, Framing

KEYS = Keys(bytes(16))
PLAIN = encode("NBD5\\2FRAME", ["1-0:1.8.0(006545.766*kWh)"])
BARE = b"/NBD3\\2FRAME\r\n\r\n1-0:1.8.0(006545.766*kWh)\r\n0-1:24.3.0(260301110000)(00)(m3)\r\n(00001.001)\r\n!\r\n"

Seal = Callable[..., bytes]


def with_parity(text: bytes) -> bytes:
    """Write characters of seven bits and even parity as a head that knows 8N1 only delivers them."""
    return bytes(byte | (byte.bit_count() % 2) << 7 for byte in text)


def feed(data: bytes, cuts: list[int]) -> list[Telegram | Sealed]:
    """Feed in chunks that end where told."""
    decoder = Decoder()
    ends = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [found for start, end in pairwise(ends) for found in decoder.feed(data[start:end])]


def test_seven_bits_with_parity_read_as_eight() -> None:
    """The same telegram as with parity taken off by the port, with and without a checksum, in one piece or bytewise."""
    for text in (PLAIN, BARE):
        (telegram,) = feed(text, [])
        assert feed(with_parity(text), []) == feed(with_parity(text), list(range(300))) == [telegram]


def test_every_flipped_bit_is_noticed_by_its_parity() -> None:
    """A telegram without a checksum gives nothing, or what it said, whichever bit of its text was flipped."""
    data = with_parity(BARE)
    (telegram,) = feed(data, [])
    for bit in range(len(data.rstrip(b"\r\n\x8d")) * 8):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        assert feed(bytes(damaged), []) in ([], [telegram]), bit


def test_flipped_upper_bit_is_noticed_without_a_checksum() -> None:
    """Where there is no parity and no checksum, what cannot be printed is damage at least."""
    for place in range(4, len(BARE) - 3):
        damaged = BARE[:place] + bytes([BARE[place] | 0x80]) + BARE[place + 1 :]
        assert feed(damaged, []) == []


@pytest.fixture(scope="module")
def frames(seal: Seal) -> list[bytes]:
    """Give three frames of one meter."""
    return [seal(PLAIN * size, size, KEYS) for size in (1, 2, 9)]


@settings(max_examples=150)
@given(cuts=st.lists(st.integers(0, 2500), max_size=40), order=st.permutations(range(5)), noise=st.binary(max_size=40))
def test_all_frames_are_found_in_any_chunks(
    frames: list[bytes], cuts: list[int], order: list[int], noise: bytes
) -> None:
    """Plain, 7E1 and ciphered frames with noise between them, however the line delivers them (Z3)."""
    pieces = [*frames, PLAIN, with_parity(PLAIN)]
    noise = noise.replace(b"/", b"").replace(b"\xaf", b"").replace(b"\xdb", b"")
    stream = noise + noise.join(pieces[place] for place in order) + noise
    found = feed(stream, cuts)
    assert found == feed(stream, [])
    (plain,) = feed(PLAIN, [])
    assert found == [Sealed(frames[place]) if place < len(frames) else plain for place in order]


@pytest.mark.parametrize("lost", [1, 3, 9, 50, 200])
def test_a_cut_frame_costs_itself_only(frames: list[bytes], lost: int) -> None:
    """The frame after one that lost its end, its middle or its length is found; a lost byte or two may hide it."""
    first, second = frames[1:]
    for damaged in (first[: len(first) - lost], first[:30] + first[30 + lost :], first[:11] + b"\x1f\xff" + first[13:]):
        found = feed(damaged + second + PLAIN, [])
        assert (Sealed(second) in found) or lost == 1
        assert isinstance(found[-1], Telegram)
        assert Sealed(first) not in found


def test_ciphered_bytes_may_look_like_any_start(seal: Seal) -> None:
    """A telegram's start and end, or another meter's title, inside of a frame cut nothing."""
    frame = seal(b"x" * 300, 1, KEYS)
    for inside in (PLAIN, b"\r\n!\r\n/ABC", b"\xdb\x08OTHERONE\x82\x01\x00\x30", b"\xaf\xc1\xc1\xc1"):
        strange = frame[:50] + inside + frame[50 + len(inside) :]
        assert feed(strange + PLAIN, [])[0] == Sealed(strange)


def test_what_is_left_at_the_end_is_a_cut_frame(frames: list[bytes]) -> None:
    """A recording that breaks off says so; a bare end mark needs nothing behind it there."""
    for data in (PLAIN[:20], frames[0][:40], b"/NBD"):
        framing = Framing()
        assert not list(framing.feed(data))
        (cut,) = framing.finish()
        assert (cut.kind, cut.body) == ("cut", data)
    framing = Framing()
    assert not list(framing.feed(BARE[:-2]))
    assert [cut.kind for cut in framing.finish()] == ["plain"]
    assert not list(Framing().finish())


HOSTILE = {
    "heads": b"\xdb\x08NABDNABD\x82\x1f\xff\x30",
    "other heads": b"".join(b"\xdb\x08%08d\x82\x1f\xff\x30" % number for number in range(100)),
    "short frames": b"".join(b"\xdb\x08%08d\x12\x30" % number + bytes(17) for number in range(100)),
    "marks": b"\xdb\x08",
    "parity starts": b"\xaf\xc1\xc1\xc1",
    "starts apart": b"/NBD" + b"." * 40,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_cost_is_bounded(name: str) -> None:
    """64 KB of the worst stay within memory, and take about twice as long as half of them (Z2)."""
    data = (HOSTILE[name] * (65_536 // len(HOSTILE[name]) + 1))[:65_536]

    def cost(part: bytes) -> float:
        start = time.process_time()
        Decoder().feed(part)
        return time.process_time() - start

    whole, half = (min(cost(part) for _ in range(5)) for part in (data, data[:32_768]))
    assert whole <= 2.5 * half + 0.005
    framing = Framing()
    tracemalloc.start()
    for cut in framing.feed(data):
        assert len(cut.body) <= LIMIT + 14
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak <= 20 * len(data) + 1_000_000
    assert len(framing) <= LIMIT + 14


def test_captures_are_not_changed_by_their_form(p1_captures: list[Any]) -> None:
    """Each plain capture, were it sent as 7E1 and read as 8N1, says the same; where its checksum fits, that is."""
    for capture in p1_captures:
        if not capture.is_ciphered and capture.data.isascii():
            assert feed(with_parity(capture.data), [500]) == feed(capture.data, []), capture.name
