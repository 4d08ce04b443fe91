"""`nabd profiles new`: a draft loads at once, and reads its own telegram as the shipped models do."""

import json
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from drivers import PROTOCOLS
from drivers.analysis import Keys
from drivers.profiles import ProfileError, available, load_file
from drivers.quantities import QUANTITIES
from gateway.analyze_cmd import bytes_of
from gateway.cli import main
from gateway.profiles_new import NOT_FROM_BYTES, CannotDraft, draft

DRAFTED = sorted(PROTOCOLS.keys() - NOT_FROM_BYTES.keys())
WATER = tomllib.loads(available()["mbus-water"].read_text())["examples"][0]["telegram"]


def written(text: str, folder: Path) -> Path:
    """Write a draft to the file that it names itself after."""
    path = folder / f"{tomllib.loads(text)['name']}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def telegrams() -> Iterator[Any]:
    """Give the shipped models' own telegrams that are kept as bytes, each with its model."""
    for name, path in available().items():
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for number, example in enumerate(table["examples"]):
            digits = example.get("telegram") if table["driver"] in ("mbus", "wmbus", "sml") else example.get("push")
            if digits is not None and table["driver"] in DRAFTED:
                yield pytest.param(table["driver"], digits, example, id=f"{name}-{number}")


@pytest.mark.parametrize(("protocol", "digits", "example"), list(telegrams()))
def test_a_shipped_models_telegram_makes_a_draft(
    protocol: str, digits: str, example: dict[str, Any], tmp_path: Path
) -> None:
    """The file loads, and shows at least as many values as the model that the telegram is the example of."""
    key = bytes.fromhex(example["key"]) if "key" in example else None
    text = draft(bytes.fromhex(digits), protocol, Keys(key), "drafted")
    profile = load_file(written(text, tmp_path))
    (drafted,) = tomllib.loads(text)["examples"]
    assert profile.driver == protocol
    assert len(drafted["readings"]) >= len(example["readings"])
    assert "key" not in drafted
    if key is not None:
        assert key.hex() not in text.lower()


CAPTURES = (
    ("sml", "sml/ISKRA_MT175_D1A52-V22-K0t.bin", "sml"),
    ("p1", "p1/telegram_v5_two_mbus.txt", "dsmr-p1"),
    ("iec62056-21", "iec62056-21/scs_siemens_td3511.bin", "iec62056-21"),
    ("mbus", "mbus/test-frames/sen_pollutherm.hex", "mbus-heat"),
    ("wmbus", "wmbus/abbb23_01.hex", "wmbus-electricity"),
    ("dlms", "dlms/push/amshan_aidon_no_list_2.hex", "dlms-aidon"),
)


@pytest.mark.parametrize(("protocol", "file", "model"), CAPTURES)
def test_a_real_telegram_reads_as_by_its_model(
    protocol: str, file: str, model: str, captures: Path, tmp_path: Path
) -> None:
    """What the shipped model reads is what the draft's example shows."""
    data = bytes_of(str(captures / file))
    analysis: Any = import_module(f"{PROTOCOLS[protocol]}.analyze")
    theirs = analysis.readings(data, load_file(available()[model]), Keys())[-1]
    ours = analysis.readings(data, load_file(written(draft(data, protocol, Keys()), tmp_path)), Keys())[-1]
    assert theirs
    assert {key: ours.get(key) for key in theirs} == theirs


def test_a_makers_block_is_not_read_by_another_mediums_rules(captures: Path) -> None:
    """An Apator water meter's own bytes are no gas volume, though the rules of its gas meter would find one."""
    said = tomllib.loads(draft(bytes_of(str(captures / "wmbus/apator162_01.hex")), "wmbus", Keys()))
    assert {row["quantity"] for row in said["block"]} == {"water_volume"}


def test_a_ciphered_frame_stands_in_the_clear(captures: Path, tmp_path: Path) -> None:
    """The file needs no key to be proven, and holds none."""
    entries = json.loads((captures / "wmbus/index.json").read_text())["entries"]
    (entry,) = [entry for entry in entries if entry["file"] == "kadenwater_01.hex"]
    text = draft(bytes_of(str(captures / "wmbus/kadenwater_01.hex")), "wmbus", Keys(bytes.fromhex(entry["key"])))
    (example,) = tomllib.loads(text)["examples"]
    assert set(example) == {"telegram", "flags", "readings"}
    assert entry["key"].lower() not in text.lower()
    assert "water_volume" in load_file(written(text, tmp_path)).quantities
    assert example["readings"]["water_volume"] == pytest.approx(1000 * entry["expected"]["total_m3"])


