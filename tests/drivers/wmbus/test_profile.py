"""Wireless meter models: files that contradict themselves, and a maker's own block."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from drivers.mbus.telegram import Identity
from drivers.profiles import ProfileError, load, load_file
from drivers.wmbus.compact import Formats
from drivers.wmbus.layers import unwrap
from drivers.wmbus.link import decode_frame
from drivers.wmbus.maker import Rule, Tags, read_block
from drivers.wmbus.profile import read_message

HEAD = 'name = "own"\ntitle = "t"\ndriver = "wmbus"\nsource = "s"\nevidence = "one-source"\n'
ROWS = 'rows = [{ record = "volume", quantity = "water_volume" }]\n'
EXAMPLE = '[[examples]]\ntelegram = "14 44 44 38 03 00 05 21 01 07 7A 01 00 00 00 04 13 39 30 00 00"\n'
RIGHT = "readings = { water_volume = 12345 }\n"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (EXAMPLE + RIGHT, "a meter has rows"),
        (ROWS.replace("water_volume", "wine") + EXAMPLE + RIGHT, "'wine' is not in the closed list"),
        (ROWS + EXAMPLE + RIGHT.replace("45", "46"), "base units"),
        (ROWS + EXAMPLE.replace("14 44", "15 44") + RIGHT, "counts all that follow"),
        ('block = [{ at = 0, size = 2, quantity = "wine", unit = "l" }]\n' + EXAMPLE + RIGHT, "'wine' is not"),
        ('block = [{ at = 0, size = 2, quantity = "water_volume", unit = "kWh" }]\n' + EXAMPLE + RIGHT, "no measure"),
        (
            'block = [{ at = 0, size = 2, quantity = "water_volume", unit = "l", scale = "1/0" }]\n' + EXAMPLE + RIGHT,
            "no measure",
        ),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, text: str, what: str) -> None:
    """Where and why, before it is used."""
    (tmp_path / "own.toml").write_text(HEAD + text)
    with pytest.raises(ProfileError, match=what):
        load_file(tmp_path / "own.toml")


def test_status_bits_are_flags(tmp_path: Path) -> None:
    """A low battery in the header is told with the values."""
    (tmp_path / "own.toml").write_text(HEAD + ROWS + EXAMPLE + RIGHT)
    layout = load_file(tmp_path / "own.toml").layout
    frame = bytes.fromhex("14 44 44 38 03 00 05 21 01 07 7A 01 04 00 00 04 13 39 30 00 00")
    said = read_message(layout, unwrap(decode_frame(frame), None), Formats())
    assert (said.values, said.status) == ({"water_volume_l": 12345}, ("battery_low",))


def test_a_block_behind_the_records(tmp_path: Path) -> None:
    """Rules without a CI read what follows DIF 0F; a record of the same quantity counts more."""
    rule = 'block = [{ at = 1, size = 2, quantity = "water_volume", unit = "m3", scale = "1/10", written = "bcd" }]\n'
    telegram = EXAMPLE.replace("14 44", "12 44").replace("04 13 39 30 00 00", "0F AA 23 01")
    (tmp_path / "own.toml").write_text(HEAD + rule + telegram + "readings = { water_volume = 12300 }\n")
    assert load_file(tmp_path / "own.toml").quantities == ("water_volume",)
    (tmp_path / "own.toml").write_text(HEAD + ROWS + rule + EXAMPLE + RIGHT)
    assert load_file(tmp_path / "own.toml").quantities == ("water_volume",)


def test_rules_of_a_block() -> None:
    """Bytes low or high first, signed, digits, sums; none from bytes that are not there or are no digits."""
    block = bytes.fromhex("FE FF 12 34 AB")
    asked = [("unsigned", 0xFFFE), ("signed", -2), ("msb-first", 0xFEFF), ("bcd", None)]
    for written, value in asked:
        rule = Rule("x", 0, 2, written, Fraction(1))  # type: ignore[arg-type]
        assert read_block((rule,), block) == ({} if value is None else {"x": value})
    assert read_block((Rule("x", 2, 1, "bcd", Fraction(1, 10), plus=3),), block) == {"x": 4.6}
    assert read_block((Rule("x", 3, 3, "unsigned", Fraction(1)),), block) == {}
    assert read_block((Rule("x", 0, 1, "unsigned", Fraction(1), plus=9),), block) == {}


def test_rules_of_makers_and_of_what_the_block_says() -> None:
    """A rule of another maker, another version, or another unit gives nothing; the first that holds counts."""
    who = Identity("12345678", "QDS", 0x46, 0x04)
    block = bytes.fromhex("C0 06 14 00")
    kwh = Rule("x", 2, 2, "bcd", Fraction(1), when=(0, b"\xc0\x06"))
    assert read_block((kwh,), block) == {"x": 14}
    assert read_block((replace(kwh, when=(0, b"\xc0\x0d")), replace(kwh, scale=Fraction(2))), block) == {"x": 28}
    assert read_block((replace(kwh, makers=frozenset({"QDS"})),), block, who) == {"x": 14}
    assert read_block((replace(kwh, makers=frozenset({"ZRI"})),), block, who) == {}
    assert read_block((replace(kwh, makers=frozenset({"QDS"})),), block) == {}
    assert read_block((replace(kwh, versions=frozenset({0x46})),), block, who) == {"x": 14}
    assert read_block((replace(kwh, versions=frozenset({0x47})),), block, who) == {}


def test_tagged_fields() -> None:
    """A tag's first field counts; an unknown tag, or a field cut off, ends the row."""
    tags = Tags(1, {0x10: 2, 0xA0: 1})
    rule = Rule("x", 0, 2, "unsigned", Fraction(1), tag=0x10)
    for block, value in (
        ("FF A0 77 10 3412 10 FFFF", 0x1234), ("10 3412", None), ("FF 11 10 3412", None), ("FF 10 34", None),
        ("", None),
    ):  # fmt: skip
        found = read_block((rule,), bytes.fromhex(block), None, tags)
        assert found == ({} if value is None else {"x": value}), block


