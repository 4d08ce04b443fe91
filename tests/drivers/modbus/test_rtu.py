"""The serial line under every fault a field bus knows; each register holds its own address, so a wrong value shows."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from drivers.contract import Bus, DecodeError, DriverError, NoAnswer, NotConnected, Refused
from drivers.link import Line
from drivers.modbus.driver import ModbusDriver, open_bus
from drivers.modbus.rtu import QUARANTINE, RtuLine
from tests.support.modbus_slaves import PtySlave, Says, expected, frame, meter, page_of, registers, right
from tests.support.virtual_time import run_virtually

GOOD: Says = lambda request: [(0, right(request))]  # noqa: E731  a table of answers
LATE: Says = lambda request: [(0.15, right(request))]  # noqa: E731  the deadline is 0.1 s


@asynccontextmanager
async def bus(says: Says) -> AsyncIterator[tuple[PtySlave, ModbusDriver]]:
    """Open a driver on a pty with a fake slave behind it."""
    async with PtySlave(says) as slave:
        driver = open_bus(Bus("rs485", slave.path), lambda: 7)
        await driver.connect()
        try:
            yield slave, driver
        finally:
            await driver.close()


async def test_good_reading() -> None:
    """A good slave is read, at the boot clock's moment."""
    async with bus(GOOD) as (_, driver):
        reading = await driver.read(meter())
    assert (reading.meter, reading.at, reading.values) == ("m1", 7, expected())


async def test_silence_before_each_request() -> None:
    """Between an answer and the next request lie at least 3.5 characters: 3.65 ms at 9600 8N1."""
    async with bus(GOOD) as (slave, driver):
        for _ in range(20):
            await driver.read(meter())
    assert min(slave.gaps) >= 0.00364


async def test_late_answer_then_other_address() -> None:
    """An answer after its deadline is not taken for the next request's."""
    async with bus(LATE) as (slave, driver):
        with pytest.raises(NoAnswer):
            await driver.read(meter(0x10))
        slave.says = GOOD
        assert (await driver.read(meter(0x80))).values == expected(0x80)


async def test_late_answers_with_retries_then_other_address() -> None:
    """Retries do not pile up late answers either."""
    async with bus(LATE) as (slave, driver):
        for _ in range(3):
            with pytest.raises(NoAnswer):
                await driver.read(meter(0x10))
        slave.says = GOOD
        assert (await driver.read(meter(0x80))).values == expected(0x80)


async def test_slave_always_slower_than_its_deadline() -> None:
    """A slave that is always late is an error each time, never an old value under a new address."""
    async with bus(LATE) as (_, driver):
        for at in (0x10, 0x80, 0x40):
            with pytest.raises(NoAnswer):
                await driver.read(meter(at))


async def test_late_answer_does_not_hold_up_another_unit() -> None:
    """Another unit is asked after the short grace, and the late frame is stepped over."""
    async with bus(lambda r: [(0.15 if r[0] == 1 else 0.0, right(r))]) as (_, driver):
        with pytest.raises(NoAnswer):
            await driver.read(meter(0x10, unit=1))
        start = time.monotonic()
        assert (await driver.read(meter(0x80, unit=2))).values == expected(0x80)
        assert time.monotonic() - start < 0.28


async def test_nine_of_ten_registers() -> None:
    """A list one register short is no answer, though its CRC is right."""
    async with bus(lambda r: [(0, frame(r[0], registers(r, short=1)))]) as (_, driver):
        with pytest.raises(NoAnswer, match="bytes came"):
            await driver.read(meter())


async def test_one_broken_answer() -> None:
    """A wrong CRC is told before the deadline, and the next reading is right."""
    async with bus(lambda r: [(0, right(r)[:-1] + b"\x00")]) as (slave, driver):
        start = time.monotonic()
        with pytest.raises(DecodeError, match="broken"):
            await driver.read(meter(deadline=5))
        assert time.monotonic() - start < 1
        slave.says = GOOD
        assert (await driver.read(meter())).values == expected()
        assert driver.counters()["bad_crc"] == 1


@pytest.mark.parametrize("noise", [b"\x00\xff\x00", b"\x00\x03\xff", b"\x01\x03\x14", b"\x01\x83"])
async def test_noise_before_the_answer(noise: bytes) -> None:
    """Noise is stepped over, even where it looks like the start of an answer."""
    async with bus(lambda r: [(0, noise + right(r))]) as (_, driver):
        assert (await driver.read(meter())).values == expected()


async def test_another_units_frame_before_ours() -> None:
    """A frame of another unit is not ours."""
    async with bus(lambda r: [(0, frame(9, registers(r)) + right(r))]) as (_, driver):
        assert (await driver.read(meter())).values == expected()


@pytest.mark.parametrize("at", [0x10, 0x1400])
async def test_local_echo(at: int) -> None:
    """Our own request coming back is stepped over, also when its address looks like a byte count (0x14 = 20)."""
    async with bus(lambda r: [(0, r), (0.02, right(r))]) as (_, driver):
        assert (await driver.read(meter(at))).values == expected(at)


