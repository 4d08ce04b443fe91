"""Tests of drivers/p1/codec.py: captured telegrams, damage of every kind, bytes of no kind."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.p1.codec import Decoder, Object, Sealed, Telegram, crc16_arc, encode, parse_time, parse_timestamp
from drivers.p1.framing import LIMIT

ONE = encode("NBD5\\2ONE", ["1-3:0.2.8(50)", "1-0:1.8.1(000004.426*kWh)", "0-0:96.13.0()"])
TWO = encode("NBD5\\2TWO", ["1-3:0.2.8(50)", "1-0:1.7.0(01.193*kW)"])
BARE = b"/NBD5\\2OLD\r\n\r\n1-0:1.8.1(12345.678*kWh)\r\n0-1:24.3.0(090212160000)(00)(m3)\r\n(00001.001)\r\n!\r\n"


def only_plain(telegrams: Iterable[Telegram | Sealed]) -> list[Telegram]:
    """Leave out what is ciphered."""
    return [telegram for telegram in telegrams if isinstance(telegram, Telegram)]


def decode(data: bytes) -> list[Telegram]:
    """Feed all at once."""
    return only_plain(Decoder().feed(data))


def bytewise(data: bytes) -> list[Telegram]:
    """Feed byte by byte."""
    decoder = Decoder()
    return only_plain(telegram for byte in data for telegram in decoder.feed(bytes([byte])))


@pytest.fixture(scope="session")
def plain(p1_captures: list[Any]) -> list[tuple[str, bytes, dict[str, Any]]]:
    """Give each capture in the clear: name, bytes, what it is expected to hold."""
    return [(capture.name, capture.data, capture.expected) for capture in p1_captures if not capture.is_ciphered]


def test_every_captured_telegram_is_decoded_whole_and_byte_by_byte(plain: list[tuple[str, bytes, Any]]) -> None:
    """Identification and each expected object with text and unit, whatever the chunks; wrong checksums give nothing."""
    assert len(plain) >= 13
    for name, data, expected in plain:
        telegrams = decode(data)
        assert bytewise(data) == telegrams, name
        if expected["crc_ok"] is False:
            assert telegrams == [], name
            continue
        assert len(telegrams) == 1, name
        assert telegrams[0].identification == expected["identification"], name
        assert telegrams[0].checked == bool(expected["crc_sent"]), name
        assert len(telegrams[0].objects) == len(expected["objects"]), name
        for found, (code, *values) in zip(telegrams[0].objects, expected["objects"], strict=True):
            assert found.id == code, name
            # The gas value that DSMR 3 puts on a line of its own is not in the expected groups.
            assert [list(value) for value in found.values][: len(values)] == values, (name, code)


def test_value_on_a_line_of_its_own_belongs_to_the_object_before() -> None:
    """DSMR 2 and 3 write a gas value on the next line, and end without a checksum."""
    (telegram,) = decode(BARE)
    assert not telegram.checked
    assert telegram.objects[1].values == (("090212160000", None), ("00", None), ("m3", None), ("00001.001", None))


def test_captured_telegrams_between_rubbish(plain: list[tuple[str, bytes, Any]]) -> None:
    """What stands before and after a telegram, or is left of one cut in the middle, costs no telegram."""
    rubbish = bytes(range(256)) + b"!\r\n/1\r\n!FFFF\r\n"
    for name, data, _ in plain:
        telegrams = decode(data)
        for before in (rubbish, data[len(data) // 2 :], data[: len(data) // 2], ONE[:30]):
            stream = before + data + b"\r\n" + rubbish + ONE
            found = [telegram for telegram in decode(stream) if telegram.identification != "NBD5\\2ONE"]
            assert found[-1:] == telegrams, name
            assert bytewise(stream) == decode(stream), name
            assert decode(stream)[-1].identification == "NBD5\\2ONE", name


@given(st.data())
def test_chunks_do_not_matter(data: st.DataObject) -> None:
    """Telegrams and noise in any chunks give the same telegrams."""
    stream = b"\x00ab/x\r\n" + BARE + ONE + ONE[:40] + TWO + TWO[20:] + ONE
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=30)))
    decoder = Decoder()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += only_plain(decoder.feed(stream[start:end]))
    assert [telegram.identification[6:] for telegram in found] == ["OLD", "ONE", "TWO", "ONE"]
    assert decoder.counters["cut"] == 1


def flips(data: bytes) -> Iterator[bytes]:
    """Give copies with one bit flipped, each in turn."""
    for bit in range(len(data) * 8):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        yield bytes(damaged)


WHOLE = ("telegram_unpadded_crc.txt", "telegram_v5.txt", "ONE")


@pytest.mark.parametrize("is_first", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_every_single_flipped_bit_is_noticed(plain: list[tuple[str, bytes, Any]], is_first: bool) -> None:
    """All bits of every captured telegram that has a checksum, and of one made: no damaged one gets through (Z6)."""
    tried = 0
    for name, data, expected in [*plain, ("ONE", ONE, {"crc_ok": True})]:
        if not expected["crc_ok"] or (name in WHOLE) != is_first:
            continue
        data = data[data.index(b"/") :].rstrip(b"\r\n")  # noqa: PLW2901  what follows the checksum proves nothing
        for damaged in flips(data):
            # A lone letter of a checksum in the other case says the same.
            assert decode(damaged + b"\r\n") == [] or damaged.upper() == data.upper(), name
            tried += 1
    assert tried > (8000 if is_first else 35_000)


def test_bad_checksum_is_counted_and_costs_one_telegram() -> None:
    """The next telegram is read, whatever stood where the checksum should be."""
    for checksum in (b"0000", b"xyz", b"12", b"aBcD", b"!!!!", b"-1  "):
        decoder = Decoder()
        found = only_plain(decoder.feed(ONE[:-6] + checksum + b"\r\n" + TWO))
        assert [telegram.identification for telegram in found] == ["NBD5\\2TWO"], checksum
        assert decoder.counters["bad_crc"] == 1


def test_checksum_may_be_short_or_small_letters() -> None:
    """Some meters leave out leading zeros; both cases of letters are hex, but not mixed: that is a flipped bit."""
    numbers = (encode("NBD5", [f"0-0:96.1.1({number})"]) for number in range(2000))
    short = next(telegram for telegram in numbers if telegram[-6:-5] == b"0" and telegram[-5:-2].isalpha())
    assert len(decode(short[:-6] + short[-5:])) == 1
    assert len(decode(short[:-6] + short[-6:].lower())) == 1
    assert decode(short[:-3] + short[-3:].lower()) == []


def test_full_checksum_needs_no_line_end() -> None:
    """Four digits are enough: the reading need not wait for the next telegram."""
    assert len(decode(ONE[:-2])) == 1
    assert decode(ONE[:-3]) == []


def test_bare_end_is_taken_only_from_whole_lines() -> None:
    """Without a checksum a line that is no object means damage; so does a telegram of nothing."""
    for damaged in (BARE.replace(b"*kWh)", b"*kWh"), BARE.replace(b"1-0:1", b"1?0:1"), b"/NBD5\r\n\r\n!\r\n"):
        decoder = Decoder()
        assert decoder.feed(damaged) == []
        assert decoder.counters["malformed"] == 1


def test_unreadable_line_of_a_proven_telegram_costs_that_line() -> None:
    """A vendor's odd line is left out and counted; the others are read."""
    decoder = Decoder()
    (telegram,) = only_plain(decoder.feed(encode("NBD5", ["1 -3:0.2.8(40)", "1-0:1.7.0(01.193*kW)"])))
    assert telegram.objects == (Object("1-0:1.7.0", (("01.193", "kW"),)),)
    assert decoder.counters == {"unreadable_line": 1}


