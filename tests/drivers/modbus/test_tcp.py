"""Modbus TCP against a host that answers late, mixed up, short, in pieces, with rubbish, or goes away."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction

import pytest

from drivers.contract import Bus, DecodeError, Meter, NoAnswer, NotConnected, Reading, Refused
from drivers.modbus.driver import ModbusDriver, open_bus
from drivers.modbus.layout import Row
from drivers.modbus.table import Table
from drivers.modbus.tcp import LOST_LIMIT, TcpLine
from tests.support.modbus_slaves import TcpHost, expected, mbap, meter, profile_of, registers, right


@asynccontextmanager
async def connected(host: TcpHost, in_flight: int = 1) -> AsyncIterator[ModbusDriver]:
    """Open a driver on a fake host."""
    async with host:
        driver = open_bus(Bus("gateway", host.url, in_flight=in_flight), lambda: 7)
        await driver.connect()
        try:
            yield driver
        finally:
            await driver.close()


def good(request: bytes) -> bytes:
    """Answer as it should be."""
    return mbap(request, registers(request[6:]))


async def test_good_reading_of_many_units() -> None:
    """All units behind one address share one connection; 0 and 255 are units too."""
    host = TcpHost()
    async with connected(host) as driver:
        for unit in (None, 0, 1, 247, 255):
            assert (await driver.read(meter(unit=unit))).values == expected()
    assert host.connections == 1


async def test_late_answer_is_dropped_by_its_transaction() -> None:
    """An answer to an old request is counted and never taken for the next one's."""
    late = iter([0.08, 0.0, 0.0])
    host = TcpHost(lambda r: [(next(late), good(r))])
    async with connected(host) as driver:
        with pytest.raises(NoAnswer):
            await driver.read(meter(0x10, deadline=0.05))
        assert (await driver.read(meter(0x80))).values == expected(0x80)
        await asyncio.sleep(0.05)
        assert (await driver.read(meter(0x40))).values == expected(0x40)
        assert driver.counters()["late_answer"] == 1
    assert host.connections == 1


async def test_other_transaction_before_ours() -> None:
    """Answers to ids nobody asked with are stepped over."""
    host = TcpHost(lambda r: [(0, mbap(r, registers(r[6:]), transaction=9999) + good(r))])
    async with connected(host) as driver:
        assert (await driver.read(meter())).values == expected()


async def test_wrong_unit() -> None:
    """Our transaction id with another unit is an error, at once."""
    async with connected(TcpHost(lambda r: [(0, mbap(r, registers(r[6:]), unit=9))])) as driver:
        with pytest.raises(DecodeError, match="unit 9"):
            await driver.read(meter(deadline=5))
        assert driver.counters()["foreign_frame"] == 1


async def test_short_list() -> None:
    """Nine of ten registers are an error, at once."""
    async with connected(TcpHost(lambda r: [(0, mbap(r, registers(r[6:], short=1)))])) as driver:
        with pytest.raises(DecodeError, match="18 bytes came for 20"):
            await driver.read(meter(deadline=5))


async def test_answer_in_pieces() -> None:
    """An answer that drips in byte by byte is put together."""
    host = TcpHost(lambda r: [(0.002 * n, good(r)[n : n + 1]) for n in range(29)])
    async with connected(host) as driver:
        assert (await driver.read(meter(deadline=2))).values == expected()


async def test_garbage_ends_the_connection() -> None:
    """A stream that is not Modbus cannot be trusted again: the connection is dropped, the next one works."""
    garbage = True
    host = TcpHost(lambda r: [(0, b"HTTP/1.1 400 Bad Request" if garbage else good(r))])
    async with connected(host) as driver:
        with pytest.raises(DecodeError, match="not Modbus TCP"):
            await driver.read(meter(deadline=5))
        garbage = False
        with pytest.raises(NotConnected):
            await driver.read(meter())
        await driver.connect()
        assert (await driver.read(meter())).values == expected()


async def test_exception_at_once() -> None:
    """An exception comes through with code and meter."""
    async with connected(TcpHost(lambda r: [(0, mbap(r, bytes((r[7] | 0x80, 6))))])) as driver:
        with pytest.raises(Refused) as caught:
            await driver.read(meter(deadline=5))
    assert (caught.value.code, caught.value.meter) == (6, "m1")


async def test_host_closes_after_each_answer() -> None:
    """A host that hangs up each time is read all the same, over one connection at a time."""
    host = TcpHost(closes=True)
    async with connected(host) as driver:
        for at in range(0, 200, 10):
            assert (await driver.read(meter(at))).values == expected(at)
    assert host.most == 1


