"""`nabd profiles`: the list, one model, and the proof of a file; a new model reads a simulated meter without code."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from drivers.profiles import available
from gateway import profiles_cmd
from gateway.cli import main
from tests.support.simulated import simulated_line

NEW = """
name     = "acme-one"
title    = "Acme One"
driver   = "modbus"
source   = "a test"
evidence = "one-source"
table    = "holding"
order    = "CDAB"
registers = [
  { at = 0x0100, quantity = "energy_import", unit = "kWh", type = "u32", scale = "0.01" },
  { at = 0x0102, quantity = "voltage", unit = "V", type = "u16", scale = "0.1" },
]

[[examples]]
bytes    = { 0x0100 = "E240 0001 08FE" }
readings = { energy_import = 1234.56, voltage = 230.2 }
"""


def test_the_list_names_every_model_with_its_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    """Name, protocol, commodity, number of quantities, title; one source is said to be unconfirmed."""
    assert main(["profiles"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(available())
    (sdm,) = [line for line in lines if line.startswith("eastron-sdm120 ")]
    assert sdm.split() == ["eastron-sdm120", "modbus", "electricity", "11", "quantities", "Eastron", "SDM120", "Modbus"]
    assert next(line for line in lines if line.startswith("tuf-2000m")).endswith("(unconfirmed: one source)")


def test_the_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One array, with the keys that readings have."""
    assert main(["profiles", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows.keys() == available().keys()
    assert rows["tuf-2000m"]["evidence"] == "one-source"
    assert rows["tuf-2000m"]["quantities"] == ["water_volume_l", "water_volume_reverse_l", "water_flow_l_h"]


def test_enough_modbus_models_are_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    """Electricity, water and heat, of a dozen makers."""
    main(["profiles", "--json"])
    rows = [row for row in json.loads(capsys.readouterr().out) if row["protocol"] == "modbus"]
    assert {row["commodity"] for row in rows} == {"electricity", "water", "heat"}
    assert len(rows) >= 40
    assert len({row["name"].split("-")[0] for row in rows}) >= 12


def test_a_broken_file_is_told_and_the_others_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, with the file, and all the rest."""
    (tmp_path / "bad.toml").write_text("name = 1")
    assert main(["profiles", "--folder", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "bad.toml: driver: is None" in said.err
    assert len(said.out.splitlines()) == len(available())


def test_one_model_is_shown_row_by_row(capsys: pytest.CaptureFixture[str]) -> None:
    """Where it comes from, and what stands where."""
    assert main(["profiles", "show", "eastron-sdm72"]) == 0
    out = capsys.readouterr().out
    assert "two sources" in out
    assert "0x0048       energy_import              kWh    f32" in out
    assert "nabd meter set-address" in out
    assert main(["profiles", "show", "no-such"]) == 1


def test_a_good_file_is_proven_value_by_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each row of each example with what its bytes mean."""
    path = tmp_path / "acme-one.toml"
    path.write_text(NEW)
    assert main(["profiles", "test", str(path)]) == 0
    out = capsys.readouterr().out
    assert "energy_import                       1234.56 kWh" in out
    assert "holds, 2 quantities, one source: unconfirmed" in out


def test_a_row_without_an_example_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It holds, but nothing proves that row."""
    path = tmp_path / "acme-one.toml"
    path.write_text(NEW.replace(" 08FE", "").replace(", voltage = 230.2", ""))
    assert main(["profiles", "test", str(path)]) == 0
    assert "no example shows voltage" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("1234.56,", "1234.57,", r"acme-one.toml: examples.0.readings.energy_import: should be 1234.57 kWh"),
        ('"CDAB"', '"ABCD"', "examples.0.readings.energy_import: should be 1234.56 kWh"),
        ('unit = "V"', 'unit = "A"', "registers.1.unit: 'A' does not fit"),
        ("at = 0x0102,", "", "registers.1.at: Field required"),
    ],
)
def test_a_file_that_does_not_hold_names_place_and_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, words: str
) -> None:
    """Exit code 1, and one line that says where to look; a wrong word order is caught before any meter is read."""
    path = tmp_path / "acme-one.toml"
    path.write_text(NEW.replace(old, new))
    assert main(["profiles", "test", str(path)]) == 1
    assert words in capsys.readouterr().err


async def nabd(*arguments: str) -> tuple[int, str]:
    """Run one command; give its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", *arguments, stdout=-1, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def test_a_new_model_in_a_folder_of_its_own_reads_a_meter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file beside the configuration, no code: `nabd read` gives the meter's values, marked as unconfirmed."""
    beside = tmp_path / "meters"
    beside.mkdir()
    (beside / "acme-one.toml").write_text(NEW)
    from drivers import profiles

    monkeypatch.setattr(profiles, "SHIPPED", beside)  # the simulator's own look-up: it serves shipped models
    async with simulated_line(tmp_path, {5: "acme-one"}) as path:
        code, out = await nabd("read", "m5", "-c", str(path))
    assert code == 0, out
    assert "Acme One, unconfirmed: its registers come from one source" in out
    assert "energy_import" in out
    assert "voltage" in out


@pytest.mark.parametrize(
    ("served", "configured", "warned"),
    [
        ("carlo-gavazzi-em24", "carlo-gavazzi-em340", "Carlo Gavazzi EM24 (serial) (carlo-gavazzi-em24)"),
        ("abb-b24", "abb-b23", "ABB B24 (abb-b24)"),
        ("carlo-gavazzi-em24", "carlo-gavazzi-em24", None),
        ("abb-b23", "abb-b23", None),
        ("carlo-gavazzi-em340", "carlo-gavazzi-em340", None),
        ("abb-b23", "abb-a43", "ABB B23 (abb-b23)"),
    ],
)
async def test_a_meter_of_the_same_name_but_another_model_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], served: str, configured: str, warned: str | None
) -> None:
    """The code that the meter itself tells is held against every profile that knows codes of that register."""
    from gateway.config.load import load
    from gateway.show import read

    async with simulated_line(tmp_path, {5: served}, configured=[("m", configured, 5)]) as path:
        assert await read(load(path, "home"), "m", as_json=False) == 0
    out = capsys.readouterr().out
    assert (f"its id code says {warned}" in out) if warned else ("Warning" not in out)


def test_say_and_complain_are_apart() -> None:
    """What is wrong goes to the second ear."""
    good: list[str] = []
    bad: list[str] = []
    assert profiles_cmd.prove(Path("no-such-file.toml"), good.append, bad.append) == 1
    assert good == []
    assert "no-such-file.toml" in bad[0]
