"""Tests of drivers/wmbusmeters/codec.py: lines of JSON, whole, in pieces, and hostile."""

import contextlib
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import DecodeError
from drivers.wmbusmeters.codec import MAX_LINE, Decoder, decode_line

LINE = b'{"_":"telegram","media":"cold water","id":"0014a807","total_m3":6.408,"n":null,"ok":true,"deep":{"a":[1]}}'


def test_a_line_says_exact_numbers_and_words() -> None:
    """Numbers are decimals, the id is in capitals, and what is nested is not kept."""
    telegram = decode_line(LINE)
    assert (telegram.id, telegram.media) == ("0014A807", "cold water")
    assert telegram.fields["total_m3"] == Decimal("6.408")
    assert (telegram.fields["n"], telegram.fields["ok"], telegram.text("total_m3")) == (None, True, "")
    assert "deep" not in telegram.fields


@pytest.mark.parametrize(
    "line",
    [
        b"", b"null", b"[]", b"{}", b'{"id":12345678}', b'{"id":""}', b'{"id":"1"', b"\xff", b'{"id":"1","a":NaN}',
        b'{"id":"1","a":-Infinity}', b'{"id":"1","a":1e999999999}', b'{"id":"1","a":0e-999999999}',
        b'{"id":"1","a":5E3000000118092883433333330}', b'{"id":"1","a":5E-3000000118092883433333330}',
        b'{"id":"1","a":' + b"9" * 5000 + b"}", b"[" * MAX_LINE, b'{"id":"1","a":"' + b"x" * MAX_LINE + b'"}',
    ],
)  # fmt: skip
def test_what_is_no_telegram_is_refused(line: bytes) -> None:
    """Other JSON, other bytes, numbers without bounds and depth without end are one error."""
    with pytest.raises(DecodeError):
        decode_line(line)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_telegram_or_one_error(data: bytes) -> None:
    """Nothing else escapes, from a line or from a stream."""
    with contextlib.suppress(DecodeError):
        assert decode_line(data).id
    decoder = Decoder()
    decoder.feed(data)
    assert [telegram.id for telegram in decoder.feed(b"\n" + LINE + b"\n")] == ["0014A807"]


@given(st.lists(st.integers(1, 40)))
def test_a_stream_in_any_pieces(sizes: list[int]) -> None:
    """Rubbish before, between and after costs itself only."""
    data = b"Started\n" + LINE + b"\r\n\n{\n" + LINE + b"\n" + LINE[:20]
    decoder, found, at = Decoder(), 0, 0
    for size in [*sizes, len(data)]:
        found += len(decoder.feed(data[at : at + size]))
        at += size
    assert found == 2
    assert decoder.counters == {"no_telegram": 2}


def test_a_line_without_end_is_bounded() -> None:
    """Endless bytes count once, nothing of them is kept, and the line after them is read."""
    decoder = Decoder()
    for _ in range(100):
        assert decoder.feed(b"x" * 1000) == []
    assert decoder.counters == {"too_long": 1}
    assert len(decoder._lines._buffer) <= MAX_LINE
    assert len(decoder.feed(b"y\n" + LINE + b"\n")) == 1
    whole = json.dumps({"id": "1", "a": "x" * MAX_LINE}).encode() + b"\n"
    assert decoder.feed(whole) == []
    assert decoder.counters == {"too_long": 2}
