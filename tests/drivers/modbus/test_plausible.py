"""First values: a wrong order of words never passes, a right one always does, whatever the type; noise does not."""

import random
import struct
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import DecodeError
from drivers.modbus.codec import Read, RtuSearch, crc16
from drivers.modbus.layout import ORDERS, Order, Row, compile_page
from drivers.modbus.numbers import CODES, Type, registers_of
from drivers.modbus.plausible import judge, score
from drivers.quantities import QUANTITIES

WIDE: tuple[Type, ...] = ("u32", "s32", "u64", "s64", "f32", "f64")
CASES = list(product(WIDE, permutations(ORDERS, 2)))

METERS = st.fixed_dictionaries(
    {
        "voltage_l1": st.decimals("195", "255", places=1),
        "current_l1": st.decimals("0", "63", places=2),
        "power": st.decimals("0", "14000", places=1),
        "frequency": st.decimals("49", "51", places=2),
        "energy_import": st.decimals("0", "99999999", places=0),
    }
)
SCALES = {"voltage_l1": "0.1", "current_l1": "0.01", "power": "0.1", "frequency": "0.01", "energy_import": "1"}
TYPICAL = {"voltage_l1": Decimal("230.1"), "current_l1": Decimal("4.5"), "power": Decimal("1035.4"),
           "frequency": Decimal("50.0"), "energy_import": Decimal(1_234_567)}  # fmt: skip


def shuffled(data: bytes, order: Order) -> bytes:
    """Bring a value's big-endian bytes into a meter's order."""
    words = [data[n : n + 2] for n in range(0, len(data), 2)]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    return b"".join(word[::-1] if order in ("BADC", "DCBA") else word for word in words)


def registers(values: Mapping[str, Decimal], kind: Type, order: Order) -> bytes:
    """Store values side by side as a meter of this order does."""
    data = b""
    for name, value in values.items():
        number = float(value) if kind in ("f32", "f64") else int(value / Decimal(SCALES[name]))
        data += shuffled(struct.pack(f">{CODES[kind]}", number), order)
    return data


def verdict(data: bytes, names: list[str], kind: Type, order: Order) -> bool:
    """Judge a reading by a profile of this order."""
    size = registers_of(kind)
    rows = []
    for n, name in enumerate(names):
        factor = Fraction(1) if kind in ("f32", "f64") else Fraction(SCALES[name])
        rows.append(Row(n * size, kind, QUANTITIES[name].key, factor))
    read = Read(3, 0, len(names) * size)
    return judge(order, lambda other: compile_page(read, rows, other).decode(data))


@pytest.mark.parametrize(("kind", "orders"), CASES)
def test_a_wrong_order_is_refused(kind: Type, orders: tuple[Order, Order]) -> None:
    """Every type, every pair of orders: the reading is refused, and the right order is named with its voltage."""
    configured, real = orders
    with pytest.raises(DecodeError, match=f"{configured} gives .*{real} would give .*") as caught:
        verdict(registers(TYPICAL, kind, real), list(TYPICAL), kind, configured)
    assert f'order = "{real}"' in caught.value.hint


@settings(max_examples=600)
@given(
    kind=st.sampled_from(WIDE), orders=st.permutations(ORDERS).map(lambda orders: (orders[0], orders[1])), values=METERS
)
def test_no_wrong_order_passes(kind: Type, orders: tuple[Order, Order], values: dict[str, Decimal]) -> None:
    """Whatever a house's meter shows, standing still or under load."""
    configured, real = orders
    with pytest.raises(DecodeError):
        verdict(registers(values, kind, real), list(values), kind, configured)


@settings(max_examples=300)
@given(kind=st.sampled_from(WIDE), order=st.sampled_from(ORDERS), values=METERS)
def test_the_right_order_passes(kind: Type, order: Order, values: dict[str, Decimal]) -> None:
    """And is proven by the first reading."""
    assert verdict(registers(values, kind, order), list(values), kind, order)


