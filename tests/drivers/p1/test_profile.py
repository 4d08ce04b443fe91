"""Tests of drivers/p1/profile.py: shipped models prove themselves, captures give hand-checked values."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.p1.codec import Decoder, Telegram, decode, encode, parse_timestamp
from drivers.p1.profile import Said, read_telegram
from drivers.profiles import ProfileError, available, load, load_file

Read = Callable[..., Said]


def telegram_of(*lines: str) -> Telegram:
    """Make a telegram of these lines."""
    return decode(encode("NBD5", lines))


@pytest.fixture
def of_capture(captures: Path) -> Read:
    """Give a callable that reads one captured telegram with a shipped profile."""

    def read(file: str, profile: str, address: int | str | None = None) -> Said:
        (telegram,) = Decoder().feed((captures / "p1" / file).read_bytes())
        assert isinstance(telegram, Telegram)
        return read_telegram(load(profile).layout, telegram, address)

    return read


@pytest.mark.parametrize("name", [name for name in available() if name.startswith("dsmr-p1")])
def test_shipped_profiles_prove_themselves(name: str) -> None:
    """Loading decodes each example and compares it."""
    assert load(name).driver == "p1"


def test_dutch_meter_of_version_5(of_capture: Read) -> None:
    """Checked by hand against the text of the telegram: kWh and kW become Wh and W, exactly."""
    assert of_capture("telegram_v5.txt", "dsmr-p1").values == {
        "energy_import_t1_wh": 4426, "energy_import_t2_wh": 2399, "energy_export_t1_wh": 2444, "energy_export_t2_wh": 0,
        "power_import_w": 244, "power_export_w": 0,
        "power_import_l1_w": 70, "power_import_l2_w": 32, "power_import_l3_w": 142,
        "power_export_l1_w": 0, "power_export_l2_w": 0, "power_export_l3_w": 0,
        "voltage_l1_v": 230, "voltage_l2_v": 230, "voltage_l3_v": 229,
        "current_l1_a": 0.48, "current_l2_a": 0.44, "current_l3_a": 0.86,
    }  # fmt: skip
    gas = of_capture("telegram_v5.txt", "dsmr-p1-gas")
    assert gas.values == {"gas_volume_l": 107}
    assert gas.captured == parse_timestamp("170102161005W") == 1483369805000


def test_belgian_meter_with_gas_and_water(of_capture: Read) -> None:
    """Checked by hand: each sub-meter is found by its device type and has its own capture time."""
    said = of_capture("telegram_fluvius_v171.txt", "dsmr-p1")
    assert said.values["energy_import_t2_wh"] == 15758
    assert said.values["voltage_l1_v"] == 234.7
    assert said.captured is None
    gas = of_capture("telegram_fluvius_v171.txt", "dsmr-p1-gas")
    assert (gas.values, gas.captured) == ({"gas_volume_l": 112384}, 1589283958000)
    assert of_capture("telegram_fluvius_v171.txt", "dsmr-p1-gas", 1).values == {"gas_volume_l": 112384}
    water = of_capture("telegram_fluvius_v171.txt", "dsmr-p1-water")
    assert water.values == {"water_volume_l": 872234}
    assert of_capture("telegram_fluvius_v171.txt", "dsmr-p1-water", "2").values == {"water_volume_l": 872234}


def test_units_without_asterisk_and_an_impossible_date(of_capture: Read) -> None:
    """The electricity meter is read; the gas value dated 63-25-25 is left out and counted."""
    said = of_capture("openhab_flu5_invalid_gasmeter.txt", "dsmr-p1")
    assert said.values == {
        "energy_import_t1_wh": 123456, "energy_import_t2_wh": 234567, "energy_export_t1_wh": 345678,
        "energy_export_t2_wh": 456789, "power_import_w": 1234, "power_export_w": 0, "voltage_l1_v": 234.5,
        "current_l1_a": 5,
    }  # fmt: skip
    gas = of_capture("openhab_flu5_invalid_gasmeter.txt", "dsmr-p1-gas")
    assert (gas.values, gas.left_out) == ({}, {"bad_time": 1})


@pytest.mark.parametrize(
    ("file", "profile", "values", "captured"),
    [
        ("telegram_v3.txt", "dsmr-p1-gas", {"gas_volume_l": 1001}, None),
        ("telegram_v5_two_mbus.txt", "dsmr-p1-gas", {"gas_volume_l": 246138}, "200426223001S"),
        ("telegram_unpadded_crc.txt", "dsmr-p1-heat", {"heat_energy_wh": 66_905_555.5556}, "260215200523W"),
        ("svrooij_p1-message.txt", "dsmr-p1-gas", {"gas_volume_l": 1543012}, "190514210000S"),
        ("telegram_unpadded_crc.txt", "dsmr-p1", {}, None),
        ("telegram_v5.txt", "dsmr-p1-water", {}, None),
    ],
)
def test_sub_meters_of_captures(
    of_capture: Read, file: str, profile: str, values: dict[str, float], captured: str | None
) -> None:
    """A gas line of version 3, an unset channel before the right one, heat in GJ; nothing where there is nothing."""
    said = of_capture(file, profile)
    assert said.values == values
    assert said.captured == (parse_timestamp(captured) if captured else None)


def test_swedish_luxembourgish_and_easymeter_totals(of_capture: Read) -> None:
    """Totals, reactive energy however its unit is spelt, and codes with a sixth group."""
    swedish = of_capture("amshan_example_data_d_landisgyr_360.txt", "dsmr-p1").values
    assert (swedish["energy_import_wh"], swedish["reactive_energy_import_varh"]) == (10_501_076, 1_761_087)
    assert (swedish["voltage_l2_v"], swedish["current_l3_a"]) == (233.1, 4.8)
    luxembourgish = of_capture("openhab_smarty_lu.txt", "dsmr-p1").values
    assert (luxembourgish["energy_import_wh"], luxembourgish["reactive_energy_export_varh"]) == (6695, 2745)
    easy = of_capture("telegram_esy5q3da1004_v304.txt", "dsmr-p1").values
    assert (easy["energy_import_wh"], easy["power_import_w"]) == (32_549_506.1662, 1688.21)


def test_values_are_the_exact_decimals_of_the_wire() -> None:
    """Every register of three decimals becomes a whole number of Wh, where a float product would often miss it."""
    layout = load("dsmr-p1").layout
    for number in range(0, 10**9, 1_234_567):
        text = f"{number // 1000:06d}.{number % 1000:03d}"
        said = read_telegram(layout, telegram_of(f"1-0:1.8.1({text}*kWh)"))
        assert said.values == {"energy_import_t1_wh": number}


@pytest.mark.parametrize(
    "text", ["", "abc", "1e5*kWh", "-1*kWh", "nan*kWh", "1*V", "1*m3", "1.*kWh", "1" * 13, "1)(*kWh"]
)
def test_values_that_are_none_are_left_out(text: str) -> None:
    """No number, or a unit of another dimension: missing from the reading, and counted."""
    said = read_telegram(load("dsmr-p1").layout, telegram_of(f"1-0:1.8.1({text})"))
    assert said.values == {}
    assert sum(said.left_out.values()) == 1


def test_first_row_with_a_value_gives_a_quantity() -> None:
    """Where a telegram holds two codes of one quantity, the profile's order decides; an unset one does not count."""
    layout = load("dsmr-p1-gas").layout
    for first, value in (("260301110000W", 1000), ("700101010000W", 2000)):
        said = read_telegram(
            layout, telegram_of("0-1:24.1.0(003)", "0-1:24.2.3(260301110000W)(2*m3)", f"0-1:24.2.1({first})(1*m3)")
        )
        assert said.values == {"gas_volume_l": value}
        assert said.captured_text == "260301110000W"


