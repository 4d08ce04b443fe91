"""Rough treatment on real ptys: adapters pulled and plugged in again, a device that babbles at full speed."""

import asyncio
import os
import resource
import select
import threading
import time
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from drivers.contract import Bus, DriverError, NoAnswer, NotConnected, Reading
from drivers.modbus.driver import open_bus
from gateway.poll import Poller
from tests.support.modbus_slaves import PtySlave, TcpHost, expected, meter, right


def open_files() -> int:
    """Count this process's open files."""
    return len(list(Path("/proc/self/fd").iterdir()))


@asynccontextmanager
async def plugged(link: Path) -> AsyncIterator[PtySlave]:
    """Plug an adapter in under a name that stays, as udev does; the device behind it is a new one each time."""
    async with PtySlave(lambda request: [(0, right(request))]) as slave:
        fresh = link.with_name("fresh")
        fresh.symlink_to(slave.path)
        fresh.replace(link)
        yield slave
        link.unlink()


async def test_adapter_pulled_and_plugged_in_fifty_times(tmp_path: Path) -> None:
    """Also in the middle of an answer: each time it is read again at once, and no file stays open (F8)."""
    link = tmp_path / "usb-adapter"
    driver = open_bus(Bus("rs485", str(link)), lambda: 7)
    before = open_files()
    for turn in range(50):
        with pytest.raises(NotConnected, match="plugged in"):
            await driver.connect()
        async with plugged(link) as slave:
            await driver.connect()
            assert (await driver.read(meter(0x10 + turn))).values == expected(0x10 + turn)
            if turn % 2:
                half = [slave]

                def vanish(request: bytes, half: list[PtySlave] = half) -> list[tuple[float, bytes]]:
                    half[0].say(right(request)[:9])
                    asyncio.get_running_loop().call_later(0.002, half[0].unplug)
                    return []

                slave.says = vanish
        with pytest.raises(NotConnected):
            await driver.read(meter(0x10))
        await driver.close()
        assert open_files() <= before + 1, turn
    assert open_files() <= before + 1


async def test_poller_resumes_within_ten_seconds(tmp_path: Path) -> None:
    """The whole way, with its back-off: readings go on by themselves, and another bus notices nothing."""
    link = tmp_path / "usb-adapter"
    times: list[float] = []
    others: list[float] = []
    loop = asyncio.get_running_loop()
    driver = open_bus(Bus("rs485", str(link)), lambda: 7)
    poller = Poller("rs485", driver, [(meter(), 0.02)], lambda _: times.append(loop.time()))
    async with TcpHost() as host:
        other = Poller(
            "tcp",
            open_bus(Bus("tcp", host.url), lambda: 7),
            [(meter(unit=2), 0.02)],
            lambda _: others.append(loop.time()),
        )
        tasks = [asyncio.create_task(poller.run()), asyncio.create_task(other.run())]
        for _ in range(4):
            async with plugged(link):
                start, count = loop.time(), len(times)
                while len(times) < count + 3:
                    await asyncio.sleep(0.01)
                    assert loop.time() - start < 10
            await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert max(b - a for a, b in pairwise(others)) < 0.5


class Babbler:
    """A device that talks without end, as fast as the pty takes it, from a thread of its own."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self.said = 0
        self._stop = False
        self._thread = threading.Thread(target=self._talk)
        self._thread.start()

    def _talk(self) -> None:
        os.set_blocking(self._master, False)
        noise = bytes(range(256)) * 16
        while not self._stop:
            if select.select([], [self._master], [], 0.05)[1]:
                try:
                    self.said += os.write(self._master, noise)
                except BlockingIOError:
                    continue

    def stop(self) -> None:
        """Be quiet."""
        self._stop = True
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)


@pytest.fixture
def babbler() -> Iterator[Babbler]:
    """Give a babbling device."""
    device = Babbler()
    yield device
    device.stop()


async def test_babbling_device(babbler: Babbler) -> None:
    """Endless bytes at full speed (F13): quarantined at once, no memory, little CPU, and the next bus goes on."""
    driver = open_bus(Bus("rs485", babbler.path), lambda: 7)
    await driver.connect()
    with pytest.raises(DriverError):
        await driver.read(meter(unit=99, deadline=0.5))
    readings: list[Reading] = []
    async with TcpHost() as host:
        other = Poller("tcp", open_bus(Bus("tcp", host.url), lambda: 7), [(meter(unit=2), 0.02)], readings.append)
        task = asyncio.create_task(other.run())
        memory, cpu, start = rss(), time.process_time(), time.monotonic()
        while time.monotonic() - start < 2:
            with pytest.raises(NoAnswer, match="never silent"):
                await driver.read(meter(deadline=0.5))
            await asyncio.sleep(0.05)
        assert time.process_time() - cpu < 1.0
        assert rss() - memory < 1_000_000
        assert len(readings) > 60
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert babbler.said < 1_000_000
    await driver.close()


def rss() -> int:
    """Give the most memory that was resident so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
