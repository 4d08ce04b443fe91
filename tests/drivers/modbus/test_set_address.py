"""The write on a line: sent once, after a silence, with an answer in pieces, none, a refusal, or no line at all."""

import asyncio
from collections.abc import Iterable

import pytest

from drivers.contract import Bus, NotConnected, Refused
from drivers.modbus.codec import crc16
from drivers.modbus.model import SetAddress
from drivers.modbus.set_address import LIMIT, SILENCE, _Ear, set_address
from drivers.modbus.write import write_frame
from tests.support.modbus_slaves import PtySlave

ONE = SetAddress(at=0x0002, type="u16", function=6, source="a test")
FRAME = write_frame(1, ONE, 9)  # eight bytes, as the fake slave takes them


def framed(hexadecimal: str) -> bytes:
    """Add the CRC."""
    data = bytes.fromhex(hexadecimal)
    return data + crc16(data)


def says_nothing(_request: bytes) -> Iterable[tuple[float, bytes]]:
    """Stay silent."""
    return ()


async def test_the_frame_goes_out_once_and_the_answer_confirms() -> None:
    """An answer in two pieces, behind rubbish, is enough."""
    async with PtySlave(lambda request: [(0, b"\xff\x00" + request[:3]), (0.02, request[3:])]) as slave:
        assert await set_address(Bus("line", slave.path), ONE, 1, 9, 1.0)
        assert slave.requests == [FRAME]


async def test_silence_is_not_repeated() -> None:
    """A meter may have obeyed in silence: a second write would be meant for another meter."""
    async with PtySlave(says_nothing) as slave:
        loop = asyncio.get_running_loop()
        start = loop.time()
        assert not await set_address(Bus("line", slave.path), ONE, 1, 9, 0.2)
        assert loop.time() - start >= SILENCE + 0.2
        assert slave.requests == [FRAME]


async def test_a_flood_does_not_hide_the_answer() -> None:
    """Only the newest bytes are kept, and the answer is among them."""
    async with PtySlave(lambda request: [(0, b"\x55" * 3000), (0.05, request)]) as slave:
        assert await set_address(Bus("line", slave.path), ONE, 1, 9, 1.0)


async def test_what_came_before_the_write_confirms_nothing() -> None:
    """An old answer that looks like ours arrives during the silence and is forgotten."""
    async with PtySlave(says_nothing) as slave:
        asyncio.get_running_loop().call_later(SILENCE / 2, slave.say, FRAME)
        assert not await set_address(Bus("line", slave.path), ONE, 1, 9, 0.2)


async def test_no_more_is_kept_than_the_limit() -> None:
    """A line that never falls silent costs no memory."""
    ear = _Ear()
    for _ in range(100):
        ear.data_received(b"\x55" * 100)
    assert len(ear.heard) == LIMIT


async def test_a_refusal_is_raised() -> None:
    """The meter's own word."""
    async with PtySlave(lambda _: [(0, framed("01 86 02"))]) as slave:
        with pytest.raises(Refused, match="exception 2"):
            await set_address(Bus("line", slave.path), ONE, 1, 9, 1.0)


async def test_a_pulled_adapter_is_no_silence() -> None:
    """Nobody knows then whether the meter heard it."""
    async with PtySlave(says_nothing) as slave:
        asyncio.get_running_loop().call_later(SILENCE + 0.1, slave.unplug)
        with pytest.raises(NotConnected, match="during the write"):
            await set_address(Bus("line", slave.path), ONE, 1, 9, 5.0)


async def test_no_line_at_all() -> None:
    """A port that is not there, and a bus that is no serial line."""
    with pytest.raises(NotConnected):
        await set_address(Bus("line", "/dev/nabd-no-such-port"), ONE, 1, 9, 0.1)
    with pytest.raises(Refused, match="serial line only"):
        await set_address(Bus("lan", "tcp://127.0.0.1:1502"), ONE, 1, 9, 0.1)


async def test_everyone_is_nobodys_address() -> None:
    """Address 0 would reach all meters of the line; it never gets as far as the port."""
    with pytest.raises(ValueError, match="1 to 247"):
        await set_address(Bus("line", "/dev/nabd-no-such-port"), ONE, 0, 9, 0.1)
