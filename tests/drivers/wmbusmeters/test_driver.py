"""Tests of drivers/wmbusmeters/driver.py: lines that somebody else decoded, over TCP, a pty and a recording."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import Bus, HasNameplate, Meter, NoAnswer, NotConnected, Refused
from drivers.profiles import load
from drivers.wmbusmeters.driver import MAX_METERS, SILENCE, Newest, WmbusmetersDriver, open_bus
from gateway import show
from gateway.config import load as load_config
from simulator.faults import Fault, Faults, Faulty
from simulator.pushing import PushingServer
from simulator.wire import pty_line, tcp_line
from simulator.wmbusmeters_server import ToldMeter
from tests.support.virtual_time import run_virtually

WATER = load("wmbusmeters-water")
FLAT = Meter("flat", WATER, 21050005)
HALL = Meter("hall", WATER, "0014a807")


def line(number: str, total: float, **more: object) -> bytes:
    """Write a telegram of a water meter."""
    return json.dumps({"id": number, "media": "water", "meter": "x", "total_m3": total} | more).encode() + b"\n"


class Silent(asyncio.Transport):
    """A link that carries what a test feeds into its protocol."""

    def close(self) -> None:
        """Nothing is open."""


Story = Callable[[WmbusmetersDriver, asyncio.Protocol], Coroutine[Any, Any, None]]


@pytest.fixture
def virtual(monkeypatch: pytest.MonkeyPatch) -> Callable[[Story], None]:
    """Give a callable that runs a story on virtual time, with a connected driver and the protocol that feeds it."""

    async def run(story: Story) -> None:
        ports: list[asyncio.Protocol] = []

        async def connect(_: Bus, protocol: Callable[[], asyncio.Protocol], **__: object) -> object:
            ports.append(protocol())
            return Silent(), ports[0]

        monkeypatch.setattr("drivers.pushed.connect", connect)
        driver = open_bus(Bus("json", "/dev/none"), lambda: 7)
        await driver.connect()
        await story(driver, ports[0])
        await driver.close()

    return lambda story: run_virtually(run(story))


def test_each_meter_has_its_newest_telegram_once(virtual: Callable[[Story], None]) -> None:
    """Two meters in one piece of bytes both get theirs; nothing is given twice."""

    async def story(driver: WmbusmetersDriver, port: asyncio.Protocol) -> None:
        port.data_received(line("21050005", 1) + line("21050005", 2) + line("0014a807", 3, status="DRY") + b"{}\n")
        reading = await driver.read(FLAT)
        assert (reading.values, reading.at, reading.status) == ({"water_volume_l": 2000}, 7, ())
        reading = await driver.read(HALL)
        assert (reading.values, reading.status) == ({"water_volume_l": 3000}, ("dry",))
        waiting = asyncio.create_task(driver.read(FLAT))
        await asyncio.sleep(1)
        port.data_received(line("99999999", 9))
        await asyncio.sleep(1)
        assert not waiting.done()
        port.data_received(line("21050005", 4))
        assert (await waiting).values == {"water_volume_l": 4000}
        assert driver.counters() == {"no_telegram": 1}

    virtual(story)


def test_silence_names_its_likely_cause(virtual: Callable[[Story], None]) -> None:
    """Nothing at all, nothing of this meter and nothing of use are told apart; a longer deadline counts."""

    async def story(driver: WmbusmetersDriver, port: asyncio.Protocol) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(NoAnswer, match=r"flat: no telegram of any meter within 3600 s.*--format=json"):
            await driver.read(FLAT)
        assert loop.time() - started == pytest.approx(SILENCE)
        port.data_received(line("0014a807", 1))
        with pytest.raises(NoAnswer, match=r"nothing of this meter within 3600 s.*others"):
            await driver.read(FLAT)
        port.data_received(line("21050005", 1, media="heat"))
        with pytest.raises(NoAnswer, match=r"nothing new of this meter within 7200 s.*profile"):
            await driver.read(Meter("flat", WATER, "21050005", deadline=7200))
        assert driver.counters() == {"no_value": 1}

    virtual(story)


def test_the_nameplate_and_the_address(virtual: Callable[[Story], None]) -> None:
    """What is told of a meter is its nameplate; an address that is no number of eight digits is refused."""

    async def story(driver: WmbusmetersDriver, port: asyncio.Protocol) -> None:
        assert isinstance(driver, HasNameplate)
        assert await driver.nameplate(HALL) == {}
        port.data_received(line("0014a807", 1))
        told = {"serial": "0014A807", "driver": "x", "media": "water", "heard": "0 s ago"}
        assert await driver.nameplate(HALL) == told
        for address in (None, "1234567", "flat"):
            with pytest.raises(Refused, match="no wireless meter's number"):
                await driver.read(Meter("flat", WATER, address))

    virtual(story)


def test_many_meters_are_bounded() -> None:
    """Beyond the bound, the meter not told of for longest is forgotten."""
    newest = Newest(lambda: 1)
    newest.feed(b"".join(line(f"{number:08}", 1) for number in range(MAX_METERS)))
    newest.feed(line("00000000", 2) + line("99999999", 1))
    assert len(newest.by_meter) == MAX_METERS
    assert "00000000" in newest.by_meter
    assert "00000001" not in newest.by_meter


async def test_a_recording_ends_as_a_link_does(tmp_path: Path) -> None:
    """What a file holds is read once a connection; before the first, and after the end, there is no link."""
    (tmp_path / "lines.json").write_bytes(line("21050005", 1.234))
    driver = open_bus(Bus("json", f"capture:{tmp_path / 'lines.json'}"), lambda: 1)
    with pytest.raises(NotConnected, match="connect first"):
        await driver.read(FLAT)
    for _ in range(2):
        await driver.connect()
        assert (await driver.read(FLAT)).values == {"water_volume_l": 1234}
        with pytest.raises(NotConnected):
            await driver.read(FLAT)
    await driver.close()


@pytest.mark.parametrize("kind", ["pty", "tcp"])
async def test_nabd_read_in_spite_of_faults(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command shows values and nameplate of the stub's meter, over a pseudo-terminal and over TCP."""
    meter = ToldMeter("21050005", "water", lambda: {"water_volume": 54321.9, "water_flow": 127.0})
    pushing = PushingServer(lambda: meter.line(1_790_000_000.0), 0.05)
    server = Faulty(pushing, Faults([Fault("noise", times=2, size=30)], 1, lambda: 0.0), None)
    link = pty_line(server, tmp_path / "json") if kind == "pty" else tcp_line(server, "127.0.0.1")
    async with link as port, asyncio.timeout(10):
        where = f'device = "{tmp_path / "json"}"' if kind == "pty" else f'url = "tcp://127.0.0.1:{port}"'
        (tmp_path / "edge.toml").write_text(
            '[gateway]\nid = "gw"\n[journal]\nfolder = "journal"\n[mqtt]\nurl = "mqtts://b"\n'
            f'[[bus]]\nname = "json"\ndriver = "wmbusmeters"\n{where}\n'
            '[[meter]]\nname = "m"\nbus = "json"\nprofile = "wmbusmeters-water"\naddress = "21050005"\nevery = "10s"\n'
        )
        assert await show.read(load_config(tmp_path / "edge.toml", "edge", {}), "m", as_json=False) == 0
    said = capsys.readouterr().out
    assert "serial 21050005" in said
    assert "54321 l" in " ".join(said.split())