@pytest.mark.parametrize("code", [1, 4, 5, 6, 11])
async def test_exception_at_once(code: int) -> None:
    """An exception comes through at once, with its code, and is not asked again."""
    async with bus(lambda r: [(0, frame(r[0], bytes((r[1] | 0x80, code))))]) as (slave, driver):
        start = time.monotonic()
        with pytest.raises(Refused) as caught:
            await driver.read(meter(deadline=5))
    assert (caught.value.code, caught.value.meter, len(slave.requests)) == (code, "m1", 1)
    assert time.monotonic() - start < 1


async def test_answer_in_pieces() -> None:
    """Gaps between received bytes do not matter, since USB adapters make them."""
    async with bus(lambda r: [(0.008 * n, right(r)[n : n + 1]) for n in range(25)]) as (_, driver):
        assert (await driver.read(meter(deadline=0.5))).values == expected()


async def test_port_opened_twice() -> None:
    """A second program on the same port is refused, with a hint."""
    async with bus(GOOD) as (slave, _):
        with pytest.raises(NotConnected, match="another program"):
            await open_bus(Bus("second", slave.path), lambda: 0).connect()


async def test_port_free_after_close() -> None:
    """`connect` works again right after `close`."""
    async with bus(GOOD) as (_, driver):
        for _ in range(3):
            await driver.connect()
            assert (await driver.read(meter())).values == expected()


async def test_adapter_pulled() -> None:
    """A port that vanishes is NotConnected, at once and from then on."""
    async with bus(GOOD) as (slave, driver):

        def unplug(_: bytes) -> list[tuple[float, bytes]]:
            slave.unplug()
            return []

        slave.says = unplug
        for _ in range(2):
            with pytest.raises(NotConnected):
                await driver.read(meter(deadline=5))


@pytest.mark.parametrize("address", [0, 248, "lobby"])
async def test_address_off_the_bus(address: int | str) -> None:
    """0 is everyone on a serial line and 248 is nobody; both are refused before a byte is sent."""
    async with bus(GOOD) as (slave, driver):
        wrong = meter()
        object.__setattr__(wrong, "address", address)
        with pytest.raises(Refused, match="no Modbus address"):
            await driver.read(wrong)
        assert slave.requests == []


