"""Registers carry the true values: read back here by a decoder of its own, for each type and order."""

import math
import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import profiles
from simulator.meters import Register, VirtualMeter, modbus_meter
from simulator.serving import SimulatorError

ORDERS = st.sampled_from(["ABCD", "CDAB", "BADC", "DCBA"])
FORMATS = {"u16": "H", "s16": "h", "u32": "I", "s32": "i", "u64": "Q", "s64": "q", "f32": "f", "f64": "d"}


def read_back(words: tuple[int, ...], kind: str, order: str) -> float:
    """Decode words the slow and plain way: name the bytes A, B, C, D and look each up."""
    raw = b"".join(word.to_bytes(2, "big") for word in words)
    if order in ("CDAB", "DCBA"):
        raw = b"".join(raw[at : at + 2] for at in range(len(raw) - 2, -1, -2))
    if order in ("BADC", "DCBA"):
        raw = b"".join(bytes([raw[at + 1], raw[at]]) for at in range(0, len(raw), 2))
    number: float = struct.unpack(">" + FORMATS[kind], raw)[0]
    return number


@given(st.sampled_from(sorted(FORMATS)), ORDERS, st.floats(0.0, 60_000.0), st.sampled_from(["1", "0.1", "10"]))
def test_a_gauge_reads_back(kind: str, order: str, value: float, step: str) -> None:
    """A value comes back within half a step, or as near as the type's range lets it."""
    register = Register(0, "power", kind, order, Fraction(step))
    got = read_back(register.words(value), kind, order) * float(step)
    limit = {"u16": 65_535, "s16": 32_767}.get(kind, math.inf) * float(step)
    within = 1e-2 if kind == "f32" else 1e-9 if kind == "f64" else 0.5 * float(step) + 1e-6
    assert abs(got - min(value, limit)) <= within


@given(st.sampled_from(["s16", "s32", "s64", "f32", "f64"]), ORDERS, st.integers(-30_000, 0))
def test_given_back_power_is_negative(kind: str, order: str, value: int) -> None:
    """Signed types keep the sign."""
    assert read_back(Register(0, "power", kind, order).words(value), kind, order) == value


def test_words_lie_as_the_order_says() -> None:
    """0x01020304 in each of the four orders."""
    words = {order: Register(0, "power", "u32", order).words(0x01020304) for order in ("ABCD", "CDAB", "BADC", "DCBA")}
    assert words == {
        "ABCD": (0x0102, 0x0304), "CDAB": (0x0304, 0x0102), "BADC": (0x0201, 0x0403), "DCBA": (0x0403, 0x0201),
    }  # fmt: skip


def test_a_counter_shows_complete_steps_and_rolls_over() -> None:
    """999.9 Wh are 9 steps of 100 Wh; a full register begins again at zero."""
    register = Register(0, "energy_import", "u16", step=Fraction(100))
    assert register.words(999.9) == (9,)
    assert register.words(65_536 * 100 + 250) == (2,)


@pytest.mark.parametrize(
    ("kind", "words"),
    [("u16", (0xFFFF,)), ("s16", (0x7FFF,)), ("u32", (0xFFFF, 0xFFFF)), ("s64", (0x7FFF, 0xFFFF, 0xFFFF, 0xFFFF))],
)
def test_what_is_not_measured_is_marked_absent(kind: str, words: tuple[int, ...]) -> None:
    """Without a pattern of its own, the highest value says absent; NaN does for floats."""
    assert Register(0, "power", kind).words(None) == words
    assert math.isnan(read_back(Register(0, "power", "f32", "CDAB").words(None), "f32", "CDAB"))
    assert Register(0, "power", "u16", absent=0x8000).words(None) == (0x8000,)


def test_a_value_of_two_places_is_whole_steps_and_the_rest() -> None:
    """A total of cubic metres and its fraction together say every litre."""
    step = Fraction(1000)
    whole, rest = (
        Register(0, "water_volume", "u32", step=step),
        Register(2, "water_volume", "f32", step=step, rest=True),
    )
    assert read_back(whole.words(1_234_375.0), "u32", "ABCD") == 1234
    assert read_back(rest.words(1_234_375.0), "f32", "ABCD") == 0.375
    assert read_back(rest.words(1_235_000.0), "f32", "ABCD") == 0.0


def test_only_what_is_asked_for_is_written() -> None:
    """A refresh touches the registers of the request and those it tears, at their place in the block."""
    registers = (Register(10, "power", "u32"), Register(12, "voltage", "u16"), Register(20, "current", "u16"))
    meter = VirtualMeter({4: registers}, lambda: {"power": 70_000.0, "voltage": 230.0, "current": 5.0})
    block = [0] * 11
    meter.refresh(4, range(11, 13), block, 10)
    assert block == [1, 4464, 230, 0, 0, 0, 0, 0, 0, 0, 0]


def test_holes_read_as_zeros_unless_forbidden_or_wide() -> None:
    """Near registers make one span; a forbidden hole, or one too wide, parts them."""
    registers = tuple(Register(at, "power", "u16") for at in (1, 5, 8, 500))
    meter = VirtualMeter({3: registers}, dict, forbidden=(range(6, 8),))
    assert meter.spans(3) == [range(1, 6), range(8, 9), range(500, 501)]
    assert meter.spans(4) == []


def test_every_shipped_modbus_profile_can_be_played() -> None:
    """The registers of each profile in the box take their place without overlap, and read back their values."""
    names = [path.stem for path in profiles.SHIPPED.glob("*.toml") if 'driver   = "modbus"' in path.read_text()]
    assert names
    for name in names:
        profile = profiles.load(name)
        meter = modbus_meter(profile, dict)
        (registers,) = meter.tables.values()
        assert tuple(register.quantity for register in registers if not register.rest) == profile.quantities
        ends = 0
        for register in sorted(registers, key=lambda register: register.at):
            assert register.at >= ends
            ends = register.at + register.size


def test_a_p1_profile_has_no_registers() -> None:
    """Another protocol's profile is refused with a hint."""
    with pytest.raises(SimulatorError, match="no Modbus meter"):
        modbus_meter(profiles.load("dsmr-p1"), dict)
