"""`nabd analyze`: its input, its JSON, its plain form, its exit codes."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from gateway.analyze_cmd import CannotAnalyze, bytes_of, key_of, run

# A request for two input registers of unit 1 and its answer, 230.5 as a float.
HEX = "01040000000271cb 01040443668000 6fdf"
KEY = "00112233445566778899AABBCCDDEEFF"


class Screen:
    """Runs the command and keeps what it says."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.complained: list[str] = []

    def run(self, what: str, **options: Any) -> int:
        """Run it with an installer's options."""
        usual = {"protocol": None, "profile": None, "key": None, "auth_key": None, "json": False, "colour": False}
        return run(Namespace(what=what, **usual | options), self.told.append, self.complained.append)


@pytest.fixture
def screen() -> Screen:
    """Give a screen."""
    return Screen()


def test_json_is_one_object_of_the_contract(screen: Screen) -> None:
    """Standard output is one object and nothing else, with the keys programs rely on."""
    assert screen.run(HEX, protocol="modbus", json=True) == 0
    (line,) = screen.told
    frame = json.loads(line)["frames"][1]
    assert frame["ok"] is True
    assert frame["error"] is None
    assert frame["meter"] == {"id": "unit 1", "manufacturer": None, "model": None, "medium": None}
    assert frame["values"][0] == {"id": "input 0", "quantity": None, "value": 0x4366, "unit": None, "at": None}


def test_the_protocol_is_found(screen: Screen) -> None:
    """Without a protocol, the one that understands the bytes is named."""
    assert screen.run(HEX) == 0
    assert screen.told[0] == "frame 1, bytes 0 to 7: modbus, unit 1"


def test_every_line_fits_a_terminal(screen: Screen) -> None:
    """Eighty columns hold every line, whatever the bytes."""
    assert screen.run(HEX + "00ff" * 100, profile="eastron-sdm120") == 0
    assert max(map(len, screen.told)) <= 80
    assert any(line.startswith("reading 1 by eastron-sdm120") for line in screen.told)
    assert any("? not understood" in line for line in screen.told)
    assert "2 of 2 frames whole; 17 of 217 bytes understood" in screen.told


def test_bytes_nobody_understands_are_told(screen: Screen) -> None:
    """Nothing found is exit 1, with what to try."""
    assert screen.run("ff" * 20, protocol="modbus") == 1
    assert "another protocol" in screen.told[-1]


def test_colour_is_asked_for(screen: Screen) -> None:
    """With colour, what is not understood is yellow; without, no escape is printed."""
    screen.run("ff" + HEX, protocol="modbus", colour=True)
    assert screen.told[0].startswith("\x1b[33m")
    plain = Screen()
    plain.run("ff" + HEX, protocol="modbus")
    assert "\x1b" not in "".join(plain.told)


def test_nothing_unprintable_reaches_the_terminal(screen: Screen) -> None:
    """A telegram cannot steer the terminal of whoever looks at it."""
    screen.run((b"/XYZ5\x1b]0;owned\x07\r\n\r\n1-0:1.8.0(1*\x1b[31mkWh)\r\n!\r\n").hex(), protocol="p1")
    assert not any(char < " " for line in screen.told for char in line)


def test_files_may_be_bytes_or_digits(tmp_path: Path) -> None:
    """A file of hexadecimal digits means their bytes; any other file means its own."""
    (tmp_path / "raw").write_bytes(b"\x01\x04")
    (tmp_path / "hex").write_text("01 04\n")
    (tmp_path / "text").write_text("/XYZ5\n")
    assert bytes_of(str(tmp_path / "raw")) == bytes_of(str(tmp_path / "hex")) == bytes_of("01:04") == b"\x01\x04"
    assert bytes_of(str(tmp_path / "text")) == b"/XYZ5\n"


@pytest.mark.parametrize(("what", "why"), [("nowhere.bin", "no file"), ("012", "odd"), ("", "no bytes")])
def test_a_wrong_input_is_explained(what: str, why: str, screen: Screen) -> None:
    """Usage errors are exit 2 and one line."""
    assert screen.run(what) == 2
    assert why in screen.complained[0]


def test_a_key_comes_from_the_line_or_a_file(tmp_path: Path) -> None:
    """A key is digits, or @ and the file that holds them; a wrong one is not shown."""
    (tmp_path / "key").write_text(KEY + "\n")
    assert key_of(KEY, "--key") == key_of(f"@{tmp_path}/key", "--key") == bytes.fromhex(KEY)
    for wrong in (KEY[:-1], KEY[:-1] + "x", f"@{tmp_path}/none"):
        with pytest.raises(CannotAnalyze) as error:
            key_of(wrong, "--key")
        assert KEY[:-1] not in str(error.value)


def test_a_model_of_another_protocol_is_refused(screen: Screen) -> None:
    """A Modbus meter makes nothing of a P1 telegram."""
    assert screen.run(HEX, protocol="p1", profile="eastron-sdm120") == 2
    assert "modbus meter" in screen.complained[0]