def test_what_no_row_names_is_a_comment_ready_to_be_one(captures: Path, tmp_path: Path) -> None:
    """Taken out of its comment and given a quantity, the line is a row."""
    data = bytes_of(str(captures / "mbus/test-frames/engelmann_sensostar2c.hex"))
    text = draft(data, "mbus", Keys(), "drafted")
    line = '  # { record = "energy", tariff = 3, quantity = "" },  # 0 Wh'
    assert line in text
    given = text.replace(line, '  { record = "energy", tariff = 3, quantity = "heat_energy_t3" },')
    with pytest.raises(ProfileError, match="heat_energy_t3"):
        load_file(written(given, tmp_path))  # the example does not show it yet
    assert "heat_energy_t3" in load_file(written(given + "heat_energy_t3 = 0\n", tmp_path)).quantities


def test_a_draft_by_command_is_proven_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole way: draft, keep, test."""
    assert main(["profiles", "new", WATER, "--name", "my-water"]) == 0
    text = capsys.readouterr().out
    (tmp_path / "my-water.toml").write_text(text, encoding="utf-8")
    assert main(["profiles", "test", str(tmp_path / "my-water.toml")]) == 0
    said = capsys.readouterr().out
    assert "holds" in said
    assert "water_volume" in said


def test_one_of_several_meters(capsys: pytest.CaptureFixture[str]) -> None:
    """A recording of a stairwell holds many; the number says whose draft it is."""
    examples = tomllib.loads(available()["wmbus-water"].read_text())["examples"]
    both = bytes.fromhex(examples[0]["telegram"]) + bytes.fromhex(WATER)
    assert "water_volume_reverse" in draft(both, "wmbus", Keys(), meter="12345678")
    assert main(["profiles", "new", both.hex(), "--protocol", "wmbus", "--meter", "99999999"]) == 1
    assert "no telegram is of meter 99999999; there are 12345678" in capsys.readouterr().err


@pytest.mark.parametrize("protocol", sorted(NOT_FROM_BYTES))
def test_what_bytes_cannot_tell_is_said(protocol: str) -> None:
    """A register or a pulse has no name."""
    with pytest.raises(CannotDraft, match=protocol):
        draft(b"\0", protocol, Keys())


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["00 11 22"], 1, "no telegram in these bytes is whole"),
        (["00 11 22", "--protocol", "mbus"], 1, "no telegram is in these bytes"),
        (["no such file"], 2, "there is no file"),
        ([WATER, "--key", "12"], 2, "--key: a key is 32 hexadecimal digits"),
        ([WATER.replace("68", "69")], 1, "no telegram in these bytes is whole"),
        ([WATER, "--name", "No Name"], 1, "is no name of a profile"),
    ],
)
def test_mistakes_are_told(arguments: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says why there is no draft."""
    assert main(["profiles", "new", *arguments]) == code
    printed = capsys.readouterr()
    assert told in printed.err
    assert not printed.out


def test_foreign_words_stay_inside_their_quotes(tmp_path: Path) -> None:
    """A meter may call itself anything; the file still says what we wrote."""
    line = '{"_":"telegram","media":"water","meter":"x\\"]\\n[evil]","driver":"\\u001b[2J","id":"1","total_m3":1.5}'
    text = draft(line.encode(), "wmbusmeters", Keys())
    table = tomllib.loads(text)
    assert "evil" not in table
    assert load_file(written(text, tmp_path)).quantities == ("water_volume",)
    assert all(char.isprintable() or char == "\n" for char in text)


def test_every_quantity_of_a_draft_is_on_the_list() -> None:
    """Rows name what Nabd knows."""
    for row in tomllib.loads(draft(bytes.fromhex(WATER), "mbus", Keys()))["rows"]:
        assert row["quantity"] in QUANTITIES
