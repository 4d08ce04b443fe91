"""Tests of drivers/sml/driver.py: a meter that talks by itself, over TCP, a pty, a recording, and by `nabd read`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import Bus, HasNameplate, Meter, NoAnswer, NotConnected
from drivers.profiles import load
from drivers.sml.driver import SILENCE, SmlDriver, open_bus
from gateway import show
from gateway.config import load as load_config
from simulator.faults import Fault, Faults, Faulty
from simulator.habits import Home
from simulator.households import Household
from simulator.pushing import PushingServer
from simulator.serving import Server
from simulator.sml_server import (
    LEFT_OUT,
    LIST,
    W,
    entry,
    file_of,
    listed,
    message,
    octets,
    push,
    signed,
    telegram,
    unsigned,
)
from simulator.wire import pty_line, tcp_line
from tests.support.virtual_time import run_virtually

MAIN = Meter("main", load("sml"))
SERVER = bytes.fromhex("0A014E42440000BC614E")
NOON = 1_790_000_000.0
CLOCK = listed(unsigned(2, 1), unsigned(int(NOON), 4))
ROW = entry("1-0:16.7.0*255", signed(1, 1), W, 0)


def power(number: int) -> bytes:
    """Make a telegram that tells one power."""
    return push(SERVER, [entry("1-0:16.7.0*255", signed(number, 4), W, 0)], number, number)


class Silent(asyncio.Transport):
    """A link that carries what a test feeds into its protocol."""

    def close(self) -> None:
        """Nothing is open."""


Story = Callable[[SmlDriver, asyncio.Protocol], Coroutine[Any, Any, None]]


@pytest.fixture
def virtual(monkeypatch: pytest.MonkeyPatch) -> Callable[[Story], None]:
    """Give a callable that runs a story on virtual time, with a connected driver and the protocol that feeds it."""

    async def run(story: Story) -> None:
        ports: list[asyncio.Protocol] = []

        async def connect(_: Bus, protocol: Callable[[], asyncio.Protocol], **line: object) -> object:
            assert (line["baud"], line["framing"]) == (9600, "8N1")
            ports.append(protocol())
            return Silent(), ports[0]

        monkeypatch.setattr("drivers.pushed.connect", connect)
        driver = open_bus(Bus("sml", "/dev/none"), lambda: 7)
        await driver.connect()
        await story(driver, ports[0])
        await driver.close()

    return lambda story: run_virtually(run(story))


def test_a_slow_reader_gets_the_newest_once(virtual: Callable[[Story], None]) -> None:
    """What came while nobody read is thinned to the last, which is not given twice."""

    async def story(driver: SmlDriver, port: asyncio.Protocol) -> None:
        port.data_received(b"".join(map(power, range(10))) + power(10)[:50])
        reading = await driver.read(MAIN)
        assert (reading.values, reading.at, reading.meter_time) == ({"power_w": 9}, 7, None)
        port.data_received(power(10)[50:])
        assert (await driver.read(MAIN)).values == {"power_w": 10}
        with pytest.raises(NoAnswer, match="does the profile fit"):
            await driver.read(MAIN)

    virtual(story)


def test_silence_names_its_likely_cause(virtual: Callable[[Story], None]) -> None:
    """Nothing at all, and nothing of use, are NoAnswer in time; a meter's longer deadline counts."""

    async def story(driver: SmlDriver, port: asyncio.Protocol) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(NoAnswer, match=r"main: no telegram within 15 s.*optical port"):
            await driver.read(MAIN)
        assert loop.time() - started == pytest.approx(SILENCE)
        with pytest.raises(NoAnswer, match="within 15 s"):
            await driver.nameplate(MAIN)
        port.data_received(push(SERVER, [entry("1-0:16.7.0*255", signed(1, 1), 35, 0)], 1, 1))
        with pytest.raises(NoAnswer, match="nothing of this meter within 60 s"):
            await driver.read(Meter("main", MAIN.profile, deadline=60))
        assert driver.counters() == {"unusable_value": 1}

    virtual(story)


