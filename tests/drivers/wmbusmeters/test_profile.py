"""Tests of drivers/wmbusmeters/profile.py: fields into quantities, and what the shipped models make of real ones."""

import json
from collections import Counter
from pathlib import Path

import pytest

from drivers.profiles import ProfileError, load, load_file
from drivers.wmbusmeters.codec import decode_line
from drivers.wmbusmeters.profile import read_telegram

HEAD = 'name = "own"\ntitle = "t"\ndriver = "wmbusmeters"\nsource = "s"\nevidence = "one-source"\n'
ROW = 'rows = [{ field = "total_m3", quantity = "water_volume", unit = "m3" }]\n'
EXAMPLE = '[[examples]]\ntelegram = \'{"id":"1","total_m3":1.5}\'\nreadings = { water_volume = 1500 }\n'
FORMER = """rows = [
  { field = "a", quantity = "heat_energy", unit = "MWh" },
  { field = "b", quantity = "heat_energy", unit = "kWh" },
]
"""


def test_the_first_field_with_a_number_counts(tmp_path: Path) -> None:
    """A field that is words or null is passed over; one quantity has one value."""
    path = tmp_path / "own.toml"
    path.write_text(HEAD + FORMER + '[[examples]]\ntelegram = \'{"id":"1","b":2}\'\nreadings = { heat_energy = 2000 }')
    layout = load_file(path).layout
    for line, value in (('"a":1,"b":7', 1e6), ('"a":null,"b":7', 7000), ('"a":"1","b":7.0001', 7000.1)):
        said = read_telegram(layout, decode_line(f'{{"id":"1",{line}}}'.encode()))
        assert said.values == {"heat_energy_wh": value}
    assert read_telegram(layout, decode_line(b'{"id":"1","a":true}')).values == {}


def test_other_media_are_left_out_and_plain_words_are_flags() -> None:
    """A heat meter is no water meter, whatever its fields are called; unknown words are no flags."""
    layout = load("wmbusmeters-water").layout
    line = b'{"id":"1","media":"%s","total_m3":1,"status":"DRY POWER_LOW X_LOW","current_status":"DRY"}'
    said = read_telegram(layout, decode_line(line % b"water"))
    assert (said.values, said.status) == ({"water_volume_l": 1000}, ("dry", "battery_low"))
    assert read_telegram(layout, decode_line(line % b"heat")).values == {}


def test_a_register_below_zero_is_none() -> None:
    """The least integer of the wire, which stands for no value, is left out; a negative flow is a flow."""
    line = b'{"id":"1","media":"water","total_m3":-2147483.648,"total_backward_m3":0,"flow_m3h":-0.5}'
    said = read_telegram(load("wmbusmeters-water").layout, decode_line(line))
    assert said.values == {"water_volume_reverse_l": 0, "water_flow_l_h": -500}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ROW.replace("water_volume", "water") + EXAMPLE, "rows.0.quantity.*closed list"),
        (ROW.replace('"m3"', '"kWh"') + EXAMPLE, "rows.0.unit.*does not fit"),
        (ROW + EXAMPLE.replace("1500", "1501"), "examples.0.readings"),
        (ROW + EXAMPLE.replace("{", "", 1), "examples.0.telegram.*no JSON"),
        (ROW + EXAMPLE + 'flags = ["dry"]', "examples.0.flags"),
        (ROW.replace("total_m3", "total m3") + EXAMPLE, "rows.0.field"),
    ],
)
def test_a_model_that_contradicts_itself_is_refused(text: str, words: str, tmp_path: Path) -> None:
    """The place and the reason are named."""
    path = tmp_path / "own.toml"
    path.write_text(HEAD + text)
    with pytest.raises(ProfileError, match=words):
        load_file(path)


MAIN = {"water": "water_volume_l", "gas": "gas_volume_l", "heat": "heat_energy_wh", "electricity": "energy_import_wh"}


def test_the_shipped_models_read_what_wmbusmeters_tells(captures: Path) -> None:
    """Of the lines its own tests expect, most with a model's media give the main register, exactly."""
    entries = json.loads((captures / "wmbus" / "index.json").read_text())["entries"]
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for told in (entry["expected"] for entry in entries if "id" in (entry.get("expected") or {})):
        for kind, key in MAIN.items():
            layout = load(f"wmbusmeters-{kind}").layout
            if told["media"] not in layout.media:
                continue
            values = read_telegram(layout, decode_line(json.dumps(told).encode())).values
            total[kind] += 1
            right[kind] += key in values
            if kind in ("water", "gas") and key in values:
                assert float(values[key]) == pytest.approx(told["total_m3"] * 1000, abs=1e-4)
    assert total == {"water": 85, "gas": 4, "heat": 39, "electricity": 23}
    assert right == {"water": 82, "gas": 4, "heat": 38, "electricity": 14}


def test_words_of_now_are_flags_and_those_of_the_past_are_not() -> None:
    """Whatever a maker calls it, a leak is a leak; what was once raises nothing."""
    layout = load("wmbusmeters-water").layout
    for word, flags in (
        ("LEAKAGE BACK_FLOW", ("leak", "backflow")), ("MECHANICAL_FRAUD SENSOR_FRAUD", ("tamper",)),
        ("LOW_BATTERY BURST", ("battery_low", "burst")), ("PREV_LEAKAGE WAS_TAMPERED LEAK_THIS_MONTH", ()),
    ):  # fmt: skip
        told = decode_line(f'{{"id":"1","media":"water","total_m3":1,"status":"{word}"}}'.encode())
        assert read_telegram(layout, told).status == flags
