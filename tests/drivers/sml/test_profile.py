"""Tests of drivers/sml/profile.py and quirks.py: telegrams become quantities in base units."""

import json
from pathlib import Path

import pytest

from drivers.analysis import Keys
from drivers.profiles import ProfileError, load, load_file
from drivers.sml.analyze import analyze, readings
from drivers.sml.codec import Decoder
from drivers.sml.profile import read_telegram
from simulator.sml_server import V, W, entry, octets, push, signed, unsigned

PLAIN = bytes.fromhex("0A014E42440000BC614E")
DZG = bytes.fromhex("0A01445A470000BC614E")
WH = 30
TAKES, GIVES = 0x1C_0104, 0x1C_6904


def values_of(data: bytes, profile: str = "sml") -> dict[str, object]:
    """Read one file by a profile."""
    (telegram,) = Decoder().feed(data)
    return dict(read_telegram(load(profile).layout, telegram).values)


@pytest.mark.parametrize(
    ("file", "profile", "values"),
    [
        ("ISKRA_MT175_D1A52-V22-K0t.bin", "sml", {
            "energy_import_wh": 10_732_309.1, "energy_import_t1_wh": 10_732_309.1, "energy_import_t2_wh": 0,
            "energy_export_wh": 28_275_324.5, "energy_export_t1_wh": 28_275_324.5, "energy_export_t2_wh": 0,
            "power_w": -4308, "power_l1_w": -1392, "power_l2_w": -1432, "power_l3_w": -1482,
        }),
        ("HOLLEY_DTZ541-BDBA_without_PIN.bin", "sml", {"energy_import_wh": 2_324_000}),
        ("DZG_DVS-7420.2V.G2_mtr0.bin", "sml", {
            "energy_import_wh": 607_447.1, "energy_export_wh": 1_266_728.6, "power_w": 215.99,
        }),
        ("DZG_DVS-7420.2V.G2_mtr2_neg.bin", "sml", {
            "energy_import_wh": 13_232.9, "energy_export_wh": 1_500_321.3, "power_w": -105.5,
        }),
        ("EMH-ED300L_consumption.bin", "sml-import", {
            "energy_import_wh": 17_243_368.3, "energy_import_t1_wh": 17_243_368.3, "energy_import_t2_wh": 0,
            "power_import_w": 137.1,
        }),
        ("smartmeter-obis_ttyUSB0.bin", "sml-export", {
            "energy_export_wh": 4373, "energy_export_t1_wh": 4373, "energy_export_t2_wh": 0, "power_export_w": 43,
        }),
    ],
)  # fmt: skip
def test_captured_meters(captures: Path, file: str, profile: str, values: dict[str, float]) -> None:
    """Registers, signed powers and phases in base units; a locked meter tells its register alone."""
    data = (captures / "sml" / file).read_bytes()
    assert readings(data, load(profile), Keys())[0] == values


def test_every_captured_number_of_a_row_is_its_reading(captures: Path) -> None:
    """Whatever the generic profile names is read from every stream, exactly as the independent decoder has it."""
    index = json.loads((captures / "sml" / "index.json").read_text(encoding="utf-8"))
    rows = {str(row.obis) + "*255": row.key for row in load("sml").layout.rows.values()}
    for item in index["entries"]:
        data = (captures / "sml" / item["file"]).read_bytes()
        for said, wanted in zip(readings(data, load("sml"), Keys())[:4], item["expected"]["frames"], strict=False):
            assert said == {rows[code]: value for code, value, _ in wanted if code in rows}, item["file"]


@pytest.mark.parametrize(
    ("server", "status", "width", "number", "power"),
    [
        (DZG, TAKES, 2, -29_912, 356.24), (DZG, TAKES, 1, -1, 2.55), (DZG, TAKES, 2, -112, 654.24),
        (DZG, TAKES, 3, -1, 167_772.15), (DZG, TAKES, 4, -29_912, -299.12), (DZG, TAKES, 2, 29_912, 299.12),
        (DZG, GIVES, 2, -29_912, -299.12), (DZG, None, 2, -29_912, -299.12), (PLAIN, TAKES, 2, -29_912, -299.12),
        (DZG, 0x0001_0182, 2, -29_912, -299.12),
    ],
)  # fmt: skip
def test_the_sign_that_dzg_meters_make_up(
    server: bytes, status: int | None, width: int, number: int, power: float
) -> None:
    """Only a DZG meter that takes energy, by its own status word, and only in fewer bytes than a sign needs."""
    rows = [
        entry("1-0:1.8.0*255", unsigned(10, 4), WH, 0, status),
        entry("1-0:16.7.0*255", signed(number, width), W, -2),
        entry("1-0:36.7.0*255", signed(-5, 1), W, 0),
    ]
    data = push(server, rows, 1, 1)
    assert values_of(data) == {"energy_import_wh": 10, "power_w": power, "power_l1_w": -5}
    assert [value.value for value in analyze(data, Keys())[0].values] == [10, power, -5]


def test_what_is_no_value_is_left_out_and_counted() -> None:
    """A unit of another dimension or of no known number, and bytes where a number should be."""
    rows = [
        entry("1-0:1.8.0*255", unsigned(1, 1), V, 0), entry("1-0:2.8.0*255", unsigned(1, 1), 200, 0),
        entry("1-0:16.7.0*255", octets(b"12"), W, 0), entry("1-0:36.7.0*255", b"\x42\x01", W, 0),
        entry("1-0:56.7.0*255", unsigned(7, 1), 255, 0), entry("1-0:76.7.0*255", unsigned(8, 1)),
    ]  # fmt: skip
    (telegram,) = Decoder().feed(push(PLAIN, rows, 1, 1))
    said = read_telegram(load("sml").layout, telegram)
    assert said.values == {"power_l2_w": 7, "power_l3_w": 8}
    assert said.left_out == {"unusable_value": 4}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('quirks = ["dzg-sign"]', 'quirks = ["dzg"]', "quirks.0: 'dzg' is unknown"),
        ('"1-0:1.8.0"', '"1.8.0"', "rows.0: 1.8.0 is no code of six bytes"),
        ('"1-0:1.8.0"', '"1-0:C.8.0"', "is no code of six bytes"),
        ('"1-0:1.8.0"', '"1-0:1.8"', "is no code of six bytes"),
        ("1B1B1B1B01010101", "1B1B1B1B01010102", "examples.0.telegram: is no SML file"),
        ("1B1B1B1B01010101", "1B1B1B1B0101010", "examples.0.telegram: is no SML file"),
        ("= 12345.6789", "= 12345.6788", "energy_import_wh 12345678.9 instead of 12345678.8"),
        ("frequency        =", "reactive_power   =", "reactive_power is in no row"),
    ],
)
def test_a_file_that_contradicts_itself_says_where(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A wrong row, quirk or example is an error with its place."""
    shipped = load("sml").path
    assert shipped
    text = shipped.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "sml.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ProfileError, match=message.replace(".", r"\.")):
        load_file(path)