def test_the_meters_clock_and_name(virtual: Callable[[Story], None]) -> None:
    """A timestamp becomes the meter's time; id and maker are the nameplate."""

    async def story(driver: SmlDriver, port: asyncio.Protocol) -> None:
        port.data_received(power(5))
        # Seconds since the meter was switched on are no time; the same field as a timestamp is one.
        assert (await driver.read(MAIN)).meter_time is None
        body = listed(LEFT_OUT, octets(SERVER), LEFT_OUT, CLOCK, listed(ROW), LEFT_OUT, LEFT_OUT)
        port.data_received(file_of([message(1, LIST, body)]))
        assert (await driver.read(MAIN)).meter_time == int(NOON) * 1000
        # Whether meters count local time in UTC is not known of all of them.
        local = listed(unsigned(3, 1), listed(unsigned(int(NOON), 4), signed(60, 2), signed(0, 2)))
        port.data_received(file_of([message(1, LIST, body.replace(CLOCK, local))]))
        assert (await driver.read(MAIN)).meter_time is None
        assert isinstance(driver, HasNameplate)
        assert await driver.nameplate(MAIN) == {"maker": "NBD", "serial": "1 NBD00 1234 5678"}

    virtual(story)


async def test_a_lost_link_is_told_and_opened_again(captures: Path) -> None:
    """A recording ends as a pulled cable does; connecting again reads it anew, and counters go on."""
    driver = open_bus(Bus("sml", f"capture:{captures / 'sml' / 'EasyMeter_Q3A_A1064V1009.bin'}"), lambda: 1)
    with pytest.raises(NotConnected, match="connect first"):
        await driver.read(MAIN)
    for turn in (1, 2):
        await driver.connect()
        heard = 0
        while True:
            try:
                reading = await driver.read(MAIN)
            except NotConnected:
                break
            heard += 1
            assert reading.values["voltage_l1_v"] > 200
        assert heard
        assert driver.counters()["bad_crc"] == 3 * turn
    await driver.close()
    await driver.close()
    with pytest.raises(NotConnected):
        await open_bus(Bus("x", "capture:/none"), lambda: 1).connect()


@asynccontextmanager
async def on_a_wire(kind: str, folder: Path, server: Server) -> AsyncIterator[str]:
    """Serve on a pty or TCP; give the `where` of the bus."""
    if kind == "pty":
        async with pty_line(server, folder / "head"):
            yield str(folder / "head")
    else:
        async with tcp_line(server, "127.0.0.1") as port:
            yield f"tcp://127.0.0.1:{port}"


@pytest.mark.parametrize("kind", ["pty", "tcp"])
async def test_the_simulated_meter_in_spite_of_faults(kind: str, tmp_path: Path) -> None:
    """Noise, flipped bits and babble cost telegrams, never a wrong value."""
    home = Household(Home(3))
    right = {round(home.at("electricity", NOON + n)["power"]) for n in range(60)}
    seconds = iter(range(60))
    clock = [NOON]

    def say() -> bytes:
        clock[0] = NOON + next(seconds)
        return telegram(home, clock[0])

    faults = [Fault("flip", times=2), Fault("babble", times=3, size=40), Fault("noise", size=30)]
    server = Faulty(PushingServer(say, 0.02), Faults(faults, 1, lambda: NOON), None)
    async with on_a_wire(kind, tmp_path, server) as where, asyncio.timeout(10):
        driver = open_bus(Bus("sml", where), lambda: 1)
        await driver.connect()
        found = [(await driver.read(MAIN)).values for _ in range(5)]
        await driver.close()
    assert {values["power_w"] for values in found} <= right
    assert driver.counters()["noise_bytes"] > 0


@pytest.mark.parametrize("kind", ["pty", "tcp"])
async def test_nabd_read(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command shows values and nameplate of the simulated meter, over a serial port and over TCP."""
    home = Household(Home(3))
    async with on_a_wire(kind, tmp_path, PushingServer(lambda: telegram(home, NOON), 0.2)) as where:
        (tmp_path / "edge.toml").write_text(
            '[gateway]\nid = "gw"\n[journal]\nfolder = "journal"\n[mqtt]\nurl = "mqtts://b"\n'
            f'[[bus]]\nname = "head"\ndriver = "sml"\n{"url" if kind == "tcp" else "device"} = "{where}"\n'
            '[[meter]]\nname = "m"\nbus = "head"\nprofile = "sml"\nevery = "10s"\n'
        )
        async with asyncio.timeout(10):
            assert await show.read(load_config(tmp_path / "edge.toml", "edge", {}), "m", as_json=False) == 0
    said = capsys.readouterr().out
    assert "it is maker NBD, serial 1 NBD00 0000 0001" in said
    assert f"{int(home.at('electricity', NOON)['energy_import'] * 10) / 10} Wh" in " ".join(said.split())
