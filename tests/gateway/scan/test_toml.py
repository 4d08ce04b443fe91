"""What a search writes: tables that load, appended to a file of which nothing else changes."""

from pathlib import Path

import pytest

from drivers.link import Line
from drivers.scan import Found
from gateway.config.errors import ConfigError
from gateway.config.load import load
from gateway.scan.toml import Bus, add_to, text_of

LINE = Line(9600, 8, "N", 1)
SURE = Found("modbus", "abb-b23", "ABB B23", "sure", ("its code",), LINE, 3)
ALIKE = Found("modbus", "eastron-sdm120", "SDM120", "something", ("9 values",), LINE, 4, others=("eastron-sdm220",))
UNKNOWN = Found("modbus", None, "a Modbus device", "something", ("it answers",), LINE, 5)
WATER = Found("mbus", "mbus-water", "KAM water", "sure", ("it says so",), Line(2400, 8, "E", 1), "21050001.KAM")
SML = Found("sml", "sml", "an SML meter", "sure", ("checksum",), LINE)
BUSES = [Bus("/dev/ttyUSB0", [SURE, ALIKE, UNKNOWN]), Bus("/dev/ttyUSB1", [WATER]), Bus("/dev/ttyUSB2", [SML])]


@pytest.fixture
def edge(tmp_path: Path) -> Path:
    """Give an edge.toml with a comment and a bus of its own."""
    path = tmp_path / "edge.toml"
    path.write_text(
        '# mine, keep it\n[gateway]\nid = "gw-1"   # odd spacing\n[mqtt]\nurl = "mqtts://broker.example"\n'
        '[[bus]]\nname = "modbus-1"\ndriver = "modbus"\ndevice = "/dev/ttyS9"'
    )
    path.chmod(0o640)
    return path


def test_what_is_added_loads(edge: Path) -> None:
    """Buses and meters stand in the configuration as they were found."""
    add_to(edge, BUSES)
    config = load(edge, "edge")
    assert [(bus.name, bus.driver, bus.baud, bus.framing) for bus in config.bus[1:]] == [
        ("modbus-2", "modbus", 9600, "8N1"), ("mbus-1", "mbus", 2400, "8E1"), ("sml-1", "sml", 9600, "8N1"),
    ]  # fmt: skip
    assert [(meter.profile.name, meter.address) for meter in config.meter] == [
        ("abb-b23", 3), ("mbus-water", "21050001.KAM"), ("sml", None),
    ]  # fmt: skip


def test_the_rest_of_the_file_stays_as_it_was(edge: Path) -> None:
    """Every byte that was there is there, in its place, and the file's mode too."""
    before = edge.read_bytes()
    add_to(edge, BUSES)
    assert edge.read_bytes().startswith(before)
    assert edge.stat().st_mode & 0o777 == 0o640
    assert list(edge.parent.iterdir()) == [edge]


def test_what_is_there_already_is_not_added_again(edge: Path) -> None:
    """A second search of the same ports changes nothing."""
    add_to(edge, BUSES)
    once = edge.read_bytes()
    assert add_to(edge, BUSES) == ""
    assert edge.read_bytes() == once


def test_a_link_is_followed(edge: Path, tmp_path: Path) -> None:
    """A configuration that is a link stays one."""
    link = tmp_path / "link" / "edge.toml"
    link.parent.mkdir()
    link.symlink_to(edge)
    add_to(link, BUSES)
    assert link.is_symlink()
    assert "abb-b23" in edge.read_text()


def test_a_file_that_would_not_load_stays_as_it_was(edge: Path) -> None:
    """Two meters of one address: refused, and nothing is left behind."""
    before = edge.read_bytes()
    with pytest.raises(ConfigError):
        add_to(edge, [Bus("/dev/ttyUSB0", [SURE, SURE])])
    assert edge.read_bytes() == before
    assert list(edge.parent.iterdir()) == [edge]


def test_a_hub_has_no_meters(tmp_path: Path) -> None:
    """A hub.toml is refused."""
    path = tmp_path / "hub.toml"
    path.write_text('[mqtt]\nurl = "mqtts://broker.example"\n')
    with pytest.raises(ConfigError, match="has no meters"):
        add_to(path, BUSES)


def test_what_is_not_sure_is_a_comment() -> None:
    """Of something, every line is a comment, and those that fit alike are named."""
    text = text_of([Bus("/dev/ttyUSB0", [ALIKE])])
    below = text.split("\n\n", 1)[1]
    assert all(line.startswith("#") for line in below.splitlines() if line)
    assert "eastron-sdm220 would fit as well" in below


def test_a_meters_own_words_cannot_leave_their_comment(edge: Path) -> None:
    """A name with a line end and a table in it adds no table."""
    evil = Found("sml", "sml", 'x"\n[[channel]]\n', "sure", ("a\r\nurl = 1", "\x1b[2J"), LINE)
    added = add_to(edge, [Bus("/dev/ttyUSB0", [evil])])
    assert "\x1b" not in added
    assert len(load(edge, "edge").meter) == 1


def test_a_ciphered_meter_gets_a_line_for_its_key() -> None:
    """The line stands there as a comment, since the key is not known."""
    text = text_of([Bus("/dev/ttyUSB0", [Found("p1", "dsmr-p1", "a P1 port", "likely", ("ciphered",), LINE)])])
    assert '# key_file = "/etc/nabd/dsmr-p1-1.key"' in text
