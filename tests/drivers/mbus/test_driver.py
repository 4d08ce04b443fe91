"""The M-Bus driver against simulated meters, over a pseudo terminal and over TCP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest

from drivers.contract import Bus, DecodeError, Meter, NoAnswer, NotConnected
from drivers.mbus.driver import MbusDriver, address_of, open_bus
from drivers.mbus.search import PrimaryScan, Probe, Search
from drivers.profiles import load
from simulator.mbus_server import MbusMeter, MbusServer
from simulator.serving import Send, Server, Session
from simulator.wire import pty_line, tcp_line
from tests.support.memory_link import in_memory
from tests.support.virtual_time import run_virtually

WATER, HEAT = load("mbus-water"), load("mbus-heat")
FAST = 38_400
"""Shorter waits: nothing paces a pseudo terminal."""

SHOWN = {"water_volume_l": 12_345, "water_flow_l_h": 30}


def water(primary: int, number: str = "21050001", split: int = 12) -> MbusMeter:
    """Make a water meter that shows 12.345 m3 and 30 l/h."""
    return MbusMeter(primary, number, 7, lambda: {"water_volume": 12_345.0, "water_flow": 30.0}, split=split)


def meter(address: int | str | None) -> Meter:
    """Name a water meter that may think for 50 ms."""
    return Meter("w", WATER, address, deadline=0.05)


@asynccontextmanager
async def reading(server: Server, folder: Path) -> AsyncIterator[MbusDriver]:
    """Open a driver on a pseudo terminal with these meters."""
    link = folder / "wire"
    async with pty_line(server, link):
        driver = open_bus(Bus("b", str(link), FAST), lambda: 42)
        await driver.connect()
        try:
            yield driver
        finally:
            await driver.close()


@pytest.mark.parametrize("address", [5, 254, "21050001", "2105FFFF", "21050001.NBD.01.07"])
async def test_a_meter_is_read_by_any_of_its_addresses(address: int | str, tmp_path: Path) -> None:
    """Primary, the only one of a line, or secondary in whole or in part."""
    async with reading(MbusServer([water(5)]), tmp_path) as driver:
        found = await driver.read(meter(address))
    assert (dict(found.values), found.at) == (SHOWN, 42)


async def test_all_telegrams_of_a_meter_are_read(tmp_path: Path) -> None:
    """As long as a telegram says that more follow, the next one is asked for; each reading begins with the first."""
    async with reading(MbusServer([water(5, split=1)]), tmp_path) as driver:
        for _ in range(3):
            assert (await driver.read(meter(5))).values == SHOWN


async def test_tcp_works_as_well() -> None:
    """A transparent gateway carries the same bytes."""
    async with tcp_line(MbusServer([water(5)]), "127.0.0.1") as port:
        driver = open_bus(Bus("b", f"tcp://127.0.0.1:{port}", FAST), lambda: 42)
        await driver.connect()
        assert (await driver.read(meter(5))).values == SHOWN
        assert (await driver.nameplate(meter(5)))["serial"] == "21050001"
        await driver.close()


async def test_nobody_at_an_address_is_silence(tmp_path: Path) -> None:
    """Three tries, then NoAnswer with the meter's name."""
    async with reading(server := MbusServer([water(5)]), tmp_path) as driver:
        with pytest.raises(NoAnswer, match="w: silence"):
            await driver.read(meter(6))
        assert len([request for request in server.heard if request[1] == 0x7B]) == 3
        assert (await driver.read(meter(5))).values == SHOWN


async def test_two_meters_with_one_address_are_told(tmp_path: Path) -> None:
    """Their answers collide; none of it is taken."""
    async with reading(MbusServer([water(5), water(5, "21050002")]), tmp_path) as driver:
        with pytest.raises(DecodeError, match="several meters"):
            await driver.read(meter(5))


async def test_a_swapped_meter_is_refused(tmp_path: Path) -> None:
    """A water meter where a heat meter is configured is an error, never heat."""
    async with reading(MbusServer([water(5)]), tmp_path) as driver:
        with pytest.raises(DecodeError, match="measures water, which mbus-heat does not"):
            await driver.read(Meter("h", HEAT, 5, 0.05))


async def test_a_closed_line_is_not_connected(tmp_path: Path) -> None:
    """Before connect and after close there is no line."""
    async with reading(MbusServer([water(5)]), tmp_path) as driver:
        await driver.close()
        with pytest.raises(NotConnected):
            await driver.read(meter(5))


