"""Registers to values: every type and order, rows made of two places, status bits, absent values."""

import math
import struct
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.codec import Read
from drivers.modbus.layout import Order, Part, Row, Status, compile_page
from drivers.modbus.numbers import Type

CODES: dict[Type, str] = {
    "u16": "H", "s16": "h", "u32": "I", "s32": "i", "u64": "Q", "s64": "q", "f32": "f", "f64": "d",
}  # fmt: skip
ORDERS: tuple[Order, ...] = ("ABCD", "CDAB", "BADC", "DCBA")


def shuffled(data: bytes, order: Order) -> bytes:
    """Bring a value's big-endian bytes into a meter's order, written out differently than in the product."""
    words = [data[n : n + 2] for n in range(0, len(data), 2)]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    if order in ("BADC", "DCBA"):
        words = [word[::-1] for word in words]
    return b"".join(words)


@pytest.mark.parametrize(("kind", "order"), list(product(CODES, ORDERS)))
def test_every_type_in_every_order(kind: Type, order: Order) -> None:
    """Each type in each order of words and bytes gives its number, with a hole before and behind."""
    number = {"f": 1234.5, "d": 1234.5, "H": 54321, "h": -321, "I": 3_000_000_000, "i": -70_000}.get(
        CODES[kind], 70_000
    )
    data = shuffled(struct.pack(f">{CODES[kind]}", number), order)
    row = Row(11, kind, "k", Fraction(1))
    page = compile_page(Read(3, 10, row.registers + 2), [row], order)
    assert page.decode(b"\xde\xad" + data + b"\xbe\xef") == {"k": number}


def test_rows_of_several_widths_with_holes() -> None:
    """Rows in any order of the profile, with holes between, each find their registers."""
    rows = [Row(7, "u16", "c", Fraction(1)), Row(0, "f32", "a", Fraction(1)), Row(3, "s64", "b", Fraction(1))]
    payload = struct.pack(">f2xqH", 2.5, -9, 65535)
    assert compile_page(Read(4, 0, 8), rows, "ABCD").decode(payload) == {"a": 2.5, "b": -9, "c": 65535}


def test_rows_that_overlap() -> None:
    """One register may serve two rows."""
    rows = [Row(0, "u32", "both", Fraction(1)), Row(1, "u16", "low", Fraction(1))]
    assert compile_page(Read(4, 0, 2), rows, "ABCD").decode(b"\0\1\0\2") == {"both": 65538, "low": 2}


def test_known_floats() -> None:
    """230.2 V is 230.2, not 230.1999969; 1234.567 kWh is 1234567 Wh."""
    volt, energy = Row(0, "f32", "v", Fraction(1)), Row(2, "f32", "e", Fraction(1000))
    page = compile_page(Read(4, 0, 4), [volt, energy], "ABCD")
    assert page.decode(bytes.fromhex("43663333") + struct.pack(">f", 1234.567)) == {"v": 230.2, "e": 1234567.0}


@pytest.mark.parametrize("bits", ["7FC00000", "FFC00001", "7F800000", "FF800000"])
def test_nan_and_infinity_are_absent(bits: str) -> None:
    """What is no number never becomes one."""
    page = compile_page(Read(4, 0, 2), [Row(0, "f32", "v", Fraction(1))], "ABCD")
    assert page.decode(bytes.fromhex(bits)) == {}


@given(data=st.binary(min_size=24, max_size=24))
def test_any_bytes_give_finite_numbers(data: bytes) -> None:
    """Whatever the registers hold, no value is NaN or infinite."""
    rows = [Row(0, "f64", "a", Fraction(10**6)), Row(4, "f32", "b", Fraction(10**9, 3600)),
            Row(6, "u64", "c", Fraction(1, 3)), Row(10, "s32", "d", Fraction(1000))]  # fmt: skip
    values = compile_page(Read(4, 0, 12), rows, "ABCD").decode(data)
    assert all(math.isfinite(value) for value in values.values())


