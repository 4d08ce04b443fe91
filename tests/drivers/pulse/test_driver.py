"""Pulse meters on a simulated board and behind a simulated S0PCM, through restarts."""

import asyncio
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from drivers.contract import Bus, Meter, NoAnswer, NotConnected
from drivers.profiles import load
from drivers.pulse.driver import PulseDriver, open_bus
from drivers.pulse.module import S0pcmDriver
from simulator.pulse_server import Board, Module, board_at
from simulator.serving import Send, Session
from simulator.wire import pty_line

S0, WATER = load("s0-1000"), load("pulse-water-1l")
NANO = 10**9


def monotonic() -> int:
    """Give the event loop's clock in nanoseconds."""
    return int(asyncio.get_running_loop().time() * NANO)


async def settled(driver: PulseDriver, meter: Meter, key: str, value: float) -> dict[str, Any]:
    """Read until a value is there, and give all of them."""
    async with asyncio.timeout(5):
        while (values := dict((await driver.read(meter)).values))[key] != value:
            await asyncio.sleep(0)
    return values


async def watched(board: Board, *lines: int, after: object = None) -> object:
    """Wait until the board knows who listens, and it is another one than `after`; gives who."""
    async with asyncio.timeout(5):
        while not board.watched.keys() >= set(lines) or board.watched[lines[0]] is after:
            await asyncio.sleep(0)
    return board.watched[lines[0]]


def opened(path: Path, state: Path | None = None) -> PulseDriver:
    """Make a board's driver."""
    driver = open_bus(Bus("b", str(path), state=state), lambda: 42)
    assert isinstance(driver, PulseDriver)
    return driver


async def test_pulses_are_energy_and_their_spacing_is_power(tmp_path: Path) -> None:
    """Three pulses 3.6 s apart are 3 Wh at 1 kW; a bounce is none."""
    async with board_at(tmp_path / "a.sock", Board()) as board:
        driver, meter = opened(tmp_path / "a.sock"), Meter("m", S0, 17)
        await driver.connect()
        assert dict((await driver.read(meter)).values) == {"energy_import_wh": 0, "power_w": 0}
        await watched(board, 17)
        now = monotonic()
        for ago in (7.2, 3.6, 0, -0.005):
            board.pulse(17, at=now - int(ago * NANO))
        values = await settled(driver, meter, "energy_import_wh", 3)
        assert values["power_w"] == pytest.approx(1000, abs=1)
        assert driver.counters()["pulses_too_soon"] == 1
        await driver.close()


async def test_a_restart_loses_nothing_that_was_heard(tmp_path: Path) -> None:
    """Neither a farewell nor a crash costs a pulse; those of the time between are lost, and no power is made of it."""
    async with board_at(tmp_path / "a.sock", Board()) as board:
        meter, first = Meter("m", S0, 17), opened(tmp_path / "a.sock", tmp_path)
        await first.connect()
        await first.read(meter)
        one = await watched(board, 17)
        for number in range(5):
            board.pulse(17, at=number * NANO)
        await settled(first, meter, "energy_import_wh", 5)
        # The crashed one never closes its file.
        second = opened(tmp_path / "a.sock", tmp_path)
        await second.connect()
        assert dict((await second.read(meter)).values) == {"energy_import_wh": 5, "power_w": 0}
        two = await watched(board, 17, after=one)
        await second.close()
        board.watched.clear()
        board.pulse(17)
        await second.connect()
        assert (await second.read(meter)).values["energy_import_wh"] == 5
        await watched(board, 17, after=two)
        board.pulse(17)
        await settled(second, meter, "energy_import_wh", 6)
        await second.close()
        await first.close()


async def test_a_count_without_a_folder_outlives_a_reconnect(tmp_path: Path) -> None:
    """It is in memory then."""
    async with board_at(tmp_path / "a.sock", Board()) as board:
        driver, meter = opened(tmp_path / "a.sock"), Meter("m", S0, 17)
        await driver.connect()
        await driver.read(meter)
        await watched(board, 17)
        board.pulse(17)
        await settled(driver, meter, "energy_import_wh", 1)
        await driver.connect()
        assert (await driver.read(meter)).values["energy_import_wh"] == 1
        await driver.close()


async def test_two_meters_and_a_direction(tmp_path: Path) -> None:
    """Each line is its own; backward pulses have their own register, and edges that were dropped count."""
    async with board_at(tmp_path / "a.sock", Board()) as board:
        driver = opened(tmp_path / "a.sock")
        water, other = Meter("w", WATER, "4, 5"), Meter("e", S0, 17)
        await driver.connect()
        for meter in (water, other):
            await driver.read(meter)
        await watched(board, 4, 17)
        for number in range(4):
            board.pulse(4, at=number * NANO, backward=number == 3, heard=number != 1)
        values = await settled(driver, water, "water_volume_reverse_l", 1)
        assert values["water_volume_l"] == 3
        assert (await driver.read(other)).values["energy_import_wh"] == 0
        assert driver.counters()["edges_made_up"] == 1
        await driver.close()


async def test_a_board_that_goes_is_told(tmp_path: Path) -> None:
    """No socket, a socket that closes, a meter whose line changed."""
    driver, meter = opened(tmp_path / "a.sock"), Meter("m", S0, 17)
    with pytest.raises(NotConnected, match="No such file"):
        await driver.connect()
    with pytest.raises(NotConnected, match="not open"):
        await driver.read(meter)
    async with board_at(tmp_path / "a.sock", Board()) as board:
        await driver.connect()
        await driver.read(meter)
        with pytest.raises(NotConnected, match="was changed"):
            await driver.read(Meter("m", S0, 18))
        await watched(board, 17)
    with pytest.raises(NotConnected, match="was closed"):
        await settled(driver, meter, "energy_import_wh", -1)
    await driver.close()


