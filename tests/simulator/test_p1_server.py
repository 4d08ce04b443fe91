"""A telegram is whole, true and on time."""

import asyncio
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from simulator.habits import Home
from simulator.households import Household
from simulator.p1_server import telegram
from simulator.pushing import PushingServer

ZONE = ZoneInfo("Europe/Amsterdam")
WINTER, SUMMER = 1_768_478_520.0, 1_782_907_200.0  # 2026-01-15 12:02 UTC, 2026-07-01 12:00 UTC


def crc_arc(data: bytes) -> int:
    """Divide by x^16 + x^15 + x^2 + 1, bit by bit, least significant first: the test's own checksum."""
    value = 0
    for byte in data:
        for bit in range(8):
            mix = (value ^ (byte >> bit)) & 1
            value = (value >> 1) ^ (0xA001 if mix else 0)
    return value


def fields(said: bytes) -> dict[str, str]:
    """Give the last group of each line by its code."""
    return dict(re.findall(r"^(\d-\d:[\d.]+)\(.*?\(?([^()]*)\)\r$", said.decode("ascii"), re.MULTILINE))


def test_the_checksum_is_right() -> None:
    """Over everything from the slash to the exclamation mark, as a second implementation has it."""
    home = Household(Home(1))
    for second in range(20):
        said = telegram(home, {1: ("gas", home)}, WINTER + second, ZONE)
        body, mark, checksum = said.partition(b"!")
        assert said.startswith(b"/")
        assert checksum == b"%04X\r\n" % crc_arc(body + mark)


def test_it_says_what_the_home_takes() -> None:
    """Registers, powers, voltages and currents are the home's, in the units of the telegram."""
    home = Household(Home(1))
    true, said = home.at("electricity", WINTER), fields(telegram(home, {}, WINTER, ZONE))
    for code, quantity in (("1-0:1.8.1", "energy_import_t1"), ("1-0:1.8.2", "energy_import_t2")):
        assert re.fullmatch(r"\d{6}\.\d{3}\*kWh", said[code])
        assert float(said[code][:-4]) == pytest.approx(true[quantity] / 1000, abs=1.1e-3)
    assert float(said["1-0:1.7.0"][:-3]) == pytest.approx(true["power"] / 1000, abs=6e-4)
    assert float(said["1-0:41.7.0"][:-3]) == pytest.approx(true["power_l2"] / 1000, abs=6e-4)
    assert float(said["1-0:72.7.0"][:-2]) == pytest.approx(true["voltage_l3"], abs=0.06)
    assert float(said["1-0:51.7.0"][:-2]) == pytest.approx(true["current_l2"], abs=0.006)
    assert said["0-0:96.14.0"] == "0002"  # a working day at noon


def test_times_are_local_with_their_letter() -> None:
    """13:02 in winter, 14:00 in summer."""
    home = Household(Home(1))
    assert fields(telegram(home, {}, WINTER, ZONE))["0-0:1.0.0"] == "260115130200W"
    assert fields(telegram(home, {}, SUMMER, ZONE))["0-0:1.0.0"] == "260701140000S"


def test_the_gas_register_keeps_its_own_time() -> None:
    """Value and timestamp change every five minutes, together."""
    home = Household(Home(1))
    said = [telegram(home, {2: ("gas", home)}, WINTER + second, ZONE) for second in (0, 170, 180)]
    lines = [re.search(rb"0-2:24\.2\.1\((\d+W)\)\((\d{5}\.\d{3})\*m3\)", data) for data in said]
    (time, value), same, (later, _) = [line.groups() for line in lines if line]
    assert (time, later) == (b"260115130000W", b"260115130500W")
    assert same == (time, value)
    assert float(value) == pytest.approx(home.at("gas", WINTER - 120)["gas_volume"] / 1000, abs=1.1e-3)
    assert b"0-2:24.1.0(003)" in said[0]


async def test_it_talks_while_somebody_listens(heard: Any) -> None:
    """A telegram at once and then at its interval, to each listener; silence when the last has gone."""
    count = iter(range(100))
    server = PushingServer(lambda: b"%02d" % next(count), every=0.02)
    ear = type(heard)()
    session, other = server.open(heard), server.open(ear)
    session.feed(b"nobody hears this")
    first = await heard.until(2)
    assert await heard.until(6) - first >= 0.04 - 0.002
    assert heard.data == ear.data == b"000102"
    session.close()
    await ear.until(8)
    other.close()
    await asyncio.sleep(0.05)
    assert next(count) == 4
    assert heard.data == b"000102"
    again = server.open(heard)
    await heard.until(8)
    again.close()
