"""pymodbus' own client, and bare frames, read from the served registers what the meter measures."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

from simulator.meters import Register, VirtualMeter
from simulator.modbus_server import ModbusServer
from simulator.serving import Session
from simulator.wire import tcp_line

READ_UNIT_1 = bytes.fromhex("01 04 0000 0001 31CA")
READ_UNIT_9 = bytes.fromhex("09 04 0000 0001 3082")


@pytest.fixture
def meter() -> VirtualMeter:
    """Give a meter whose voltage is one more at each look."""
    looks = iter(range(1_000))
    registers = (Register(0, "voltage", "u16"), Register(10, "power", "s32"))
    return VirtualMeter({4: registers}, lambda: {"voltage": 230 + next(looks), "power": -5.0}, (range(5, 6),))


async def test_a_pymodbus_client_reads_fresh_values_over_tcp(meter: VirtualMeter) -> None:
    """Each request makes its registers anew; what is not there is refused."""
    async with tcp_line(ModbusServer({1: meter}, "tcp"), "127.0.0.1") as port:
        client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=2, retries=0)
        assert await client.connect()
        first = await client.read_input_registers(0, count=1, device_id=1)
        second = await client.read_input_registers(0, count=1, device_id=1)
        assert (first.registers, second.registers) == ([230], [231])
        assert (await client.read_input_registers(10, count=2, device_id=1)).registers == [0xFFFF, 0xFFFB]
        assert (await client.read_input_registers(0, count=12, device_id=1)).exception_code == 2
        assert (await client.read_input_registers(400, count=1, device_id=1)).exception_code == 2
        assert (await client.read_holding_registers(0, count=1, device_id=1)).exception_code == 2
        assert (await client.write_register(0, 5, device_id=1)).isError()
        client.close()


@pytest.fixture
async def rtu(meter: VirtualMeter, heard: Any) -> Callable[[], Session]:
    """Open a conversation in RTU frames with unit 1."""
    server = ModbusServer({1: meter}, "rtu")
    return lambda: server.open(heard)


async def test_an_rtu_frame_is_answered(rtu: Callable[[], Session], heard: Any) -> None:
    """A request written out by hand gets the answer written out by hand."""
    rtu().feed(READ_UNIT_1)
    await heard.until(7)
    assert heard.data == bytes.fromhex("01 04 02 00E6 38BA")


async def test_other_units_are_silent(rtu: Callable[[], Session], heard: Any) -> None:
    """Nobody answers for a unit that is not on the line, nor for a damaged request."""
    session = rtu()
    for request in (READ_UNIT_9, READ_UNIT_1[:-1] + b"\0"):
        session.feed(request)
        await asyncio.sleep(0.02)
        assert heard.data == b""
    session.feed(READ_UNIT_1)
    await heard.until(7)


async def test_half_a_request_does_not_spoil_the_next(rtu: Callable[[], Session], heard: Any) -> None:
    """What was cut short before a silence is forgotten."""
    session = rtu()
    session.feed(READ_UNIT_1[:5])
    session.feed(READ_UNIT_1)
    await heard.until(7)
    session.close()
