"""The commodity of a reading, which is part of its identity in InfluxDB."""

import pytest

from gateway.flatten import commodity_of


@pytest.mark.parametrize(
    ("keys", "commodity"),
    [
        (("power_w", "energy_import_wh"), "electricity"),
        (("battery_left_s", "gas_volume_l"), "gas"),
        (("flow_temperature_c", "heat_energy_wh"), "heat"),
        (("water_flow_l_h",), "water"),
        (("something_new",), ""),
        ((), ""),
    ],
)
def test_a_reading_names_its_own_commodity(keys: tuple[str, ...], commodity: str) -> None:
    """Its counters decide before gauges that several kinds of meter share; unknown keys name none."""
    assert commodity_of(keys) == commodity
