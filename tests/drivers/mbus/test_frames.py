"""M-Bus frames in a stream: whole, cut, damaged, echoed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import DecodeError
from drivers.mbus.frames import REQ_UD2, RSP_UD, Ack, Decoder, Frame, decode, is_sound, length_of, long, short

FRAME = Frame(RSP_UD, 5, 0x72, bytes(range(40)))
RAW = long(FRAME.control, FRAME.address, FRAME.ci, FRAME.data)
NOISE = st.binary(max_size=20).map(lambda noise: bytes(byte for byte in noise if byte not in (0x10, 0x68, 0xE5)))


@given(st.lists(st.sampled_from([RAW, b"\xe5"]), max_size=5), NOISE, st.integers(1, 30))
def test_any_split_gives_the_same_frames(parts: list[bytes], noise: bytes, step: int) -> None:
    """Chunks of any size, with noise before, give every frame once."""
    data = noise + b"".join(parts)
    decoder, found = Decoder(), []
    for at in range(0, len(data), step):
        found += decoder.feed(data[at : at + step])
    assert found == [FRAME if part == RAW else Ack() for part in parts]


@pytest.mark.parametrize("bit", range(8 * len(RAW)))
def test_a_flipped_bit_is_caught(bit: int) -> None:
    """One wrong bit costs the frame; the whole one behind it is found."""
    flipped = bytearray(RAW)
    flipped[bit // 8] ^= 1 << bit % 8
    found = [frame for frame in Decoder().feed(bytes(flipped) + RAW + RAW) if isinstance(frame, Frame)]
    assert set(found) <= {FRAME}
    assert found


def test_a_flipped_bit_of_a_captured_frame_is_caught(captures: Path) -> None:
    """Z6: each single bit of every captured frame, as far as a frame stands alone."""
    flips = 0
    for path in sorted((captures / "mbus/test-frames").glob("*.hex")):
        raw = bytes.fromhex(path.read_text())
        for bit in range(8 * len(raw)):
            flipped = bytearray(raw)
            flipped[bit // 8] ^= 1 << bit % 8
            length = length_of(flipped[:4])
            assert length != len(raw) or not is_sound(flipped), (path.name, bit)
            flips += 1
    assert flips > 29_000


def test_our_own_words_are_left_out() -> None:
    """A level converter's echo is no answer."""
    decoder = Decoder()
    assert decoder.feed(short(REQ_UD2, 5) + RAW) == [FRAME]
    assert decoder.counters["echo"] == 1


@given(st.binary(max_size=3000))
def test_any_bytes_are_bounded(data: bytes) -> None:
    """Nothing is raised, and no more is kept than the longest frame."""
    decoder = Decoder()
    decoder.feed(data)
    assert decoder.pending < 262


def test_one_frame_is_asked_for() -> None:
    """What is no frame, or more than one, is refused."""
    assert decode(RAW) == FRAME
    for wrong in (b"", RAW[:-1], RAW + RAW, b"\xe5"):
        with pytest.raises(DecodeError):
            decode(wrong)
