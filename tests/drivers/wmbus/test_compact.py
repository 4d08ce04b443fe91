"""Compact frames: learnt and known formats, and damage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import DecodeError
from drivers.mbus.records import decode_records
from drivers.wmbus.compact import MAX_FORMATS, Formats, UnknownFormat
from drivers.wmbus.formats import KNOWN
from drivers.wmbus.link import crc16

FULL = bytes.fromhex("02FF20 0000 0413 31D40000 0D78 03 434241 426C FF2C")


def compact(full: bytes) -> bytes:
    """Leave the heads out of records."""
    records = decode_records(full).records
    signature = crc16(b"".join(record.head for record in records))
    values = b"".join(full[record.data_at : record.end] for record in records)
    return signature.to_bytes(2, "little") + crc16(full).to_bytes(2, "little") + values


def test_a_full_frame_teaches_its_format() -> None:
    """The compact frame gives the same records afterwards, texts of any length among them."""
    formats = Formats(())
    with pytest.raises(UnknownFormat, match="unknown format"):
        formats.expand(compact(FULL))
    formats.learn(decode_records(FULL))
    assert formats.expand(compact(FULL)) == FULL
    longer = FULL.replace(b"\x03CBA", b"\x04DCBA")
    assert formats.expand(compact(longer)) == longer


def test_known_formats_need_no_full_frame() -> None:
    """Each line of the list is complete heads of records."""
    formats = Formats()
    assert len(formats) == len(KNOWN) == 17
    for heads in KNOWN:
        full = b"".join(head + bytes({2: 2, 3: 3, 4: 4, 1: 1, 6: 6}[head[0] & 0x0F]) for head in heads)
        assert formats.expand(compact(full)) == full


def test_damage_is_refused() -> None:
    """A turned bit, a missing or an additional byte do not pass the CRC of the whole (Z6)."""
    formats = Formats(())
    formats.learn(decode_records(FULL))
    frame = compact(FULL)
    for bit in range(8 * len(frame)):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecodeError):
            formats.expand(bytes(damaged))
    for wrong in (frame[:-1], frame + b"\0", frame[:3], b""):
        with pytest.raises(DecodeError):
            formats.expand(wrong)


def test_the_list_is_bounded() -> None:
    """The oldest format goes first; one used again is new again."""
    formats = Formats(())
    first = (b"\x04\x13",)
    for number in range(MAX_FORMATS):
        formats.know((b"\x04\x13", bytes((0x04, 0xFF, number % 0x80 | 0x80, number // 0x80))))
        formats.know(first)
    assert len(formats) == MAX_FORMATS
    assert formats.expand(compact(b"\x04\x13" + bytes(4)))


@given(st.binary(max_size=80))
def test_any_bytes_are_expanded_or_refused(data: bytes) -> None:
    """Nothing but DecodeError comes out, with the signature of each known format before the bytes."""
    formats = Formats()
    for heads in KNOWN:
        signature = crc16(b"".join(heads)).to_bytes(2, "little")
        try:
            full = formats.expand(signature + b"\x12\x34" + data)
        except DecodeError:
            continue
        assert crc16(full) == 0x3412