@pytest.mark.parametrize(
    "values",
    [
        {"voltage_l1": "11547.0", "current_l1": "312.4", "power": "-8950000", "frequency": "50.02"},
        {"voltage_l1": "57.7", "current_l1": "1.2", "power": "69.2", "frequency": "60"},
        {"voltage_l1": "230.1", "current_l1": "0", "power": "0", "frequency": "0", "energy_import": "0"},
        {"voltage_l1": "2.3", "current_l1": "0", "power": "0", "frequency": "50"},
        {"voltage_l1": "15000", "current_l1": "900", "power": "13500000", "frequency": "16.7"},
    ],
)
@pytest.mark.parametrize("kind", ["s32", "s64", "f32", "f64"])
@pytest.mark.parametrize("order", ORDERS)
def test_rare_networks_pass(values: dict[str, str], kind: Type, order: Order) -> None:
    """Medium voltage, behind transformers, a dead phase, railways: odd is not impossible."""
    known = {name: Decimal(text) for name, text in values.items()}
    verdict(registers(known, kind, order), list(known), kind, order)


@pytest.mark.parametrize("kind", WIDE)
def test_a_meter_that_stands_still_says_nothing_yet(kind: Type) -> None:
    """Zeros prove no order, and are not refused: the next reading is looked at again."""
    zeros = dict.fromkeys(TYPICAL, Decimal(0))
    assert not verdict(registers(zeros, kind, "ABCD"), list(zeros), kind, "ABCD")


def test_a_profile_that_does_not_fit() -> None:
    """Where no order makes sense, that is said with a value."""
    with pytest.raises(DecodeError, match="no meter says voltage_l1"):
        verdict(bytes.fromhex("7E7E7E7E 7E7E7E7E"), ["voltage_l1", "frequency"], "f32", "ABCD")


def test_one_odd_register_does_not_cost_the_rest() -> None:
    """A meter with one value beyond reason, among good ones, is read."""
    data = registers(TYPICAL, "f32", "ABCD")[:-4] + struct.pack(">f", -3e30)
    assert verdict(data, list(TYPICAL), "f32", "ABCD")


def test_unknown_keys_and_absent_values_count_for_nothing() -> None:
    """Only what has a unit is judged."""
    assert score({"model_code": 71, "voltage_v": 0}).sum == 0
    assert score({"voltage_v": 230.1, "frequency_hz": 3e9}).sum == 1 - 3


@pytest.mark.parametrize("frames", [100_000, pytest.param(10_000_000, marks=pytest.mark.slow)])
def test_random_frames_are_no_answer(frames: int) -> None:
    """A CRC alone lets one random frame of 65,536 through (M11); unit, function and length must fit as well."""
    dice = random.Random(11)
    search = RtuSearch(1, Read(4, 0, 22), Counter())
    for _ in range(frames):
        assert search.feed(dice.randbytes(49)) is None
        search.false_starts = 0


@pytest.mark.parametrize("frames", [100_000, pytest.param(10_000_000, marks=pytest.mark.slow)])
def test_noise_behind_a_right_head(frames: int) -> None:
    """Where only the registers are noise, no more than one in 65,536 passes the CRC."""
    dice = random.Random(12)
    head = b"\x01\x04\x2c"
    passed = sum(crc16(head + (rest := dice.randbytes(46))[:-2]) == rest[-2:] for _ in range(frames))
    expected = frames / 65_536
    assert passed <= expected + 5 * expected**0.5 + 1


def test_noise_that_passed_the_crc_is_no_first_reading() -> None:
    """Eleven floats of noise are refused by their values, but for the few in a hundred that are all but zeros."""
    dice = random.Random(13)
    names = [name for name in QUANTITIES if QUANTITIES[name].unit in ("V", "A", "W", "VA", "var", "Hz", "Wh")][:11]
    published = 0
    for _ in range(1000):
        try:
            verdict(dice.randbytes(44), names, "f32", "ABCD")
        except DecodeError:
            continue
        published += 1
    assert published <= 30
