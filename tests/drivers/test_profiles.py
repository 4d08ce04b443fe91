"""Every shipped profile proves itself; a profile that contradicts itself is refused in words."""

import tomllib
from pathlib import Path

import pytest

from drivers.modbus.plan import Wire
from drivers.profiles import SHIPPED, ProfileError, available, load, load_file

GOOD = """
name     = "probe"
title    = "A probe"
driver   = "modbus"
source   = "a test"
evidence = "one-source"
table    = "input"
registers = [
  { at = 0x0000, quantity = "voltage", unit = "V", type = "f32" },
  { at = 8, quantity = "energy_import", unit = "kWh", type = "u32", scale = 0.01, absent = "0xFFFFFFFF" },
]

[[examples]]
bytes    = { 0x0000 = "4366 3333", 8 = "0001 E240" }
readings = { voltage = 230.2, energy_import = 1234.56 }
"""


def write(folder: Path, text: str, name: str = "probe") -> Path:
    """Put a profile into a file."""
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", sorted(available()))
def test_shipped_profile_proves_itself(name: str) -> None:
    """It loads, its examples hold, and it says what it measures."""
    profile = load(name)
    assert profile.path == SHIPPED / f"{name}.toml"
    assert profile.rows
    assert profile.commodity in {"electricity", "water", "gas", "heat"}


@pytest.mark.parametrize("name", sorted(available()))
def test_shipped_modbus_profile_proves_every_row(name: str) -> None:
    """No row of a shipped Modbus profile is without an example."""
    table = tomllib.loads((SHIPPED / f"{name}.toml").read_text(encoding="utf-8"))
    if table["driver"] == "modbus":
        proven = {quantity for example in table["examples"] for quantity in example["readings"]}
        assert proven == {row["quantity"] for row in table["registers"]}


def test_enough_profiles_are_shipped() -> None:
    """Electricity and water meters are there from the start."""
    commodities = [load(name).commodity for name in available()]
    assert commodities.count("electricity") >= 4
    assert "water" in commodities


def test_good_profile(tmp_path: Path) -> None:
    """Hex and decimal addresses, a scale as number or text, and an absent pattern are all understood."""
    profile = load_file(write(tmp_path, GOOD))
    assert profile.quantities == ("voltage", "energy_import")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("voltage = 230.2", "voltage = 230.3", r"examples\.0\.readings\.voltage: should be 230\.3 V.*230\.2"),
        ("voltage = 230.2, ", "", r"readings\.voltage: is missing, the bytes say 230\.2 V"),
        ("0001 E240", "FFFF FFFF", r"energy_import: should be 1234\.56 kWh, the bytes say absent"),
        ("energy_import = 1234.56", "energy_import = 1234.57", r"should be 1234\.57 kWh, the bytes say 1234\.56"),
        ("energy_import = 1234.56", "energy_import = 123.456", r"should be 123\.456 kWh, the bytes say 1234\.56"),
        (', 8 = "0001 E240"', "", "no row with that quantity has bytes here"),
        ("0001 E240", "0001 E2", r"examples\.0\.bytes\.8: String should match"),
        ("voltage = 230.2", "voltag = 230.2", r"readings\.voltag: no row"),
        ('unit = "V"', 'unti = "V"', r"registers\.0\.unti: Extra inputs.*did you mean 'unit'"),
        ('unit = "V", type', 'unit = "V", sort = 1, type', r"registers\.0\.sort: Extra inputs are not permitted"),
        ('unit = "V"', 'unit = "A"', r"registers\.0\.unit: 'A' does not fit \(one of V, mV, kV\)"),
        ('"voltage"', '"volts"', r"registers\.0\.quantity: 'volts' is not in the closed list"),
        ('type = "f32"', 'type = "f16"', r"registers\.0\.type"),
        ("scale = 0.01", "scale = 0", r"registers\.1\.scale"),
        ('"0xFFFFFFFF"', '"0x1FFFFFFFF"', r"registers\.1\.absent: is wider than u32"),
        ("at = 8,", "at = 0xFFFF,", "beyond the last register"),
        ('quantity = "energy_import", unit = "kWh"', 'quantity = "voltage", unit = "V"', "'voltage' stands twice"),
        ('table    = "input"', 'table = "coils"', "table: Input should be"),
        ('table    = "input"', 'table = "input"\nmax_registers = 1', "wider than max_registers"),
        ('driver   = "modbus"', 'driver = "modem"', "driver: is 'modem'"),
        ('name     = "probe"', 'name = "prove"', "name: is 'prove'.*name it 'probe'"),
        ('evidence = "one-source"', 'evidence = "hearsay"', "evidence"),
        ("[[examples]]", "[[example]]", "examples"),
        ("registers = [", "registers = [[", "mend the TOML"),
    ],
)
def test_profile_that_contradicts_itself(tmp_path: Path, old: str, new: str, words: str) -> None:
    """A wrong example, unknown key, foreign unit or name unlike its file is an error naming file, place and reason."""
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ProfileError, match=words) as caught:
        load_file(path)
    assert caught.value.path == path


