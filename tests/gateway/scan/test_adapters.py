"""Serial adapters by their stable names, from a folder that looks like /dev."""

from pathlib import Path

import pytest

from gateway.scan.adapters import Adapter, adapters, stable_name


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    """Give two adapters, of which one has a serial number, and a port of the board."""
    for name in ("ttyUSB0", "ttyUSB1", "ttyAMA0"):
        (tmp_path / name).touch()
    named = tmp_path / "serial" / "by-id"
    named.mkdir(parents=True)
    (named / "usb-FTDI_FT232R_A1-if00-port0").symlink_to("../../ttyUSB1")
    (named / "usb-gone").symlink_to("../../ttyUSB7")
    (tmp_path / "serial0").symlink_to("ttyAMA0")
    return tmp_path


def test_each_port_is_listed_once_by_its_best_name(dev: Path) -> None:
    """The stable name where there is one; a link to an adapter that is gone is none."""
    named = str(dev / "serial" / "by-id" / "usb-FTDI_FT232R_A1-if00-port0")
    assert adapters(dev) == [
        Adapter(named, str(dev / "ttyUSB1"), stable=True),
        Adapter(str(dev / "serial0"), str(dev / "ttyAMA0"), stable=True),
        Adapter(str(dev / "ttyUSB0"), str(dev / "ttyUSB0"), stable=False),
    ]


def test_a_device_gets_its_stable_name(dev: Path) -> None:
    """What was typed as ttyUSB1 is configured by its serial number; the other stays as it was typed."""
    known = adapters(dev)
    assert stable_name(str(dev / "ttyUSB1"), known).endswith("usb-FTDI_FT232R_A1-if00-port0")
    assert stable_name(str(dev / "ttyUSB0"), known) == str(dev / "ttyUSB0")
    assert stable_name("tcp://meter:502", known) == "tcp://meter:502"


def test_a_machine_without_ports_has_none(tmp_path: Path) -> None:
    """An empty folder is no error."""
    assert adapters(tmp_path) == []