def test_captured_telegrams_of_makers(captures: Path) -> None:
    """Shipped rules give what wmbusmeters reads from the makers' own frames."""
    expected: dict[str, dict[str, float]] = {
        "techem-compact-v": {"compact5_02": 58_018_000, "compact5_04": 495_000},
        "techem-vario-4": {"vario451_01": 6_371_666.6667},
        "techem-mk-radio-3": {"mkradio3_01": 13_800},
        "techem-mk-radio-3a": {"mkradio3a_01": 948_800},
        "apator-08": {"apator08_01": 871_571},
        "apator-162": {
            "apator162_01": 14_949, "apator162_03": 26_282, "apator162_05": 15_992, "apator162_07": 17_579,
            "apator162_09": 17_579, "apator162_11": 82_426, "apator162_13": 64_508, "apator162_15": 270_133,
            "apator162_17": 904_398,
        },
        "diehl-izar": {"izarv2_01": 521_602, "izarv2_03": 38_944, "izarv2_05": 16_760},
        "wmbus-water": {
            "qwater_02": 66, "qwater_06": 5_324, "qwater_08": 39_729, "qwater_10": 46_791, "zenner0b_01": 17_062,
        },
        "wmbus-heat": {"qheatv2_03": 14_000, "qheatv2_05": 856_416.6667},
    }  # fmt: skip
    for name, files in expected.items():
        layout = load(name).layout
        for file, value in files.items():
            data = bytes.fromhex((captures / f"wmbus/{file}.hex").read_text())
            said = read_message(layout, unwrap(decode_frame(data), None), Formats())
            assert list(said.values.values()) == [value]


RAISED = {
    "multical21_03": ("wmbus-water", ("dry",)),
    "multical21_01": ("wmbus-water", ()),
    "kamwater_01": ("wmbus-water", ()),
    "flowiq2200_02": ("wmbus-water", ()),
    "ultrimisv2_02": ("wmbus-water", ("dry",)),
    "ultrimis_01": ("wmbus-water", ()),
    "kadenwater_01": ("wmbus-water", ("leak",)),
    "kadenwater_03": ("wmbus-water", ()),
    "picoflux_02": ("wmbus-water", ()),
    "gwfwater_01": ("wmbus-water", ()),
    "gwfwater_03": ("wmbus-water", ("battery_low",)),
    "minomess_02": ("wmbus-water", ()),
    "waterstarm_07": ("wmbus-water", ("battery_low",)),
    "hydrodigit_02": ("wmbus-water", ()),
    "q400_02": ("wmbus-water", ("measurement_error",)),
    "kamheat_03": ("wmbus-heat", ("measurement_error",)),
    "kamheat_01": ("wmbus-heat", ()),
    "hydrocalm3_01": ("wmbus-heat", ("tamper",)),
    "hydrocalm4_02": ("wmbus-heat", ()),
    "izarv2_01": ("diehl-izar", ()),
    "izarv2_03": ("diehl-izar", ()),
}
"""Captures, and the flags that wmbusmeters' words for them mean."""


def test_flags_of_captured_telegrams(captures: Path) -> None:
    """What meters raised when they were heard, maker by maker, and nothing else."""
    keys = {
        entry["file"]: bytes.fromhex(entry["key"])
        for entry in json.loads((captures / "wmbus/index.json").read_text())["entries"]
        if "key" in entry
    }
    for file, (profile, flags) in RAISED.items():
        data = bytes.fromhex((captures / f"wmbus/{file}.hex").read_text())
        message = unwrap(decode_frame(data), keys.get(f"{file}.hex"))
        assert read_message(load(profile).layout, message, Formats()).status == flags, file
