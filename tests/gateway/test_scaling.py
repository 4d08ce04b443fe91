"""Ratio and offset: exact decimals, on what they are meant for and nothing else, beside what the meter said."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Number, Reading
from drivers.decimals import exact, number
from drivers.profiles import load
from gateway.config.models import MeterTable
from gateway.scaling import Scaling, scaling_of, shown


def table(profile: str, **options: float) -> MeterTable:
    """Make a meter of a configuration."""
    meter = MeterTable.model_construct(name="m", bus="b", profile=load(profile), ratio=1.0, offset=0.0)
    return meter.model_copy(update=options)


def scaled(scaling: Scaling, **values: Number) -> dict[str, Number]:
    """Scale a reading of these values."""
    return dict(scaling.apply(Reading("m", 7, values)).values)


def test_a_plain_meter_costs_nothing() -> None:
    """Without ratio and offset there is nothing to apply."""
    assert scaling_of(table("eastron-sdm120")) is None


def test_what_a_transformer_multiplies() -> None:
    """Energies, powers and currents; neither voltage, frequency nor power factor."""
    scaling = scaling_of(table("eastron-sdm630", ratio=40.0))
    assert scaling is not None
    assert scaled(
        scaling, energy_import_wh=1234567.8, power_w=-100.1, reactive_power_var=3, apparent_power_va=0.3,
        current_l1_a=4.999, voltage_l1_v=230.1, frequency_hz=50.02, power_factor=0.947,
    ) == {
        "energy_import_wh": 49382712, "power_w": -4004, "reactive_power_var": 120, "apparent_power_va": 12,
        "current_l1_a": 199.96, "voltage_l1_v": 230.1, "frequency_hz": 50.02, "power_factor": 0.947,
    }  # fmt: skip


def test_volumes_and_flows() -> None:
    """A pulse's weight counts for the total and for the flow, the offset for the total alone."""
    scaling = scaling_of(table("tuf-2000m", ratio=0.1, offset=1234.5))
    assert scaling is not None
    assert scaled(scaling, water_volume_l=70001, water_flow_l_h=30) == {
        "water_volume_l": 8234.6,
        "water_flow_l_h": 3,
    }


@pytest.mark.parametrize(
    ("profile", "main"),
    [
        ("eastron-sdm630", "energy_import_wh"),
        ("janitza-umg96rm", "energy_import_wh"),
        ("tuf-2000m", "water_volume_l"),
        ("dsmr-p1-gas", "gas_volume_l"),
        ("dsmr-p1-heat", "heat_energy_wh"),
    ],
)
def test_the_main_register_takes_the_offset(profile: str, main: str) -> None:
    """The total, not the first phase of it, whatever order a profile lists them in."""
    scaling = scaling_of(table(profile, offset=-10.25))
    assert scaling is not None
    assert scaling.main == main
    assert scaled(scaling, **{main: 100}) == {main: 89.75}


@given(
    raw=st.decimals("0", "999999999", places=4), ratio=st.decimals("0.001", "100000", places=3),
    offset=st.decimals("-1000000", "1000000", places=2),
)  # fmt: skip
def test_scaling_is_exact(raw: Decimal, ratio: Decimal, offset: Decimal) -> None:
    """What paper and pencil give, to the last published decimal, and no noise of binary fractions behind it."""
    scaling = Scaling(exact(float(ratio)), exact(float(offset)), "energy_import_wh")
    value = scaled(scaling, energy_import_wh=float(raw))["energy_import_wh"]
    wanted = Fraction(str(float(raw))) * Fraction(ratio) + Fraction(offset)
    assert exact(value) == Fraction(round(wanted * 10_000), 10_000)


def test_numbers_beyond_a_float_stay_exact() -> None:
    """Decimals go in and come out where a float could not hold the steps."""
    value = Decimal("900719925474099.3001")
    assert number(exact(value) * 7) == value * 7
    assert isinstance(number(exact(value) * 7), Decimal)
    assert isinstance(number(Fraction(5, 2)), float)
    assert isinstance(number(Fraction(4, 2)), int)


def test_the_raw_value_is_shown_beside() -> None:
    """Who reads a meter sees what it said, where that differs; a plain meter shows nothing more than before."""
    reading = Reading("m", 7, {"energy_import_wh": 100, "voltage_v": 230.1, "current_a": Decimal("0.5")}, ("tamper",))
    scaling = scaling_of(table("eastron-sdm120", ratio=5.0))
    assert shown(reading, scaling) == {
        "meter": "m",
        "values": {"energy_import_wh": 500, "voltage_v": 230.1, "current_a": 2.5},
        "status": ["tamper"],
        "raw": {"energy_import_wh": 100, "current_a": "0.5"},
    }
    assert "raw" not in shown(reading, None)
