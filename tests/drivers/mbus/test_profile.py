"""M-Bus meter models: the simulator's telegrams against the decoder, and what a model's file may say."""

from fractions import Fraction
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.mbus.frames import FCB, decode
from drivers.mbus.profile import File, Layout, read_telegram
from drivers.mbus.telegram import decode_telegram
from drivers.profiles import load
from drivers.quantities import QUANTITIES
from simulator.mbus_server import MbusMeter

STEPS = {
    "energy_import": 1, "energy_import_t1": 1, "energy_import_t2": 1, "power": 1, "voltage_l1": 10, "voltage_l2": 10,
    "voltage_l3": 10, "current_l1": 1000, "current_l2": 1000, "current_l3": 1000, "frequency": 10,
}  # fmt: skip
"""Steps of a base unit that the simulated electricity meter shows."""

# The least integer there is means that a meter has no value.
NUMBERS = st.fixed_dictionaries({name: st.integers(1 - 2**31, 2**31 - 1) for name in STEPS})
FILE = {
    "name": "m", "title": "M", "driver": "mbus", "source": "made up", "evidence": "one-source",
    "rows": [{"record": "volume", "quantity": "water_volume"}],
    "examples": [{"telegram": "68", "readings": {}}],
}  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(NUMBERS)
def test_what_a_simulated_meter_shows_is_read(numbers: dict[str, int]) -> None:
    """Z4: every value comes back exactly, whatever it is."""
    shown = {name: number / STEPS[name] for name, number in numbers.items()}
    raw = MbusMeter(5, "21050001", 2, lambda: shown).data(FCB)
    frame = decode(raw)
    said = read_telegram(electricity(), decode_telegram(frame.ci, frame.data))
    exact = {QUANTITIES[name].key: Fraction(number, STEPS[name]) for name, number in numbers.items()}
    assert {key: Fraction(str(value)) for key, value in said.values.items()} == exact


@cache
def electricity() -> Layout:
    """Give the layout of the electricity model."""
    layout: Layout = load("mbus-electricity").layout
    return layout


def test_a_model_may_ask_for_a_reset_and_for_rest() -> None:
    """A sub-code for the meter, and seconds for whoever plans its turns; neither unless said."""
    plain = File.model_validate(FILE).compile()
    assert (plain.reset, plain.rest) == (None, 0)
    careful = File.model_validate(FILE | {"reset": [0x10], "rest": "15m"}).compile()
    assert (careful.reset, careful.rest) == (b"\x10", 900)
    assert File.model_validate(FILE | {"reset": []}).compile().reset == b""


@pytest.mark.parametrize("wrong", [{"rest": "15"}, {"rest": "0s"}, {"reset": [256]}, {"reset": [0] * 11}])
def test_what_no_meter_wants_is_refused(wrong: dict[str, object]) -> None:
    """Durations have a unit, sub-codes are bytes."""
    with pytest.raises(ValueError, match=r"rest|reset"):
        File.model_validate(FILE | wrong)
