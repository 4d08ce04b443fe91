"""Raw numbers to values: exact integers, shortest floats, BCD, units, and what JSON makes of them."""

import json
import math
import struct
from decimal import Decimal
from fractions import Fraction

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.modbus.numbers import Type, converter, registers_of, step_of
from drivers.quantities import DECIMALS, QUANTITIES, UNITS, scale_of

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def f32(value: float) -> float:
    """Give the 32-bit float nearest to a number."""
    nearest: float = struct.unpack(">f", struct.pack(">f", value))[0]
    return nearest


@given(raw=st.integers(-(2**31), 2**31 - 1), scale=st.sampled_from(["1", "0.1", "0.01", "0.001", "10", "1000"]))
def test_scaled_integers_are_exact(raw: int, scale: str) -> None:
    """An integer times a decimal scale is that decimal, to the last digit."""
    value = converter("s32", Fraction(scale))(raw)
    assert value is not None
    assert Decimal(repr(value)) == Decimal(raw) * Decimal(scale)
    assert isinstance(value, int) == (Fraction(scale).denominator == 1)


@given(raw=st.integers(0, 2**64 - 1))
@example(raw=2**53 - 1)
def test_integers_beyond_a_float_become_decimals(raw: int) -> None:
    """More steps than a float can show stay exact."""
    value = converter("u64", Fraction(1, 100))(raw)
    assert isinstance(value, float if raw <= 10**15 else Decimal)
    assert Decimal(str(value)) == Decimal(raw) / 100


def test_no_more_than_the_decimals_of_the_list() -> None:
    """A finer scale, or one that is no decimal, is rounded to the last digit that is published."""
    assert converter("u16", Fraction(1, 10**6))(12345) == 0.0123
    assert converter("u32", Fraction(10**9, 3600))(3) == 833333.3333


@given(raw=FLOATS)
def test_floats_stay_the_same_float(raw: float) -> None:
    """The value read back as a 32-bit float is the register again, unless it has more decimals than are published."""
    value = converter("f32", Fraction(1))(raw)
    assert isinstance(value, float)
    assert f32(value) == raw or value == pytest.approx(raw, abs=0.5000001 / 10**DECIMALS)
    assert abs(Fraction(value) - Fraction(raw)) <= step_of("f32", Fraction(1), Fraction(raw)) * Fraction(51, 100)


@given(number=st.integers(1, 9_999_999), exponent=st.integers(-4, 2))
def test_floats_show_what_was_meant(number: int, exponent: int) -> None:
    """A meter that stores a decimal of up to seven digits as a float is read as that decimal."""
    meant = Decimal(number).scaleb(exponent)
    value = converter("f32", Fraction(1))(f32(float(meant)))
    assert Decimal(repr(value)) == meant


@given(number=st.integers(1, 9_999_999), exponent=st.integers(-6, 0))
def test_floats_of_kilowatt_hours(number: int, exponent: int) -> None:
    """The same in a unit a thousand times larger: seven digits of a kWh are seven digits of a Wh."""
    meant = Decimal(number).scaleb(exponent)
    value = converter("f32", Fraction(1000))(f32(float(meant)))
    wanted = round(meant * 1000, DECIMALS)
    assert abs(Decimal(repr(value)) - wanted) <= (0 if exponent >= -DECIMALS else Decimal("0.0001"))


@given(raw=st.integers(0, 999_999_999))
def test_nine_digits_at_a_thousandth(raw: int) -> None:
    """A register of nine digits and three decimals (M5): exact as an integer, within its own last bit as a float.

    JSON gives each of them back to the last digit.
    """
    exact = Decimal(raw).scaleb(-3)
    as_integer = converter("u32", Fraction(1, 1000))(raw)
    assert Decimal(repr(as_integer)) == exact
    stored = f32(raw / 1000)
    as_float = converter("f32", Fraction(1))(stored)
    assert as_float is not None
    last_bit = Fraction(math.ulp(stored)) * 2**29
    assert abs(Fraction(as_float) - Fraction(stored)) <= max(last_bit / 2, Fraction(1, 20_000))
    assert abs(Fraction(as_float) - Fraction(raw, 1000)) <= max(last_bit, Fraction(1, 10_000))
    for value in (as_integer, as_float):
        assert json.loads(orjson.dumps(value)) == value
        assert "e" not in orjson.dumps(value).decode()