@pytest.mark.parametrize("address", [None, True, "", "x", "1,2,3", "4,4", 1024, -1])
async def test_what_is_no_line_is_refused(address: int | str | None, tmp_path: Path) -> None:
    """With a hint that shows what one looks like."""
    async with board_at(tmp_path / "a.sock", Board()):
        driver = opened(tmp_path / "a.sock")
        await driver.connect()
        with pytest.raises(NoAnswer, match=r"m: .* is no line"):
            await driver.read(Meter("m", S0, address))
        await driver.close()


@dataclass
class Port:
    """An S0PCM's serial port whose lines the test says."""

    listeners: list[Send] = field(default_factory=list)

    def open(self, send: Send) -> Session:
        """Add a listener."""
        self.listeners.append(send)
        return self

    def feed(self, data: bytes) -> None:
        """A module hears nothing."""

    def close(self) -> None:
        """Go."""


async def test_a_module_counts_and_we_go_on(tmp_path: Path) -> None:
    """A meter begins with 0, keeps its count over our restart and over the module's."""
    totals = {1: 1000, 2: 50}
    module, port, clock = Module(lambda: totals), Port(), [0]
    meter = Meter("w", WATER, 1)
    async with pty_line(port, tmp_path / "wire"):

        async def said(driver: S0pcmDriver, total: int) -> dict[str, Any]:
            totals[1], clock[0] = total, clock[0] + 10_000
            reading = asyncio.create_task(driver.read(meter))
            async with asyncio.timeout(5):
                while not reading.done():
                    port.listeners[-1](module.line())
                    await asyncio.sleep(0.002)
            return dict(reading.result().values)

        for expected in ((1000, 0, 0), (1001, 1, 0), (1003, 3, 720)), ((1010, 10, 0), (4, 14, 1440)):
            driver = open_bus(Bus("b", str(tmp_path / "wire"), framing="8N1", state=tmp_path), lambda: clock[0])
            assert isinstance(driver, S0pcmDriver)
            await driver.connect()
            for total, litres, flow in expected:
                values = await said(driver, total)
                assert (values["water_volume_l"], values["water_flow_l_h"]) == (litres, flow)
            with pytest.raises(NoAnswer, match="no input"):
                await driver.read(Meter("x", WATER, 11))
            await driver.close()
            with pytest.raises(NotConnected):
                await driver.read(meter)


async def test_lines_of_a_chip_are_requested_as_the_model_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a gpiod that notes what it is asked; its edges count, and a chip that goes is told."""
    gpiod = FakeGpiod()
    monkeypatch.setitem(sys.modules, "gpiod", gpiod.module())
    chip = tmp_path / "gpiochip9"
    driver, meter = opened(chip), Meter("m", S0, "17, 27")
    with pytest.raises(NotConnected, match="cannot be opened"):
        await driver.connect()
    chip.touch()
    await driver.connect()
    await driver.read(meter)
    (asked,) = gpiod.asked
    assert (asked[0], sorted(asked[1])) == (str(chip), [17, 27])
    assert asked[1][17]["debounce_period"].total_seconds() == 0.01
    assert (asked[1][17]["bias"], asked[1][17]["active_low"], asked[1][17]["edge_detection"]) == ("up", True, "rising")
    gpiod.edge(NANO, 1)
    gpiod.edge(2 * NANO, 2)
    await settled(driver, meter, "energy_import_wh", 2)
    gpiod.broken = True
    gpiod.edge(3 * NANO, 3)
    with pytest.raises(NotConnected, match="unplugged"):
        await settled(driver, meter, "energy_import_wh", 3)
    await driver.close()
    assert gpiod.released
    gpiod.busy = True
    await driver.connect()
    with pytest.raises(NoAnswer, match="busy"):
        await driver.read(meter)
    await driver.close()


async def test_a_board_without_gpiod_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "gpiod", None)
    with pytest.raises(NotConnected, match="pulse"):
        await opened(tmp_path / "gpiochip0").connect()


class FakeGpiod:
    """As much of gpiod 2 as the driver uses, over a pipe."""

    def __init__(self) -> None:
        """Have no line."""
        import os

        self.fd, self._write = os.pipe()
        self.asked: list[tuple[str, dict[int, dict[str, Any]]]] = []
        self.released = self.broken = self.busy = False
        self._events: list[SimpleNamespace] = []

    def module(self) -> SimpleNamespace:
        """Give what `import gpiod` gives."""
        names = SimpleNamespace(PULL_UP="up", PULL_DOWN="down", DISABLED="off", INPUT="in", RISING="rising", ACTIVE=1)
        line = SimpleNamespace(Bias=names, Direction=names, Edge=names, Value=names)
        return SimpleNamespace(line=line, LineSettings=dict, request_lines=self._request)

    def edge(self, at: int, number: int) -> None:
        """Let an edge come."""
        import os

        self._events.append(SimpleNamespace(timestamp_ns=at, line_seqno=number))
        os.write(self._write, b"x")

    def _request(self, chip: str, lines: dict[int, dict[str, Any]], **_options: Any) -> "FakeGpiod":
        if self.busy:
            raise OSError(16, "Device or resource busy")
        self.asked.append((chip, lines))
        return self

    def read_edge_events(self) -> list[SimpleNamespace]:
        """Give what came."""
        import os

        if self.broken:
            os.read(self.fd, 100)
            raise OSError(19, "unplugged")
        os.read(self.fd, 100)
        events, self._events = self._events, []
        return events

    def get_value(self, _line: int) -> int:
        """Say that it runs forward."""
        return 0

    def release(self) -> None:
        """Note that it was let go."""
        self.released = True