class MemoryWire(asyncio.Transport):
    """Joins a line to a slave without a pty, for virtual time."""

    def __init__(self, line: RtuLine, says: Says) -> None:
        super().__init__()
        self._line, self._says = line, says
        self.reads: list[bool] = []
        line.connection_made(self)

    def is_closing(self) -> bool:
        """Never."""
        return False

    def pause_reading(self) -> None:
        """Note it."""
        self.reads.append(False)

    def resume_reading(self) -> None:
        """Note it."""
        self.reads.append(True)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Let the slave answer."""
        for delay, answer in self._says(bytes(data)):
            asyncio.get_running_loop().call_later(delay, self._line.data_received, answer)


def on_virtual_time(says: Says, story: Callable[[RtuLine], Awaitable[None]]) -> Counter[str]:
    """Run a story on a line whose time costs nothing."""

    async def run() -> Counter[str]:
        line = RtuLine(lambda: 0, Counter(), Line(9600, 8, "N", 1), {})
        MemoryWire(line, says)
        await story(line)
        return line.rejected

    return run_virtually(run())


@pytest.mark.parametrize("polls", [10_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_no_value_under_a_wrong_address(polls: int) -> None:
    """Five in a hundred answers are late by up to the deadline; no value ever stands under another address (M9)."""
    asked = 0

    def says(request: bytes) -> list[tuple[float, bytes]]:
        nonlocal asked
        asked += 1
        return [(1.0 + asked % 997 / 1000 if asked % 20 == 0 else 0.02, right(request))]

    async def story(line: RtuLine) -> None:
        good = 0
        for n in range(polls):
            at = 7 * n % 60_000
            page = page_of(meter(at))
            try:
                payload, _ = await line.ask(1, page.read, 1.0)
            except NoAnswer:
                continue
            assert page.decode(payload) == expected(at)
            good += 1
        assert good >= polls * 0.94

    on_virtual_time(says, story)


def test_caller_who_gives_up_leaves_a_late_answer() -> None:
    """A cancelled read counts as a late answer still to come."""

    async def story(line: RtuLine) -> None:
        first, second = (page_of(meter(at)) for at in (0x10, 0x80))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(line.ask(1, first.read, 1.0), 0.05)
        payload, _ = await line.ask(1, second.read, 1.0)
        assert second.decode(payload) == expected(0x80)

    on_virtual_time(lambda r: [(0.1, right(r))], story)


def test_grace_for_everybody_after_a_timeout() -> None:
    """An answer up to 0.2 s late does not collide with the request to another unit, which then waits for silence."""
    sent: list[tuple[int, float]] = []

    def says(request: bytes) -> list[tuple[float, bytes]]:
        sent.append((request[0], asyncio.get_running_loop().time()))
        return [(1.15 if request[0] == 1 else 0.02, right(request))]

    async def story(line: RtuLine) -> None:
        page = page_of(meter())
        with pytest.raises(NoAnswer):
            await line.ask(1, page.read, 1.0)
        assert page.decode((await line.ask(2, page.read, 1.0))[0]) == expected()

    on_virtual_time(says, story)
    assert [unit for unit, _ in sent] == [1, 2]
    assert 1.2 <= sent[1][1] - sent[0][1] < 1.3


def test_caller_who_gives_up_while_waiting() -> None:
    """Giving up before the line was free does not forget that an old answer may still come."""

    async def story(line: RtuLine) -> None:
        first, second = (page_of(meter(at)) for at in (0x10, 0x80))
        with pytest.raises(NoAnswer):
            await line.ask(1, first.read, 0.5)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(line.ask(1, second.read, 0.5), 0.05)
        payload, _ = await line.ask(1, second.read, 0.5)
        assert second.decode(payload) == expected(0x80)

    answers = iter([0.9, 0.3])
    on_virtual_time(lambda r: [(next(answers), right(r))], story)


def test_line_that_is_never_silent() -> None:
    """A babbling device is an error within the deadline, and not a byte is sent into it."""

    async def story(line: RtuLine) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        for n in range(400):
            loop.call_later(n / 1000, line.data_received, b"\x01\x03\x14 no end")
        await asyncio.sleep(0.05)
        with pytest.raises(NoAnswer, match="never silent"):
            await line.ask(1, page_of(meter()).read, 0.1)
        assert loop.time() - start < 0.2
        assert line.rejected["unasked_bytes"] > 0

    on_virtual_time(lambda _: pytest.fail("a request was sent"), story)


def test_quarantine() -> None:
    """A babbling line is left alone: requests fail at once, nothing is read; afterwards it is used as before."""
    sent: list[float] = []

    def says(request: bytes) -> list[tuple[float, bytes]]:
        sent.append(asyncio.get_running_loop().time())
        return [(0.02, right(request))]

    async def story(line: RtuLine) -> None:
        loop, wire = asyncio.get_running_loop(), line._transport
        assert isinstance(wire, MemoryWire)
        page = page_of(meter())
        babble = [loop.call_later(n / 1000, line.data_received, b"x" * 10) for n in range(60_000)]
        await asyncio.sleep(0.05)
        with pytest.raises(NoAnswer, match="never silent"):
            await line.ask(1, page.read, 0.5)
        assert wire.reads == [False]
        start = loop.time()
        for _ in range(20):
            with pytest.raises(NoAnswer, match="never silent"):
                await line.ask(1, page.read, 0.5)
        assert loop.time() == start
        assert line.rejected["never_silent"] == 1
        for handle in babble:
            handle.cancel()
        await asyncio.sleep(QUARANTINE)
        assert page.decode((await line.ask(1, page.read, 0.5))[0]) == expected()
        assert wire.reads == [False, True]
        assert len(sent) == 1

    on_virtual_time(says, story)


def test_flood_instead_of_an_answer() -> None:
    """What pours out more than any answer is long ends the request, and the line is in quarantine."""

    async def story(line: RtuLine) -> None:
        page = page_of(meter())
        with pytest.raises(NoAnswer, match="never silent"):
            await line.ask(1, page.read, 1.0)
        start = asyncio.get_running_loop().time()
        with pytest.raises(NoAnswer):
            await line.ask(1, page.read, 1.0)
        assert asyncio.get_running_loop().time() == start

    on_virtual_time(lambda _: [(0.01 + n / 1000, b"\x55" * 512) for n in range(100)], story)


def test_another_masters_traffic_is_no_babble() -> None:
    """Hours of other frames between our requests, with silence in between, stop nothing for longer than a moment."""

    async def story(line: RtuLine) -> None:
        page = page_of(meter())
        for _ in range(60):
            for _ in range(600):
                line.data_received(b"a foreign frame, now and then")
                await asyncio.sleep(0.1)
            try:
                payload, _ = await line.ask(1, page.read, 1.0)
            except NoAnswer:
                await asyncio.sleep(QUARANTINE)
                payload, _ = await line.ask(1, page.read, 1.0)
            assert page.decode(payload) == expected()

    on_virtual_time(lambda r: [(0.02, right(r))], story)


def test_endless_broken_frames_cost_little() -> None:
    """A flood of false starts ends the request early instead of burning the processor."""

    async def story(line: RtuLine) -> None:
        with pytest.raises(DecodeError, match="full of broken frames"):
            await line.ask(1, page_of(meter()).read, 1.0)

    rejected = on_virtual_time(lambda _: [(0.01, b"\x01\x03\x14" * 1_000)], story)
    assert rejected["bad_crc"] == 200


async def test_every_error_is_a_driver_error() -> None:
    """Before `connect` there is an error of the contract, too."""
    with pytest.raises(DriverError, match="not open"):
        await open_bus(Bus("rs485", "/dev/none"), lambda: 0).read(meter())
