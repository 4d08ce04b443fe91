"""Tests of drivers/p1/driver.py: several meters on one port, over TCP, a pty and a recording."""

import asyncio
import inspect
import os
import tty
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import serialx

import drivers.link
from drivers.contract import Bus, Meter, NoAnswer, NotConnected
from drivers.p1.codec import parse_timestamp
from drivers.p1.driver import SILENCE, P1Driver, open_bus
from tests.support.p1_bus import GAS, MAIN, Virtual, soon, telegram, ticks


class Wire:
    """The meter's end of a TCP stream."""

    def __init__(self) -> None:
        self.writers: list[asyncio.StreamWriter] = []
        self.came = asyncio.Event()

    async def accept(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the driver's connection."""
        self.writers.append(writer)
        self.came.set()

    async def send(self, data: bytes, chunk: int = 64) -> None:
        """Write in small chunks, as a serial server does."""
        await self.came.wait()
        for start in range(0, len(data), chunk):
            self.writers[-1].write(data[start : start + chunk])
            await self.writers[-1].drain()
            await asyncio.sleep(0)

    def hang_up(self) -> None:
        """Close the meter's end."""
        self.came.clear()
        self.writers.pop().close()


@pytest.fixture
async def wire() -> AsyncIterator[tuple[Wire, Bus]]:
    """Give a listening TCP meter and its bus."""
    wire = Wire()
    server = await asyncio.start_server(wire.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield wire, Bus("p1", f"tcp://127.0.0.1:{port}")
    for writer in wire.writers:
        writer.close()
    server.close()


async def test_main_meter_gives_each_telegram_and_gas_each_capture(wire: tuple[Wire, Bus]) -> None:
    """Both meters are read at once; gas speaks only when its capture time changes, and by that time."""
    meter, bus = wire
    driver = open_bus(bus, ticks())
    await driver.connect()
    gas = asyncio.create_task(driver.read(GAS))
    for second in range(6):
        main = asyncio.create_task(driver.read(MAIN))
        hour = "260301110000W" if second < 4 else "260301120000W"
        await meter.send(telegram(second, hour))
        reading = await soon(main)
        assert reading.values == {"energy_import_t1_wh": 1_000_001 + 1000 * second}
        assert (reading.meter, reading.captured) == ("main", None)
        assert reading.meter_time == parse_timestamp(f"2603011200{second:02d}W")
        if second in (0, 4):
            reading = await soon(gas)
            assert reading.values == {"gas_volume_l": 246_138}
            assert reading.captured == parse_timestamp(hour)
            gas = asyncio.create_task(driver.read(GAS))
        assert not gas.done()
    gas.cancel()
    assert driver.counters() == {}
    await driver.close()


def test_slow_reader_gets_the_newest_telegram(virtual: Virtual) -> None:
    """What came while nobody read is thinned to the last; nothing is queued, nothing is given twice."""

    async def story(driver: P1Driver, port: asyncio.Protocol) -> None:
        for second in range(50):
            port.data_received(telegram(second))
        port.data_received(telegram(50) + telegram(51) + telegram(52)[:99])
        assert (await driver.read(MAIN)).values["energy_import_t1_wh"] == 1_051_001
        with pytest.raises(NoAnswer):
            await driver.read(MAIN)

    virtual(story)


def test_last_byte_sets_the_time(virtual: Virtual) -> None:
    """`at` is the boot clock when the checksum was complete, not when the telegram began."""

    async def story(driver: P1Driver, port: asyncio.Protocol) -> None:
        data = telegram(1)
        for piece in (data[:40], data[40:80], data[80:-3], data[-3:], b"\r\n"):
            port.data_received(piece)
        assert (await driver.read(MAIN)).at == 4000

    virtual(story)


def test_silence_names_its_likely_cause(virtual: Virtual) -> None:
    """No telegram at all, and telegrams without this meter, are NoAnswer after 25 s, with different hints."""

    async def story(driver: P1Driver, port: asyncio.Protocol) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(NoAnswer, match="9600 7E1"):
            await driver.read(MAIN)
        assert loop.time() - started == pytest.approx(SILENCE)
        other = asyncio.create_task(driver.read(Meter("gas", GAS.profile, address=3)))
        started = loop.time()
        for second in range(20):
            await asyncio.sleep(1)
            port.data_received(telegram(second))
            await driver.read(MAIN)
        with pytest.raises(NoAnswer, match=r"gas: nothing of this meter.*device type"):
            await other
        assert loop.time() - started == pytest.approx(SILENCE)
        with pytest.raises(NoAnswer, match="within 60 s"):
            await driver.read(Meter("main", MAIN.profile, deadline=60))

    virtual(story)


def test_repeated_gas_value_is_no_silence(virtual: Virtual) -> None:
    """A gas register that is repeated for an hour keeps its meter alive; one telegram lost is no alarm either."""

    async def story(driver: P1Driver, port: asyncio.Protocol) -> None:
        port.data_received(telegram(0))
        await driver.read(GAS)
        gas = asyncio.create_task(driver.read(GAS))
        for ten in range(360):
            await asyncio.sleep(10)
            if ten % 2:
                port.data_received(telegram(ten % 60))
        assert not gas.done()
        port.data_received(telegram(1, "260301120000W"))
        assert (await gas).captured == parse_timestamp("260301120000W")

    virtual(story)


def test_serial_ports_are_opened_with_the_request_pin_high() -> None:
    """A P1 port is silent otherwise: RTS and DTR go up unless somebody says no, and nobody here does."""
    defaults = inspect.signature(serialx.BaseSerial.__init__).parameters
    for pin in ("rts_on_open", "dtr_on_open"):
        assert defaults[pin].default is serialx.PinState.HIGH
    assert "on_open" not in inspect.getsource(drivers.link)


async def test_lost_link_is_told_to_everybody_and_opens_again(wire: tuple[Wire, Bus]) -> None:
    """All who wait get NotConnected; after another connect a known gas capture is not given again."""
    meter, bus = wire
    driver = open_bus(bus, ticks())
    with pytest.raises(NotConnected, match="connect first"):
        await driver.read(MAIN)
    await driver.connect()
    await meter.send(telegram(0))
    await soon(asyncio.ensure_future(driver.read(GAS)))
    await soon(asyncio.ensure_future(driver.read(MAIN)))
    waiting = [asyncio.create_task(driver.read(each)) for each in (MAIN, GAS)]
    await asyncio.sleep(0)
    meter.hang_up()
    for task in waiting:
        with pytest.raises(NotConnected):
            await soon(task)
    await driver.connect()
    waiting = [asyncio.create_task(driver.read(each)) for each in (MAIN, GAS)]
    await meter.send(telegram(1) + telegram(2)[:-3] + b"?" + telegram(3)[:50])
    assert (await soon(waiting[0])).values["energy_import_t1_wh"] == 1_001_001
    assert not waiting[1].done()
    await driver.close()
    with pytest.raises(NotConnected, match="was closed"):
        await soon(waiting[1])
    await driver.close()


async def test_refused_connection_is_not_connected(free_port: Callable[[], int]) -> None:
    """A host that does not listen is NotConnected, from connect and from read."""
    driver = open_bus(Bus("p1", f"tcp://127.0.0.1:{free_port()}"), ticks())
    with pytest.raises(NotConnected):
        await driver.connect()
    with pytest.raises(NotConnected):
        await driver.read(MAIN)
    await driver.close()


async def test_checksum_once_seen_is_asked_for(wire: tuple[Wire, Bus]) -> None:
    """A telegram that lost its checksum is refused and counted; a port that never had one is read."""
    meter, bus = wire
    driver = open_bus(bus, ticks())
    await driver.connect()
    for second, bare in ((1, True), (2, False), (4, False)):
        reading = asyncio.create_task(driver.read(MAIN))
        await meter.send((telegram(3, bare=True) if second == 4 else b"") + telegram(second, bare=bare))
        assert (await soon(reading)).values["energy_import_t1_wh"] == 1_000_001 + 1000 * second
    assert driver.counters() == {"missing_crc": 1}
    await driver.close()


async def test_what_is_left_out_is_counted_over_connections(wire: tuple[Wire, Bus]) -> None:
    """Bad checksums of the wire and unusable values of the meter stand in one list, and outlive a reconnect."""
    meter, bus = wire
    driver = open_bus(bus, ticks())
    await driver.connect()
    gas = asyncio.create_task(driver.read(GAS))
    await meter.send(telegram(1).replace(b"001*kWh", b"002*kWh"))
    await meter.send(telegram(2, captured="632525252525W"))
    await meter.send(telegram(3))
    await soon(gas)
    await driver.close()
    await driver.connect()
    assert driver.counters() == {"bad_crc": 1, "bad_time": 1}
    await driver.close()


async def test_serial_port(captures: Path) -> None:
    """Captured telegrams over a pty in small chunks with noise between, read as electricity and gas at once."""
    master, slave = os.openpty()
    tty.setraw(slave)
    driver = open_bus(Bus("p1", os.ttyname(slave)), ticks())
    try:
        await driver.connect()
        main, gas = asyncio.create_task(driver.read(MAIN)), asyncio.create_task(driver.read(GAS))
        data = (captures / "p1" / "telegram_v5_two_mbus.txt").read_bytes()
        stream = data[500:] + b"\x00\xff" + data
        for start in range(0, len(stream), 32):
            os.write(master, stream[start : start + 32])
            await asyncio.sleep(0)
        assert (await soon(main)).values["energy_import_t1_wh"] == 2_130_115
        reading = await soon(gas)
        assert (reading.values, reading.captured) == ({"gas_volume_l": 246_138}, 1587933001000)
        # The unset first gas channel.
        assert driver.counters()["bad_time"] >= 1
        lost = asyncio.create_task(driver.read(MAIN))
        await asyncio.sleep(0)
        os.close(master)
        master = -1
        with pytest.raises(NotConnected):
            await soon(lost)
    finally:
        await driver.close()
        os.close(slave)
        if master >= 0:
            os.close(master)


async def test_recording(captures: Path) -> None:
    """A captured file is a bus too: its telegram is read, then the link ends."""
    driver = open_bus(Bus("p1", f"capture:{captures / 'p1' / 'telegram_v5.txt'}"), ticks())
    await driver.connect()
    assert (await soon(asyncio.ensure_future(driver.read(MAIN)))).values["power_import_w"] == 244
    with pytest.raises(NotConnected):
        await soon(asyncio.ensure_future(driver.read(MAIN)))
    await driver.close()
