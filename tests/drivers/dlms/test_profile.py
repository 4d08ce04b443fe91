"""DLMS meter models against captured pushes, and files that contradict themselves."""

import json
from pathlib import Path

import pytest

from drivers.contract import Keys
from drivers.dlms.acse import Mechanism
from drivers.dlms.analyze import readings
from drivers.profiles import ProfileError, load, load_file

NAMES = {
    "active_power_import_total": "energy_import_wh", "active_power_export_total": "energy_export_wh",
    "reactive_power_import_total": "reactive_energy_import_varh",
    "reactive_power_export_total": "reactive_energy_export_varh",
    "active_power_import": "power_import_w", "active_power_export": "power_export_w",
    "active_power_import_l1": "power_import_l1_w", "active_power_export_l1": "power_export_l1_w",
    "active_power_import_l2": "power_import_l2_w", "active_power_export_l2": "power_export_l2_w",
    "active_power_import_l3": "power_import_l3_w", "active_power_export_l3": "power_export_l3_w",
    "current_l1": "current_l1_a", "current_l2": "current_l2_a", "current_l3": "current_l3_a",
    "voltage_l1": "voltage_l1_v", "voltage_l2": "voltage_l2_v", "voltage_l3": "voltage_l3_v",
}  # fmt: skip
"""The independent decoder's names, and ours."""


@pytest.mark.parametrize(
    ("file", "profile"),
    [
        ("amshan_aidon_no_list_2", "dlms-aidon"), ("amshan_aidon_se_list", "dlms-aidon"),
        ("amshan_kaifa_no_list_2", "dlms-kaifa"), ("amshan_kaifa_se_list", "dlms-kaifa"),
        ("amshan_kamstrup_no_list_1_three_phase", "dlms-kamstrup"),
        ("amshan_kamstrup_no_list_2_single_phase_real_sample", "dlms-kamstrup"),
        ("amshan_kamstrup_se_list_real_sample", "dlms-kamstrup"),
    ],
)  # fmt: skip
def test_nordic_pushes_are_what_another_decoder_made_of_them(captures: Path, file: str, profile: str) -> None:
    """Every value of the other decoder that has a name of ours, to the last digit, and none besides."""
    entries = json.loads((captures / "dlms/index.json").read_text())["entries"]
    told = next(entry for entry in entries if entry["file"] == f"push/{file}.hex")["expected"]["fields"]
    expected = {NAMES[name]: value for name, value in told.items() if name in NAMES}
    data = bytes.fromhex((captures / "dlms/push" / f"{file}.hex").read_text())
    assert readings(data, load(profile), Keys()) == (expected,)


@pytest.mark.parametrize(
    ("file", "profile", "key", "expected"),
    [
        ("scs_lg_e450_unencrypted_valid_data1", "dlms-landis-e450", None,
         {"energy_import_wh": 25149419, "energy_export_wh": 4422366, "power_import_w": 777, "power_export_w": 0}),
        ("scs_lg_e570_encrypted_valid_data", "dlms-landis-e570", "101112131415161718191A1B1C1D1E1F",
         {"energy_import_wh": 862055, "energy_export_wh": 641361, "power_import_w": 0, "power_export_w": 0,
          "power_factor": 1}),
        ("scs_lg_e570_unencrypted_valid_data_cfg2026", "dlms-landis-e570", None,
         {"energy_import_wh": 0, "energy_export_wh": 0, "reactive_energy_import_varh": 0,
          "reactive_energy_export_varh": 0, "power_import_w": 0, "power_export_w": 0, "voltage_l1_v": 232,
          "voltage_l2_v": 0, "voltage_l3_v": 0}),
        ("scs_lg_e360_unencrypted_valid_data_cfg2026", "dlms-landis-e360", None,
         {"energy_import_wh": 21956, "energy_export_wh": 4547, "reactive_energy_import_varh": 27256,
          "reactive_energy_export_varh": 4432, "power_import_w": 11, "power_export_w": 0, "voltage_l1_v": 235.7,
          "voltage_l2_v": 0, "voltage_l3_v": 0, "current_l1_a": 0.06, "current_l2_a": 0, "current_l3_a": 0}),
        ("scs_iskra_am550_unencrypted_valid_data_cfg2026", "dlms-iskra-am550", None,
         {"energy_import_wh": 15207, "energy_export_wh": 8987, "reactive_energy_import_varh": 12784,
          "reactive_energy_export_varh": 5654, "power_import_w": 27, "power_export_w": 0, "voltage_l1_v": 234.7,
          "voltage_l2_v": 0, "voltage_l3_v": 0, "current_l1_a": 0.12, "current_l2_a": 0, "current_l3_a": 0}),
        ("synthetic_mbus_transport_2", "dlms-push", "000102030405060708090A0B0C0D0E0F",
         {"energy_import_wh": 3703701, "energy_export_wh": 6, "reactive_energy_import_varh": 33,
          "reactive_energy_export_varh": 666, "power_import_w": 390, "power_export_w": 0, "voltage_l1_v": 234,
          "voltage_l2_v": 0, "voltage_l3_v": 230.5, "current_l1_a": 1.74, "current_l2_a": 0, "current_l3_a": 0.07,
          "power_factor": -0.933}),
    ],
)  # fmt: skip
def test_swiss_and_austrian_pushes_are_read(
    captures: Path, file: str, profile: str, key: str | None, expected: dict[str, float]
) -> None:
    """Push object lists in blocks, ciphered ones, and telegrams on M-Bus."""
    data = bytes.fromhex((captures / "dlms/push" / f"{file}.hex").read_text())
    assert readings(data, load(profile), Keys(bytes.fromhex(key) if key else None)) == (expected,)


def test_keys_decide_how_a_meter_is_asked() -> None:
    """Keys mean HLS-GMAC and ciphers, a password LLS, neither an open association."""
    asking = load("dlms").layout.asking
    manners = [asking.manner_for(keys) for keys in (Keys(), Keys(password=b"x"), Keys(bytes(16), bytes(16)))]
    assert [manner.mechanism for manner in manners] == [Mechanism.NONE, Mechanism.LOW, Mechanism.HIGH_GMAC]
    assert [manner.protection for manner in manners] == [0, 0, 0x30]


GOOD = """
name     = "mine"
title    = "Mine"
driver   = "dlms"
source   = "a trial"
evidence = "one-source"
rows = [ { obis = "1-0:1.8.0", quantity = "energy_import", unit = "kWh" } ]
[history]
zone = "Europe/Oslo"
[[examples]]
answers = { "3 1-0:1.8.0 2" = "06 00000001" }
readings = { energy_import = 1 }
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("", "", ""),
        ('"1-0:1.8.0", q', '"1.8.0", q', "six bytes"),
        ("Europe/Oslo", "Europe/Oslø", "no time zone"),
        ("06 00000001", "06 00000002", "instead of 1000"),
        ("06 00000001", "06 0000", "cut off"),
        ("3 1-0:1.8.0 2", "1-0:1.8.0", "names nothing"),
        ("energy_import = 1", "energy_export = 1", "is in no row"),
        ('answers = { "3 1-0:1.8.0 2" = "06 00000001" }', 'push = "C401C1000600000001"', "not one notification"),
        ('unit = "kWh"', 'unit = "kWh", attribut = 3', "extra_forbidden|Extra inputs"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    """Each mistake is named with its place; the file without one is loaded."""
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(old, new) if old else GOOD, encoding="utf-8")
    if not says:
        assert load_file(path).layout.history.zone.key == "Europe/Oslo"
        return
    with pytest.raises(ProfileError, match=says):
        load_file(path)
