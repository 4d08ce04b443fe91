"""The codec: whole, byte by byte, behind rubbish, broken; and against frames printed in public documents."""

import struct
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import DecodeError, Refused
from drivers.modbus.codec import (
    Read,
    RtuSearch,
    TcpFrames,
    crc16,
    judge,
    rtu_length,
    rtu_request,
    tcp_head,
    tcp_request,
)  # fmt: skip

READ = Read(3, 0x006B, 3)
REGISTERS = bytes.fromhex("022B 0000 0064")
BODY = b"\x11\x03\x06" + REGISTERS
ANSWER = BODY + crc16(BODY)


def search() -> RtuSearch:
    """Make a search for the answer of unit 17."""
    return RtuSearch(0x11, READ, Counter())


def chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    """Cut bytes at the given places."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(places)]


def answer_of(parts: list[bytes]) -> bytes | None:
    """Feed chunks until there is an answer."""
    decoder = search()
    for part in parts:
        if (answer := decoder.feed(part)) is not None:
            return answer
    return None


def test_crc_of_known_frames() -> None:
    """Two frames that many public documents print: unit 17 asked for 3 registers, and the check value of the CRC."""
    assert rtu_request(0x11, READ).hex() == "1103006b00037687"
    assert crc16(b"123456789") == (0x4B37).to_bytes(2, "little")


def test_tcp_request_bytes() -> None:
    """A TCP request is transaction, protocol 0, length 6, unit, function, start, count."""
    assert tcp_request(0x1501, 0x11, READ).hex() == "15010000000611" + "03006b0003"


def test_whole_and_byte_by_byte() -> None:
    """An answer is found in one piece and in single bytes, and not before its last one."""
    assert search().feed(ANSWER) == REGISTERS
    decoder = search()
    assert [decoder.feed(ANSWER[n : n + 1]) for n in range(len(ANSWER))] == [None] * (len(ANSWER) - 1) + [REGISTERS]


@given(noise=st.binary(max_size=300), behind=st.binary(max_size=40), cuts=st.lists(st.integers(0, 400), max_size=8))
def test_any_noise_and_any_chunks(noise: bytes, behind: bytes, cuts: list[int]) -> None:
    """Noise before, behind, and any chunking give the same registers."""
    assert answer_of(chunks(noise + ANSWER + behind, cuts)) == REGISTERS


@given(pieces=st.lists(st.sampled_from([b"\x11", b"\x11\x03", b"\x11\x03\x06", b"\x03\x06", b"\x11\x83", b"\x00"])))
def test_noise_made_of_our_own_head(pieces: list[bytes]) -> None:
    """Beginnings of an answer that lead nowhere do not hide the real one."""
    assert answer_of([*pieces, ANSWER]) == REGISTERS


def test_answer_one_byte_behind_a_false_start() -> None:
    """Unit 4, function 4, 4 bytes: one stray 04 makes the answer seem to start a byte early."""
    body = b"\x04\x04\x04\x43\x66\x33\x33"
    decoder = RtuSearch(4, Read(4, 0, 2), Counter())
    assert decoder.feed(b"\x04" + body + crc16(body)) == body[3:]


@given(data=st.lists(st.binary(max_size=600), max_size=20))
def test_random_bytes_never_give_anything(data: list[bytes]) -> None:
    """Rubbish gives no answer, raises nothing else than our errors, and the buffer stays bounded."""
    decoder = search()
    for part in data:
        try:
            assert decoder.feed(part) is None
        except DecodeError:
            return
        assert len(decoder) <= RtuSearch.LIMIT


@pytest.mark.parametrize("bit", range(8 * len(ANSWER)))
def test_every_single_bit_flip_is_rejected(bit: int) -> None:
    """One wrong bit anywhere is never accepted."""
    broken = bytearray(ANSWER)
    broken[bit // 8] ^= 1 << bit % 8
    assert search().feed(bytes(broken)) is None


@given(bits=st.sets(st.integers(0, 8 * len(ANSWER) - 1), min_size=2, max_size=3))
def test_few_bit_flips_are_rejected(bits: set[int]) -> None:
    """Up to three wrong bits in a frame this short are never accepted, which the CRC's distance promises."""
    broken = bytearray(ANSWER)
    for bit in bits:
        broken[bit // 8] ^= 1 << bit % 8
    assert search().feed(bytes(broken)) is None


def test_exception_frame() -> None:
    """A refusal is raised with its code, behind noise too."""
    with pytest.raises(Refused) as caught:
        search().feed(b"\x00\x11" + b"\x11\x83\x02" + crc16(b"\x11\x83\x02"))
    assert caught.value.code == 2


def test_flood_is_cut_and_counted() -> None:
    """A megabyte of noise costs a bounded buffer, and the answer behind it is still found."""
    counters: Counter[str] = Counter()
    decoder = RtuSearch(0x11, READ, counters)
    assert decoder.feed(b"\x55" * 1_000_000 + ANSWER) == REGISTERS
    assert len(decoder) <= RtuSearch.LIMIT
    assert counters["flooded_bytes"] > 990_000


def test_length_of_an_answer() -> None:
    """The longest answer fits a frame of 256 bytes."""
    assert rtu_length(Read(4, 0, 125)) == 255


HEAD = tcp_head(7, 0x11, READ)
FRAME = HEAD + REGISTERS


@given(cuts=st.lists(st.integers(0, 80), max_size=8))
def test_tcp_stream_in_any_chunks(cuts: list[int]) -> None:
    """Three frames come out whole however the stream was cut."""
    frames = TcpFrames()
    stream = FRAME + b"\x00\x08\x00\x00\x00\x03\x11\x83\x02" + FRAME
    found = [frame for part in chunks(stream, cuts) for frame in frames.feed(part)]
    assert found == [FRAME, stream[len(FRAME) : len(FRAME) + 9], FRAME]
    assert judge(found[0], HEAD) == REGISTERS


@given(data=st.lists(st.binary(max_size=600), max_size=10))
def test_random_tcp_streams(data: list[bytes]) -> None:
    """Rubbish is cut into frames or is a DecodeError, nothing else; what is judged is refused or raised."""
    frames = TcpFrames()
    try:
        for part in data:
            for frame in frames.feed(part):
                judge(frame, HEAD)
    except (DecodeError, Refused):
        pass


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (FRAME[:6] + b"\x12" + FRAME[7:], "unit 18 answered for unit 17"),
        (FRAME[:7] + b"\x04" + FRAME[8:], "function 4 came for function 3"),
        (struct.pack(">HHHBBB", 7, 0, 7, 0x11, 3, 4) + REGISTERS[:4], "4 bytes came for 6"),
        (struct.pack(">HHHBBB", 7, 0, 7, 0x11, 3, 6) + REGISTERS[:4], "4 bytes came for 6"),
        (struct.pack(">HHHBBB", 7, 0, 11, 0x11, 3, 6) + REGISTERS + b"\0\0", "8 bytes came for 6"),
        (struct.pack(">HHHBBBB", 7, 0, 4, 0x11, 0x83, 2, 0), "function 131"),
        (struct.pack(">HHHBB", 7, 0, 2, 0x11, 3), "not Modbus"),
    ],
)
def test_wrong_tcp_answers(frame: bytes, words: str) -> None:
    """A frame with our transaction id but anything else wrong is a DecodeError that says what."""
    with pytest.raises(DecodeError, match=words):
        [judge(found, HEAD) for found in TcpFrames().feed(frame)]


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 10, 11, 99])
def test_tcp_exceptions(code: int) -> None:
    """Every exception code has words and keeps its number."""
    with pytest.raises(Refused, match=f"exception {code}") as caught:
        judge(struct.pack(">HHHBBB", 7, 0, 3, 0x11, 0x83, code), HEAD)
    assert caught.value.code == code
    assert caught.value.hint
