"""Registers to values: every type and order, exact decimals, digits of floats, absent values."""

import math
import struct
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.codec import Read
from drivers.modbus.layout import Order, Row, Type, compile_page, converter, step_of
from drivers.quantities import DECIMALS

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


@given(raw=st.integers(-(2**31), 2**31 - 1), scale=st.sampled_from(["1", "0.1", "0.01", "0.001", "10", "1000"]))
def test_scaled_integers_are_exact(raw: int, scale: str) -> None:
    """An integer times a decimal scale is that decimal, to the last digit."""
    value = converter(Row(0, "s32", "k", Fraction(scale)))(raw)
    assert value is not None
    assert Decimal(repr(value)) == Decimal(raw) * Decimal(scale)
    assert isinstance(value, int) == (Fraction(scale).denominator == 1)


@given(raw=st.integers(0, 2**64 - 1))
def test_integers_beyond_a_float_become_decimals(raw: int) -> None:
    """More than 2^53 steps stay exact."""
    value = converter(Row(0, "u64", "k", Fraction(1, 100)))(raw)
    assert isinstance(value, float if raw <= 2**53 else Decimal)
    assert Decimal(str(value)) == Decimal(raw) / 100


def test_no_more_than_the_decimals_of_the_list() -> None:
    """A finer scale, or one that is no decimal, is rounded to the last digit that is published."""
    assert converter(Row(0, "u16", "k", Fraction(1, 10**6)))(12345) == 0.0123
    assert converter(Row(0, "u32", "k", Fraction(10**9, 3600)))(3) == 833333.3333


@given(raw=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floats_keep_seven_digits(raw: float) -> None:
    """A 32-bit float has at most seven significant digits and four decimals, and is as near as that allows."""
    row = Row(0, "f32", "k", Fraction(1))
    value = converter(row)(raw)
    assert isinstance(value, float)
    assert value in (float(f"{value:.7g}"), round(value, DECIMALS))
    assert abs(Fraction(value) - Fraction(raw)) <= step_of(row, Fraction(raw)) * Fraction(51, 100)
    assert math.copysign(1, value) == 1 or value < 0


@given(raw=st.floats(width=32, min_value=-1e9, max_value=1e9))
def test_floats_are_shortest_decimals(raw: float) -> None:
    """The value prints without the noise of a binary fraction."""
    value = converter(Row(0, "f32", "k", Fraction(1000)))(raw)
    assert len(repr(value).strip("-0").replace(".", "").lstrip("0").rstrip("0").split("e")[0]) <= 7


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