def test_nearest_folder_wins(tmp_path: Path) -> None:
    """A profile beside the configuration goes before the shipped one of the same name."""
    near, far = tmp_path / "near", tmp_path / "far"
    near.mkdir()
    far.mkdir()
    text = GOOD.replace('"probe"', '"eastron-sdm120"')
    write(near, text.replace("A probe", "Near"), "eastron-sdm120")
    write(far, text.replace("A probe", "Far"), "eastron-sdm120")
    assert load("eastron-sdm120", [near, far]).title == "Near"
    assert load("eastron-sdm120", [tmp_path, far]).title == "Far"
    assert load("eastron-sdm120").title == "Eastron SDM120 Modbus"
    assert available([near, far])["eastron-sdm120"] == near / "eastron-sdm120.toml"


def test_no_such_profile(tmp_path: Path) -> None:
    """A name that is nowhere says how to list those there are."""
    with pytest.raises(ProfileError, match="no such meter profile"):
        load("eastron-sdm121", [tmp_path])


def test_unreadable_profile(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are an error of the file."""
    path = tmp_path / "probe.toml"
    path.write_bytes(b'name = "\xff"')
    with pytest.raises(ProfileError, match="mend the TOML"):
        load_file(path)


RICH = """
name      = "probe"
title     = "A probe with everything"
driver    = "modbus"
source    = "a test"
evidence  = "one-source"
table     = "input"
order     = "CDAB"
registers = [
  { at = 0, quantity = "power", unit = "W", type = "s16", scale_at = 1, absent = "0x8000" },
  { at = 2, quantity = "water_volume", unit = "m3", type = "u32", plus = { at = 4, type = "f32" } },
  { at = 6, quantity = "energy_import", unit = "kWh", type = "bcd32", scale = 0.01 },
  { at = 8, quantity = "frequency", unit = "Hz", type = "u16", scale = 0.01, table = "holding" },
]
status    = [
  { at = 9, bits = { 0 = "leak", "15" = "battery_low" } },
  { at = 10, type = "u32", bits = { 31 = "tamper" } },
]
nameplate = [ { at = 20, name = "serial", type = "ascii", registers = 4 }, { at = 24, name = "version", type = "u16" } ]

[[examples]]
bytes     = { 0 = "FB2E FFFF", 2 = "04D2 0000 0000 3F40", 6 = "5678 1234", 8 = "1388" }
readings  = { power = -123.4, water_volume = 1234.75, energy_import = 123456.78, frequency = 50.0 }

[[examples]]
bytes     = { 0 = "8000 0000", 6 = "567A 1234" }
readings  = {}
"""


def test_profile_with_everything(tmp_path: Path) -> None:
    """A scale register, a second part, BCD, another table, status bits and a nameplate, proven by its examples."""
    profile = load_file(write(tmp_path, RICH))
    pages = profile.layout.pages(Wire(10 / 9600))
    assert [(page.read.function, page.read.start, page.read.count) for page in pages] == [(3, 8, 1), (4, 0, 12)]
    assert pages[1].status is not None
    assert pages[1].status(bytes(18) + bytes.fromhex("8001 0000 8000")) == ("leak", "battery_low", "tamper")
    serial, version = profile.layout.nameplate
    assert serial.text(b"NBD0042\0") == "NBD0042"
    assert version.text(b"\x01\x02") == "258"
    assert profile.quantities == ("power", "water_volume", "energy_import", "frequency")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("scale_at = 1", "scale_at = 1, plus = { at = 4, type = 'f32' }", "plus: stands beside scale_at"),
        ("scale_at = 1", "scale_at = 200", "wider than max_registers"),
        ('"leak"', '"flood"', "'flood' is not in the closed list"),
        ("0 = ", "16 = ", "u16 has no bit 16"),
        (", registers = 4", "", "ascii needs it"),
        ('type = "u16" } ]', 'type = "u16", registers = 2 } ]', "`registers` is for ascii"),
        ("readings  = {}", "readings  = { power = 0.0 }", "the bytes say absent"),
        ("1234.75", "1234.74", "the bytes say 1234.75"),
        ('"FB2E FFFF"', '"FB2E 0000"', "the bytes say -1234"),
        ('type = "bcd32"', 'type = "bcd33"', "type"),
    ],
)
def test_rich_profile_that_contradicts_itself(tmp_path: Path, old: str, new: str, words: str) -> None:
    """Each new option is checked when the file is loaded."""
    with pytest.raises(ProfileError, match=words):
        load_file(write(tmp_path, RICH.replace(old, new, 1)))