@dataclass
class Noisy:
    """A line that echoes every request, puts noise before answers, and breaks the first one of each kind."""

    server: MbusServer
    broken: int = 2

    def open(self, send: Send) -> Session:
        """Put the noise around what the server says."""
        return _Noisy(self, self.server.open(lambda data: self._answer(send, data)), send)

    def _answer(self, send: Send, data: bytes) -> None:
        if len(data) > 1 and self.broken:
            self.broken -= 1
            data = data[:-3] + bytes((data[-3] ^ 1,)) + data[-2:]
        send(b"\x00\xff" + data)


@dataclass
class _Noisy:
    line: Noisy
    session: Session
    send: Send

    def feed(self, data: bytes) -> None:
        """Echo, then answer."""
        self.send(data)
        self.session.feed(data)

    def close(self) -> None:
        """Go."""
        self.session.close()


async def test_echo_noise_and_damage_cost_nothing_but_time(tmp_path: Path) -> None:
    """Two broken answers are asked for again; the third is taken, and what was left out is counted."""
    async with reading(Noisy(MbusServer([water(5)])), tmp_path) as driver:
        assert (await driver.read(meter(5))).values == SHOWN
        counters = driver.counters()
    assert counters["bad_checksum"] == 2
    assert counters["echo"] >= 4


@dataclass
class Echo:
    """A level converter that repeats each request, before meters that are not there."""

    heard: list[bytes] = field(default_factory=list)

    def open(self, send: Send) -> Session:
        """Echo what comes."""
        self.send = send
        return self

    def feed(self, data: bytes) -> None:
        """Echo."""
        self.heard.append(data)
        self.send(data)

    def close(self) -> None:
        """Go."""


async def test_an_echo_alone_is_silence(tmp_path: Path) -> None:
    """Our own words back are no answer, and no collision that a search would follow down."""
    async with reading(echo := Echo(), tmp_path) as driver:
        with pytest.raises(NoAnswer, match="w: silence"):
            await driver.read(meter(5))
        echo.heard.clear()
        await driver.search(task := Search(Probe("210500FF")))
        assert (task.asked, task.found) == (1, [])


async def test_a_meter_with_all_its_telegrams_by_its_number(tmp_path: Path) -> None:
    """The frame count bit begins anew after the select, so that each telegram comes once."""
    async with reading(server := MbusServer([water(5, split=1)]), tmp_path) as driver:
        for _ in range(2):
            assert (await driver.read(meter("21050001"))).values == SHOWN
    asked = [request[1] for request in server.heard if request[0] == 0x10 and request[1] & 0x0F == 0x0B]
    assert asked == [0x7B, 0x5B] * 2


async def test_a_model_may_want_a_reset(tmp_path: Path) -> None:
    """Before each reading, with the sub-code of the data it needs."""
    layout = replace(WATER.layout, reset=b"\x10")
    one = Meter("w", replace(WATER, layout=layout), 5, deadline=0.05)
    async with reading(server := MbusServer([water(5)]), tmp_path) as driver:
        assert (await driver.read(one)).values == SHOWN
    assert server.meters[0].told == [b"\x50\x10"]


async def test_primary_addresses_are_scanned(tmp_path: Path) -> None:
    """Who answers alone is found, several at one address are told, the others are silent."""
    meters = [water(1), water(3, "21050002"), water(3, "21050003"), water(4, "21050004")]
    async with reading(MbusServer(meters), tmp_path) as driver:
        await driver.scan(scan := PrimaryScan(range(6)))
    assert {address: who.number for address, who in scan.found.items() if who} == {1: "21050001", 4: "21050004"}
    assert (scan.shared, scan.asked) == ([3], 6)


def test_a_slow_line_takes_its_time() -> None:
    """Whoever waits for a reading knows how long the longest takes."""
    slow, fast = (open_bus(Bus("b", "/dev/ttyUSB0", baud), lambda: 42).budget(meter(5)) for baud in (300, 38_400))
    assert slow > 32 * 261 * 11 / 300
    assert fast < 10


def test_sixty_meters_are_found_by_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search at the usual 2400 baud, where open addresses collide, finds all of sixty."""
    numbers = [f"21050{number:03}" for number in Random(3).sample(range(1000), 60)]
    in_memory(monkeypatch, MbusServer([water(0, number) for number in numbers]))

    async def search() -> list[str]:
        driver, task = open_bus(Bus("b", "/dev/ttyUSB0"), lambda: 42), Search(Probe())
        await driver.connect()
        await driver.search(task)
        return [who.number for who in task.found]

    assert sorted(run_virtually(search())) == sorted(numbers)


@pytest.mark.parametrize("address", [None, -1, 251, 255, "1234567", "12345678.nbd.1", True])
def test_what_is_no_address_is_refused(address: int | str | None) -> None:
    """With a hint that shows what one looks like."""
    with pytest.raises(NoAnswer, match="no M-Bus address"):
        address_of(address)