def test_wires_unit_counts_and_a_missing_one_is_the_rows() -> None:
    """Wh on the wire is Wh; no unit means what the model's document says."""
    layout = load("dsmr-p1").layout
    for text, value in (("000123*Wh", 123), ("000123", 123_000), ("0.5*MWh", 500_000)):
        assert read_telegram(layout, telegram_of(f"1-0:1.8.1({text})")).values == {"energy_import_t1_wh": value}


FILE = """
name     = "x"
title    = "X"
driver   = "p1"
source   = "test"
evidence = "one-source"
rows = [
  { obis = "1-0:1.8.1", quantity = "energy_import_t1", unit = "kWh" },
]
[[examples]]
telegram = '''
/NBD5
1-0:1.8.1(1.5*kWh)
!
'''
readings = { energy_import_t1 = 1.5 }
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("= 1.5 }", "= 1.6 }", "examples.0.readings: base units: energy_import_t1_wh 1500 instead of 1600"),
        ("{ energy_import_t1 = 1.5 }", "{ power = 1.5 }", "power is in no row"),
        ('unit = "kWh"', 'unit = "V"', "rows.0.unit: 'V' does not fit energy_import_t1"),
        ('"energy_import_t1"', '"energy_imprt"', "rows.0.quantity: 'energy_imprt' is not in the closed list"),
        ('obis = "1-0:1.8.1"', 'obis = "1.8.1"', "rows.0.obis"),
        ('obis = "1-0:1.8.1"', 'obis = "0-n:24.2.1"', "does not fit device_type None"),
        ('evidence = "one-source"', 'evidence = "one-source"\ndevice_type = 3', "does not fit device_type 3"),
        ("/NBD5", "/12", "is no P1 telegram"),
    ],
)
def test_file_that_contradicts_itself_says_where(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A wrong row or example is an error with its place; the file as it stands above is fine."""
    path = tmp_path / "x.toml"
    path.write_text(FILE, encoding="utf-8")
    assert load_file(path).quantities == ("energy_import_t1",)
    path.write_text(FILE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ProfileError) as error:
        load_file(path)
    assert re.search(message, str(error.value))