def test_endless_telegram_is_dropped_and_memory_stays_small() -> None:
    """A start without an end costs the bound at most, and the next telegram is read."""
    for piece in (b"1" * 7000, b"1-0:1.8.1(1)\r\n" * 700):
        decoder = Decoder()
        decoder.feed(b"/NBD5")
        for _ in range(100):
            assert decoder.feed(piece) == []
            assert len(decoder._framing) <= LIMIT
        assert decoder.counters["too_long"] == 1
        assert len(decoder.feed(b"\r\n" + ONE)) == 1


def test_bound_is_the_same_in_one_piece_and_byte_by_byte() -> None:
    """A telegram of exactly the bound is read; one byte more is too long, whichever way it comes."""
    frame = len(encode("NBD5", ["0-0:96.13.0()"])) - len(b"XXXX\r\n")
    for extra, count in ((0, 1), (1, 0)):
        data = encode("NBD5", ["0-0:96.13.0(" + "3" * (LIMIT - frame + extra) + ")"])
        assert len(decode(data)) == len(bytewise(data)) == count


@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([b"/ABC", b"\n!", b"\r\n", b"!ABCD", b"(1)", ONE]))))
def test_random_bytes_never_raise(chunks: list[bytes]) -> None:
    """Whatever comes, feeding it gives telegrams or nothing, and the same in one piece."""
    decoder = Decoder()
    found = [telegram for chunk in chunks for telegram in decoder.feed(chunk)]
    assert found == decode(b"".join(chunks))