async def test_host_closes_without_an_answer() -> None:
    """A host that hangs up on the very first request is NotConnected, at once, and not tried again."""
    host = TcpHost(lambda _: [], closes=True)
    async with connected(host) as driver:
        start = time.monotonic()
        with pytest.raises(NotConnected, match="closed"):
            await driver.read(meter(deadline=5))
        assert time.monotonic() - start < 1
    assert host.connections == 1


async def test_silent_host_is_dropped_after_three_requests() -> None:
    """A connection that only looks open costs three deadlines, then it is NotConnected."""
    async with connected(TcpHost(lambda _: [])) as driver:
        for _ in range(2):
            with pytest.raises(NoAnswer):
                await driver.read(meter(deadline=0.02))
        for _ in range(2):
            with pytest.raises(NotConnected):
                await driver.read(meter(deadline=0.02))


async def test_short_deadline_after_a_long_one() -> None:
    """The one timer obeys the nearest deadline, whichever was set first."""
    host = TcpHost(lambda r: [] if r[6] == 9 else [(0, good(r))])
    async with connected(host) as driver:
        await driver.read(meter(deadline=30))
        start = time.monotonic()
        with pytest.raises(NoAnswer):
            await driver.read(meter(unit=9, deadline=0.02))
        with pytest.raises(NoAnswer):
            await driver.read(meter(unit=9, deadline=0.2))
        assert 0.2 <= time.monotonic() - start < 2


async def test_dead_unit_behind_a_living_gateway() -> None:
    """Answers of other units keep the connection: one dead meter does not cut them off."""
    host = TcpHost(lambda r: [] if r[6] == 9 else [(0, good(r))])
    async with connected(host) as driver:
        for _ in range(4):
            with pytest.raises(NoAnswer):
                await driver.read(meter(unit=9, deadline=0.02))
            assert (await driver.read(meter(unit=1))).values == expected()
    assert host.connections == 1


async def test_unasked_frames_end_the_connection() -> None:
    """A host that floods us with frames is cut off."""
    host = TcpHost(lambda r: [(0, mbap(r, registers(r[6:]), transaction=9999) * 2000)])
    async with connected(host) as driver:
        with pytest.raises(DecodeError, match="nobody asked for"):
            await driver.read(meter(deadline=5))


async def test_two_readers_at_once() -> None:
    """Answers in the wrong order still reach the right reader."""
    held: list[bytes] = []

    def says(request: bytes) -> list[tuple[float, bytes]]:
        held.append(good(request))
        return [(0, b"".join(reversed(held)))] if len(held) == 2 else []

    async with connected(TcpHost(says), in_flight=2) as driver:
        one, two = await asyncio.gather(driver.read(meter(0x10)), driver.read(meter(0x80)))
    assert (one.values, two.values) == (expected(0x10), expected(0x80))


@pytest.mark.parametrize("in_flight", [1, 3])
async def test_no_more_requests_than_the_host_takes(in_flight: int) -> None:
    """Eight readers at once, and never more open requests than configured: the first answer lets the next one out."""
    open_now: set[bytes] = set()
    most = 0

    def says(request: bytes) -> list[tuple[float, bytes]]:
        nonlocal most
        open_now.add(request[:2])
        most = max(most, len(open_now))
        asyncio.get_running_loop().call_later(0.004, open_now.discard, request[:2])
        return [(0.005, good(request))]

    async with connected(TcpHost(says), in_flight) as driver:
        got = await asyncio.gather(*(driver.read(meter(16 * n, deadline=1)) for n in range(1, 9)))
    assert [reading.values for reading in got] == [expected(16 * n) for n in range(1, 9)]
    assert most == in_flight


async def test_pages_of_one_meter_go_out_together() -> None:
    """A host that takes several requests is asked for all pages of a meter at once."""
    table = Table(tuple(Row(500 * n, "u16", f"r{500 * n}", Fraction(1)) for n in range(4)))
    host = TcpHost(lambda r: [(0.05, good(r))])
    async with connected(host, in_flight=4) as driver:
        start = time.monotonic()
        reading = await driver.read(Meter("m", profile_of(table), 1))
        assert time.monotonic() - start < 0.15
        assert reading.values == {f"r{500 * n}": 500 * n for n in range(4)}