@pytest.mark.parametrize(
    ("kind", "pattern"), [("s32", 0x7FFFFFFF), ("s32", 0x80000000), ("u64", 2**64 - 1), ("s16", 0xFFFF), ("f32", 0)]
)
def test_absent_patterns(kind: Type, pattern: int) -> None:
    """A pattern the profile names is absent, its neighbour is a number."""
    row = Row(0, kind, "k", Fraction(1, 10), frozenset({pattern}))
    page = compile_page(Read(3, 0, row.registers), [row], "ABCD")
    assert page.decode(pattern.to_bytes(2 * row.registers, "big")) == {}
    assert page.decode((pattern ^ 1).to_bytes(2 * row.registers, "big")) != {}


@pytest.mark.parametrize(
    ("power", "value"), [(0, 1234), (-1, 123.4), (-3, 1.234), (3, 1234000), (10, 12340000000000), (-10, 0)]
)
@pytest.mark.parametrize("order", ORDERS)
def test_scale_from_another_register(power: int, value: float, order: Order) -> None:
    """A value times the power of ten that stands elsewhere is that decimal, wherever the power lies."""
    for at in (0, 5):
        row = Row(2, "u32", "k", Fraction(1), scale=Part(at, "s16"))
        data = bytearray(12)
        data[4:8] = shuffled(struct.pack(">I", 1234), order)
        data[2 * at : 2 * at + 2] = shuffled(struct.pack(">h", power), order)
        page = compile_page(Read(3, 0, 6), [row], order)
        assert page.decode(bytes(data)) == {"k": value}


@pytest.mark.parametrize("power", [-32768, -11, 11, 32767])
def test_scale_that_is_none(power: int) -> None:
    """SunSpec's pattern for "not there", and powers no device has, leave no value."""
    page = compile_page(Read(3, 0, 2), [Row(0, "u16", "k", Fraction(1), scale=Part(1, "s16"))], "ABCD")
    assert page.decode(struct.pack(">Hh", 5, power)) == {}


def test_absent_value_with_a_scale() -> None:
    """The value's own pattern counts before it is scaled."""
    row = Row(0, "s16", "k", Fraction(1), frozenset({0x8000}), scale=Part(1, "s16"))
    assert compile_page(Read(3, 0, 2), [row], "ABCD").decode(struct.pack(">Hh", 0x8000, 0)) == {}


@given(whole=st.integers(0, 99_999_999), part=st.integers(0, 999))
def test_whole_and_fraction_are_added(whole: int, part: int) -> None:
    """Cubic metres as an integer and their litres as a float are one number, to the litre."""
    row = Row(0, "u32", "k", Fraction(1000), plus=Part(2, "f32"))
    page = compile_page(Read(3, 0, 4), [row], "ABCD")
    assert page.decode(struct.pack(">If", whole, part / 1000)) == {"k": 1000 * whole + part}
    assert page.decode(struct.pack(">If", whole, math.nan)) == {}


def test_made_rows_beside_plain_ones() -> None:
    """Both kinds come out of one answer, and what must be read for a row spans both its places."""
    rows = [Row(4, "u16", "a", Fraction(1)), Row(0, "u16", "b", Fraction(1), scale=Part(3, "s16"))]
    assert (rows[1].span.start, rows[1].span.end) == (0, 4)
    page = compile_page(Read(3, 0, 5), rows, "ABCD")
    assert page.decode(struct.pack(">H4xhH", 7, 1, 9)) == {"a": 9, "b": 70}


def test_bits_are_words() -> None:
    """Each bit of a status register that is set gives its word, once; nothing else does."""
    rows = [
        Status(0, "u16", ((1 << 0, "leak"), (1 << 15, "battery_low"))),
        Status(1, "u32", ((1 << 31, "tamper"), (1 << 1, "leak"))),
    ]
    page = compile_page(Read(3, 0, 3), rows, "ABCD")
    assert page.status is not None
    assert page.decode(bytes(6)) == {}
    for data, words in [
        ("0000 0000 0000", ()), ("0001 0000 0000", ("leak",)), ("8000 8000 0000", ("battery_low", "tamper")),
        ("0001 0000 0002", ("leak",)), ("7FFE 7FFF FFFD", ()),
    ]:  # fmt: skip
        assert page.status(bytes.fromhex(data)) == words
