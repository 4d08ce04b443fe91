"""Meters of each protocol that is not Modbus, searched in memory, byte by byte as their simulators speak."""

import tomllib
from random import Random

from drivers.dlms import scan as dlms
from drivers.iec62056 import scan as iec62056
from drivers.iec62056.parity import with_parity
from drivers.link import Line
from drivers.mbus import scan as mbus
from drivers.p1 import scan as p1
from drivers.profiles import SHIPPED
from drivers.scan import Ask
from drivers.sml import scan as sml
from drivers.wmbus import scan as wmbus
from gateway.scan.book import load_book
from simulator.mbus_server import MbusServer
from tests.support.scan_bus import MbusBus, Silence, drive, mbus_meter

ADMITTED = bytes.fromhex("6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F040000121504000007")
NAMED = bytes.fromhex("C401C10009104E424430303030303331303830303030")
"""What a simulated meter said when it was asked once."""

LINE = Line(9600, 8, "N", 1)


def example(name: str) -> str:
    """Give a shipped model's first telegram."""
    table = tomllib.loads((SHIPPED / f"{name}.toml").read_text())
    text: str = table["examples"][0]["telegram"]
    return text


def p1_telegram() -> bytes:
    """Give a P1 telegram as its port sends it."""
    return example("dsmr-p1").replace("\r\n", "\n").replace("\n", "\r\n").encode()


def test_a_p1_port_is_sure_with_a_right_checksum_only() -> None:
    """One bit turned, and it is nothing; half of it is nothing either."""
    telegram = p1_telegram()
    found = p1.recognise(telegram, LINE)
    assert found is not None
    assert (found.profile, found.confidence) == ("dsmr-p1", "sure")
    broken = bytearray(telegram)
    broken[len(broken) // 2] ^= 1
    assert p1.recognise(bytes(broken), LINE) is None
    assert p1.recognise(telegram[: len(telegram) // 2], LINE) is None


def test_an_sml_file_is_sure_with_a_right_checksum_only() -> None:
    """As above."""
    telegram = bytes.fromhex(example("sml"))
    found = sml.recognise(b"\x1b\x00" + telegram, LINE)
    assert found is not None
    assert (found.profile, found.confidence) == ("sml", "sure")
    broken = bytearray(telegram)
    broken[len(broken) // 2] ^= 1
    assert sml.recognise(bytes(broken), LINE) is None


def test_rubbish_is_nobody() -> None:
    """A hundred lines of noise hold no meter of any kind."""
    for seed in range(100):
        noise = Random(seed).randbytes(600)
        assert p1.recognise(noise, LINE) is None
        assert sml.recognise(noise, LINE) is None
        assert iec62056.recognise(noise, LINE) is None
        assert wmbus.recognise(noise, LINE) == []


class Head(Silence):
    """An optical head's meter: it names itself when it is asked to."""

    def __init__(self, said: bytes) -> None:
        self._said = said

    def answer(self, ask: Ask) -> bytes:
        """Answer a sign-on at 300 baud."""
        return self._said if ask.request == b"/?!\r\n" and ask.line.baud == 300 else b""


def test_an_optical_head_is_asked_for_its_name() -> None:
    """The name is the evidence, with or without the parity bit in it."""
    for said in (b"/LGZ5ZMD120\r\n", with_parity(b"/LGZ5ZMD120\r\n"), b"\x00/LGZ5ZMD120\r\n"):
        (found,) = drive(iec62056.asked(), Head(said))[0]
        assert (found.profile, found.confidence, found.model) == ("iec62056-21", "likely", "LGZ ZMD120")
    assert drive(iec62056.asked(), Head(b"/LG"))[0] == []


def test_mbus_meters_that_collide_are_told_apart() -> None:
    """Twelve meters with numbers next to one another, all with primary address 0."""
    dice = Random(1)
    meters = [mbus_meter(dice, 0, 7) for _ in range(12)]
    for number, meter in enumerate(meters):
        meter.number = f"2105{number:04d}"
    found, seconds = drive(mbus.wired(load_book().mbus), MbusBus(mbus.LINES[0], MbusServer(meters)))
    assert {one.serial for one in found} == {meter.number for meter in meters}
    assert {(one.profile, one.confidence) for one in found} == {("mbus-water", "sure")}
    assert seconds < 60


def test_an_mbus_meter_without_a_model_is_something() -> None:
    """It says that it measures steam, which no model reads."""
    meter = mbus_meter(Random(1), 3, 7)
    meter.medium = 0x05
    (found,) = drive(mbus.wired(load_book().mbus), MbusBus(mbus.LINES[0], MbusServer([meter])))[0]
    assert (found.profile, found.confidence) == (None, "something")


def test_a_dlms_meter_tells_its_name_to_the_public_client() -> None:
    """A simulated meter behind the wrapper: likely, with its own name as the evidence."""

    class Meter(Silence):
        def answer(self, ask: Ask) -> bytes:
            tag = ask.request[8] if len(ask.request) > 8 else 0
            body = {0x60: ADMITTED, 0xC0: NAMED}.get(tag, b"")
            return b"\0\1\0\1\0\x10" + len(body).to_bytes(2, "big") + body if body else b""

    (found,) = drive(dlms.host(), Meter())[0]
    assert (found.confidence, found.serial, found.model) == ("likely", "NBD0000031080000", "NBD DLMS meter")
    assert drive(dlms.host(), Silence())[0] == []
    assert drive(dlms.asked(), Silence())[0] == []
