"""HDLC frames and the TCP wrapper: captured, damaged, split."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import DecodeError
from drivers.crc import x25
from drivers.dlms import hdlc, wrapper
from drivers.dlms.hdlc import Address, Decoder, Frame, Kind, decode
from drivers.dlms.wrapper import Wrapped

SEVEN = st.integers(0, 127)
ADDRESSES = st.one_of(
    st.builds(Address, SEVEN),
    st.builds(Address, SEVEN, SEVEN, st.just(2)),
    st.builds(Address, st.integers(0, 2**14 - 1), st.integers(0, 2**14 - 1), st.just(4)),
)
FRAMES = st.one_of(
    st.builds(
        Frame, ADDRESSES, ADDRESSES, st.just(Kind.I), st.binary(min_size=1, max_size=300), st.integers(0, 7),
        st.integers(0, 7), st.booleans(), st.booleans(),
    ),
    st.builds(
        Frame, ADDRESSES, ADDRESSES, st.sampled_from([Kind.RR, Kind.RNR, Kind.REJ]), receive=st.integers(0, 7),
        final=st.booleans(),
    ),
    st.builds(
        Frame, ADDRESSES, ADDRESSES, st.sampled_from([Kind.SNRM, Kind.UA, Kind.DISC, Kind.DM, Kind.FRMR, Kind.UI]),
        st.binary(max_size=40), final=st.booleans(),
    ),
)  # fmt: skip
NOISE = st.binary(max_size=30).map(lambda noise: noise.replace(b"\x7e", b""))


@given(st.lists(FRAMES, max_size=4), NOISE, st.integers(1, 50))
def test_any_split_gives_the_same_frames(frames: list[Frame], noise: bytes, step: int) -> None:
    """Chunks of any size, noise before: every frame once, in order."""
    data = noise + b"".join(map(bytes, frames))
    decoder, found = Decoder(), []
    for at in range(0, len(data), step):
        found += decoder.feed(data[at : at + step])
    assert found == frames


@given(FRAMES, st.data())
def test_a_flipped_bit_is_caught(frame: Frame, data: st.DataObject) -> None:
    """No frame with one wrong bit is taken, whichever it is."""
    raw = bytearray(bytes(frame))
    bit = data.draw(st.integers(8, 8 * len(raw) - 9))
    raw[bit // 8] ^= 1 << bit % 8
    assert Decoder().feed(bytes(raw)) == []


def test_starts_that_are_none_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of heads that each promise two thousand bytes, no more than the heads is summed up."""
    summed: list[int] = []

    def counted(data: bytes) -> int:
        summed.append(len(data))
        return x25(data)

    monkeypatch.setattr(hdlc, "x25", counted)
    frame = bytes(Frame(Address(1), Address(16), Kind.I, b"x" * 1900))
    head = frame[:8]
    decoder = Decoder()
    summed.clear()
    assert decoder.feed(head * 8000 + frame[:-3] + b"\x00\x00\x7e" + frame) == [decode(frame[1:-1])]
    assert sum(summed) < 20 * 8 * 8000


def test_a_damaged_length_holds_nothing_up() -> None:
    """A head that is whole and wrong asks for no more bytes, however many it says: the next frame comes at once."""
    frame = bytes(Frame(Address(1, 17, 4), Address(16), Kind.UI, bytes(60)))
    damaged = bytearray(frame)
    damaged[1] ^= 0x07
    decoder = Decoder()
    assert decoder.feed(bytes(damaged) + frame) == [decode(frame[1:-1])]
    assert decoder.counters["bad_checksum"] == 1


def test_silence_shows_that_a_start_was_none() -> None:
    """What stands behind a start that never ends is given when the line falls silent."""
    frame = Frame(Address(1), Address(16), Kind.RR)
    decoder = Decoder()
    assert decoder.feed(b"\x7e\xa7\xff" + bytes(frame)) == []
    assert decoder.end() == [frame]
    assert decoder.end() == []


def test_frames_share_a_flag() -> None:
    """One flag may close a frame and open the next."""
    frame = Frame(Address(1), Address(16), Kind.RR)
    assert Decoder().feed(bytes(frame)[:-1] + bytes(frame)) == [frame, frame]


@given(st.binary(max_size=6000))
def test_any_bytes_are_bounded(data: bytes) -> None:
    """Nothing is raised, and no more is kept than the longest frame."""
    decoder = Decoder()
    for at in range(0, len(data), 500):
        decoder.feed(data[at : at + 500])
    assert len(decoder._buffer) <= 0x7FF + 2


def test_captured_frames_are_read(captures: Path) -> None:
    """Frames of meters, with flags and without, and both sides of a recorded session."""
    for path in sorted((captures / "dlms/hdlc").glob("*.hex")):
        body = bytes.fromhex(path.read_text())
        assert bytes(decode(body))[1:-1] == body, path.name
    told = json.loads((captures / "dlms/transcripts/hls_gmac_hdlc.json").read_text())
    assert told


@pytest.mark.parametrize(
    ("address", "raw"),
    [(Address(16), "21"), (Address(1, 17, 2), "0223"), (Address(1, 0x2345, 4), "00028c8b")],
)
def test_addresses_take_one_two_or_four_bytes(address: Address, raw: str) -> None:
    """Seven bits a byte, the last one marked."""
    assert bytes(address).hex() == raw
    assert Address.of_bytes(bytes(address)) == address


@given(
    st.lists(st.builds(Wrapped, st.integers(0, 65535), st.integers(0, 65535), st.binary(max_size=99)), max_size=4),
    st.integers(1, 50),
)
def test_wrapped_messages_are_found_however_they_are_cut(messages: list[Wrapped], step: int) -> None:
    """A TCP stream has no bounds of its own."""
    data = b"".join(map(bytes, messages))
    decoder, found = wrapper.Decoder(), []
    for at in range(0, len(data), step):
        found += decoder.feed(data[at : at + step])
    assert found == messages


def test_another_protocol_on_the_port_is_told() -> None:
    """What is no wrapper ends the stream."""
    with pytest.raises(DecodeError, match="no DLMS over TCP"):
        wrapper.Decoder().feed(b"\x7e\xa0\x07\x00\x00\x00\x00\x00")