TEXT = st.text("0189.AFkWh-_", max_size=20)


@given(TEXT, st.lists(st.tuples(st.sampled_from(["1-0:1.8.0", "0-1:24.2.1", "1-0:1.8.0*255"]), TEXT, TEXT)))
def test_encode_and_decode_are_two_halves(name: str, rows: list[tuple[str, str, str]]) -> None:
    """What is encoded comes back, text by text."""
    (telegram,) = decode(encode(f"NBD5{name}", (f"{code}({text})({text}*{unit})" for code, text, unit in rows)))
    assert telegram.checked
    assert telegram.identification == f"NBD5{name}"
    assert telegram.objects == tuple(Object(code, ((text, None), (text, unit))) for code, text, unit in rows)


def test_crc_of_the_standard_check_string() -> None:
    """CRC-16/ARC of 123456789 is BB3D."""
    assert crc16_arc(b"123456789") == 0xBB3D


def utc_ms(*parts: int) -> int:
    """Give UTC ms of a date."""
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 1000  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("170102192002W", utc_ms(2017, 1, 2, 18, 20, 2)),
        ("200426223325S", utc_ms(2020, 4, 26, 20, 33, 25)),
        ("161030020000S", utc_ms(2016, 10, 30, 0, 0, 0)),
        ("161030020000W", utc_ms(2016, 10, 30, 1, 0, 0)),
        ("240229120000W", utc_ms(2024, 2, 29, 11, 0, 0)),
        ("090212160000", None),
        ("632525252525W", None),
        ("230229120000W", None),
        ("000101000001W", None),
        ("700101010000W", None),
        ("230202132747S", None),
        ("23020213274W", None),
        ("170102192002X", None),
        ("17010219200²W", None),
        ("", None),
    ],
)
def test_times(text: str, ms: int | None) -> None:
    """A letter makes a time UTC; unset clocks, impossible dates and summer in winter give none."""
    assert parse_timestamp(text) == ms


def test_time_without_letter_is_a_date_without_zone() -> None:
    """DSMR 2 and 3 give local time only: good for telling old from new, not for a timestamp."""
    assert parse_time("090212160000") == datetime(2009, 2, 12, 16, 0, 0)  # noqa: DTZ001
    assert parse_time("091312160000") is None


@given(st.text(max_size=20))
def test_no_text_makes_a_time_raise(text: str) -> None:
    """Any text is a time or None."""
    parse_timestamp(text)