async def test_one_page_of_several_fails() -> None:
    """Together or not, a reading is whole or an error, and no request is left behind."""
    table = Table(tuple(Row(500 * n, "u16", f"r{500 * n}", Fraction(1)) for n in range(4)))
    host = TcpHost(lambda r: [] if r[8:10] == b"\x03\xe8" else [(0, good(r))])
    async with connected(host, in_flight=4) as driver:
        with pytest.raises(NoAnswer):
            await driver.read(Meter("m", profile_of(table), 1, 0.05))
        host.says = lambda r: [(0, good(r))]
        assert len((await driver.read(Meter("m", profile_of(table), 1))).values) == 4


async def test_readers_at_once_on_a_host_that_closes_each_time() -> None:
    """Whoever finds the connection closed opens one for all: never two, and everybody gets an answer."""
    host = TcpHost(closes=True)
    async with connected(host, in_flight=4) as driver:
        await driver.read(meter())
        for _ in range(10):
            readings = await asyncio.gather(*(driver.read(meter(16 * n)) for n in range(1, 5)), return_exceptions=True)
            for n, reading in enumerate(readings, 1):
                if isinstance(reading, Reading):
                    assert reading.values == expected(16 * n)
                else:
                    assert isinstance(reading, NotConnected)
            assert any(isinstance(reading, Reading) for reading in readings)
    assert host.most == 1


async def test_transaction_id_of_a_lost_request_is_not_used_again() -> None:
    """An answer that is late by 65,536 requests would fit the next one of its id: that id waits until it came."""
    ids: list[bytes] = []
    late: list[bytes] = []

    def says(request: bytes) -> list[tuple[float, bytes]]:
        ids.append(request[:2])
        if not late:
            late.append(good(request))
            return []
        return [(0, good(request))]

    async with connected(TcpHost(says)) as driver:
        with pytest.raises(NoAnswer):
            await driver.read(meter(0x10, deadline=0.02))
        line = driver._line
        assert isinstance(line, TcpLine)
        line._transaction = 0xFFFF
        assert (await driver.read(meter(0x80))).values == expected(0x80)
        assert ids[1] == b"\x00\x00"
        assert (await driver.read(meter(0x90))).values == expected(0x90)
        assert ids[0] == b"\x00\x01"
        assert ids[2] == b"\x00\x02"
        line._transport.write(b"")
        line.data_received(late[0])
        line._transaction = 0
        assert (await driver.read(meter(0xA0))).values == expected(0xA0)
        assert ids[3] == b"\x00\x01"


async def test_lost_ids_are_few() -> None:
    """A host with a dead meter loses requests for years: what is remembered of them is bounded."""
    async with connected(TcpHost(lambda _: [])) as driver:
        line = driver._line
        assert isinstance(line, TcpLine)
        for n in range(LOST_LIMIT + 100):
            line._lose(n.to_bytes(2, "big"))
        assert len(line._lost) == LOST_LIMIT
        assert line._next_transaction() == 1


async def test_half_open_connection_is_noticed_within_three_deadlines() -> None:
    """A network that swallows everything (F1): three deadlines, then the connection is given up and opened anew."""
    host = TcpHost()
    async with connected(host) as driver:
        assert (await driver.read(meter())).values == expected()
        host.says = lambda _: []
        start = time.monotonic()
        for _ in range(3):
            with pytest.raises((NoAnswer, NotConnected)):
                await driver.read(meter(deadline=0.1))
        assert time.monotonic() - start < 0.45
        host.says = lambda r: [(0, good(r))]
        with pytest.raises(NotConnected):
            await driver.read(meter())
        await driver.connect()
        assert (await driver.read(meter())).values == expected()
    assert (host.connections, host.most) == (2, 1)


async def test_rtu_frames_through_a_gateway() -> None:
    """`rtu+tcp://` sends RTU frames over the stream, and is connected again when the host hung up."""
    async with TcpHost(lambda r: [(0, b"\x00" + right(r))], length=8) as host:
        driver = open_bus(Bus("gateway", f"rtu+{host.url}"), lambda: 7)
        await driver.connect()
        assert (await driver.read(meter(0x10))).values == expected(0x10)
        for transport in host.open_now:
            transport.close()
        await asyncio.sleep(0.02)
        assert (await driver.read(meter(0x80))).values == expected(0x80)
        await driver.close()
    assert (host.connections, host.most) == (2, 1)


async def test_nobody_listens() -> None:
    """A refused connection names the reason and a hint."""
    async with TcpHost() as host:
        url = host.url
    with pytest.raises(NotConnected, match="nothing listens"):
        await open_bus(Bus("gateway", url), lambda: 0).connect()
