"""DLMS data types: there and back, and every hostile input ends."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import DecodeError
from drivers.dlms.axdr import MAX_DEPTH, Bits, Compact, Data, Reader, Tag, decode, encode, encode_length

RANGES = {
    Tag.INT8: (-(2**7), 2**7 - 1), Tag.UINT8: (0, 2**8 - 1), Tag.INT16: (-(2**15), 2**15 - 1),
    Tag.UINT16: (0, 2**16 - 1), Tag.INT32: (-(2**31), 2**31 - 1), Tag.UINT32: (0, 2**32 - 1),
    Tag.INT64: (-(2**63), 2**63 - 1), Tag.UINT64: (0, 2**64 - 1), Tag.ENUM: (0, 255), Tag.BCD: (0, 255),
    Tag.DELTA_INT8: (-(2**7), 2**7 - 1), Tag.DELTA_UINT16: (0, 2**16 - 1),
}  # fmt: skip

PLAIN: st.SearchStrategy[Data] = st.one_of(
    st.sampled_from([Data(Tag.NULL), Data(Tag.DONT_CARE), Data(Tag.BOOLEAN, True), Data(Tag.BOOLEAN, False)]),
    *(st.integers(*span).map(lambda number, tag=tag: Data(tag, number)) for tag, span in RANGES.items()),  # type: ignore[misc]
    st.floats(width=32, allow_nan=False).map(lambda number: Data(Tag.FLOAT32, number)),
    st.floats(allow_nan=False).map(lambda number: Data(Tag.FLOAT64, number)),
    st.binary(max_size=200).map(lambda octets: Data(Tag.OCTET_STRING, octets)),
    st.text(st.characters(max_codepoint=255), max_size=20).map(lambda text: Data(Tag.VISIBLE_STRING, text)),
    st.text(max_size=20).map(lambda text: Data(Tag.UTF8_STRING, text)),
    st.binary(min_size=12, max_size=12).map(lambda octets: Data(Tag.DATE_TIME, octets)),
    st.binary(min_size=3, max_size=3).map(lambda octets: Data(Tag.BIT_STRING, Bits(20, octets))),
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.tuples(st.sampled_from([Tag.ARRAY, Tag.STRUCTURE]), st.lists(inner, max_size=5)).map(
        lambda made: Data(made[0], tuple(made[1]))
    ),
    max_leaves=20,
)


@given(VALUES)
def test_every_value_comes_back(value: Data) -> None:
    """What is written is read as the same value."""
    assert decode(encode(value)) == value


@given(VALUES, st.data())
def test_every_truncation_is_refused(value: Data, data: st.DataObject) -> None:
    """A value without its last bytes is an error, never a shorter value."""
    raw = encode(value)
    cut = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(DecodeError):
        decode(raw[:cut])


@given(st.binary(max_size=400))
def test_any_bytes_end(data: bytes) -> None:
    """Random bytes are a value or an error, and nothing else."""
    try:
        decode(data)
    except DecodeError:
        return


@pytest.mark.parametrize(
    "raw",
    [
        "01 05", "09 ff 01 02", "02 03 06 00000001", "01 82 ff ff", "09 85 00", "0c 80", "13 00", "13 02 01 13 00 00",
        "13 02 00 01 00", "13 12 01 00", "13 01 ff ff 00 01 00", "63", "",
    ],
)  # fmt: skip
def test_inputs_that_made_others_hang_end_here(raw: str) -> None:
    """Counts beyond the bytes, elements without bytes, types within themselves."""
    with pytest.raises(DecodeError):
        decode(bytes.fromhex(raw))


def test_depth_is_bounded() -> None:
    """Structures nested deeper than any meter's are refused, before the stack is."""
    decode(b"\x02\x01" * MAX_DEPTH + b"\x00")
    with pytest.raises(DecodeError):
        decode(b"\x02\x01" * (MAX_DEPTH + 1) + b"\x00")
    with pytest.raises(DecodeError):
        decode(b"\x02\x01" * 100_000 + b"\x00")


def test_elements_without_bytes_are_bounded() -> None:
    """A type of thousands of nothings, repeated thousands of times, ends at the bound, not when memory does."""
    type_of = b"\x02\x82\x70\x00" + bytes(0x6FFF) + b"\x11"
    with pytest.raises(DecodeError, match="too long"):
        decode(b"\x13" + type_of + b"\x82\x70\x00" + bytes(0x7000))
    for raw in ("13 01 ffff 00 01 00", "13 01 ffff 01 ffff 01 ffff 00 01 00"):
        with pytest.raises(DecodeError):
            decode(bytes.fromhex(raw))


def test_a_compact_array_names_its_types_once() -> None:
    """Two structures of two numbers, and back into the same bytes."""
    raw = bytes.fromhex("13 02 02 12 06 0c 0001 00000002 0003 00000004")
    value = decode(raw)
    assert isinstance(value.content, Compact)
    assert [[part.content for part in element.elements] for element in value.elements] == [[1, 2], [3, 4]]
    assert encode(value) == raw


@pytest.mark.parametrize(
    ("length", "raw"), [(0, "00"), (127, "7f"), (128, "8180"), (256, "820100"), (65536, "83010000")]
)
def test_lengths_are_as_short_as_can_be(length: int, raw: str) -> None:
    """One byte up to 127, then a count of bytes."""
    assert encode_length(length) == bytes.fromhex(raw)
    assert Reader(bytes.fromhex(raw)).length() == length


@pytest.mark.parametrize("value", [Data(Tag.UINT8, 256), Data(Tag.DATE_TIME, b"123"), Data(Tag.OCTET_STRING, 5)])
def test_content_that_does_not_fit_is_no_value(value: Data) -> None:
    """A number too large or a date of another length is a mistake of ours."""
    with pytest.raises(ValueError, match="is no"):
        encode(value)


def test_what_bytes_mean_is_told_without_gaps() -> None:
    """Whoever explains a message hears of each run of bytes once, in order."""
    raw = encode(Data(Tag.STRUCTURE, (Data(Tag.UINT16, 7), Data(Tag.OCTET_STRING, b"ab"), Data(Tag.FLOAT32, math.pi))))
    told: list[tuple[Any, ...]] = []
    Reader(raw, trace=lambda *what: told.append(what)).value()
    assert [start for start, *_ in told] == [0, *(end for _, end, *_ in told[:-1])]
    assert told[-1][1] == len(raw)
    assert told[1][2:] == ("uint16: 7", 1)