@pytest.mark.parametrize("raw", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_what_is_no_number_is_absent(kind: Type, raw: float) -> None:
    """NaN and infinity never become one."""
    assert converter(kind, Fraction(1000))(raw) is None


def test_largest_floats() -> None:
    """The ends of the range stay numbers of few digits."""
    assert converter("f32", Fraction(1))(f32(3.4028235e38)) == 3.4028235e38
    assert converter("f32", Fraction(1))(f32(16777215)) == 16777215.0
    assert converter("f64", Fraction(1))(1.7976931348623157e308) == pytest.approx(1.7976931348623157e308)


@pytest.mark.parametrize(("kind", "digits"), [("bcd16", 4), ("bcd32", 8), ("bcd64", 16)])
def test_bcd(kind: Type, digits: int) -> None:
    """Each nibble is a digit; one beyond 9 makes no number."""
    assert registers_of(kind) == digits // 4
    convert = converter(kind, Fraction(1, 100))
    number = "12345678901234567890"[:digits]
    assert Decimal(str(convert(int(number, 16)))) == Decimal(number) / 100
    assert convert(0) == 0
    for place in range(digits):
        for digit in range(10, 16):
            assert convert(digit << 4 * place) is None


@given(raw=st.integers(0, 2**32 - 1))
def test_bcd_is_its_hexadecimal_text(raw: int) -> None:
    """Whatever stands in the register, the digits or nothing."""
    value = converter("bcd32", Fraction(1))(raw)
    text = f"{raw:x}"
    assert value == (int(text) if text.isdecimal() else None)


FACTORS: dict[str, Fraction | int] = {
    "Wh": 1, "kWh": 10**3, "MWh": 10**6, "GJ": Fraction(10**9, 3600), "varh": 1, "kvarh": 10**3, "Mvarh": 10**6,
    "W": 1, "kW": 10**3, "MW": 10**6, "var": 1, "kvar": 10**3, "VA": 1, "kVA": 10**3,
    "V": 1, "mV": Fraction(1, 1000), "kV": 10**3, "A": 1, "mA": Fraction(1, 1000), "kA": 10**3,
    "Hz": 1, "mHz": Fraction(1, 1000), "l": 1, "ml": Fraction(1, 1000), "m3": 10**3, "m³": 10**3,
    "ft3": Fraction(28316846592, 10**9), "l/h": 1, "l/min": 60, "l/s": 3600, "m3/h": 10**3, "m³/h": 10**3,
    "C": 1, "°C": 1, "s": 1, "min": 60, "h": 3600, "d": 86400, "": 1, "1": 1, "%": Fraction(1, 100),
}  # fmt: skip
"""Every unit a profile may state, written here once more by hand."""


def test_every_unit_has_its_factor() -> None:
    """No unit is missing from the table above, none differs, and no unit stands for two things."""
    stated = {unit: factor for units in UNITS.values() for unit, factor in units.items()}
    assert stated == FACTORS
    assert sum(len(units) for units in UNITS.values()) == len(stated)


@pytest.mark.parametrize("exponent", range(-6, 7))
@pytest.mark.parametrize(
    ("quantity", "unit"),
    [
        *(("energy_import", unit) for unit in ("Wh", "kWh", "MWh")),
        *(("water_volume", unit) for unit in ("l", "m3", "ft3")),
        *(("power", unit) for unit in ("W", "kW", "MW")),
    ],
)
@pytest.mark.parametrize("raw", [0, 1, 9, 12345678, 999999999, 2**32 - 1])
def test_units_and_exponents(quantity: str, unit: str, exponent: int, raw: int) -> None:
    """Raw times ten to an exponent in any unit is exact, rounded only beyond the published decimals (M12)."""
    factor = Fraction(10) ** exponent * scale_of(quantity, unit)
    value = converter("u32", factor)(raw)
    wanted = Fraction(raw) * Fraction(10) ** exponent * FACTORS[unit]
    assert value is not None
    published = Fraction(str(value))
    assert published == wanted or published == Fraction(round(wanted * 10**DECIMALS), 10**DECIMALS)
    assert QUANTITIES[quantity].unit in ("Wh", "l", "W")
