"""A pseudo terminal with a meter behind it that has whatever is wrong with its line."""

import asyncio
import os
import termios
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from drivers.modbus.codec import crc16

BAUDS = {getattr(termios, f"B{baud}"): baud for baud in (2400, 4800, 9600, 19200, 38400, 57600, 115200)}

Answer = Callable[[bytes, int], bytes]
"""Gives what comes back for a request at a baud."""


@asynccontextmanager
async def sick_line(answer: Answer, *, says: bytes = b"", every: float = 0.2) -> AsyncIterator[str]:
    """Put a meter on a pty for as long as the context lasts, and give its path; `says` comes again and again."""
    loop = asyncio.get_running_loop()
    master, slave = os.openpty()  # the slave stays open here, so that the master never hangs up
    tty.setraw(slave)
    os.set_blocking(master, False)

    def readable() -> None:
        with suppress(OSError):
            request = os.read(master, 4096)
            baud = BAUDS.get(termios.tcgetattr(master)[4], 0)
            os.write(master, answer(request, baud))

    async def talk() -> None:
        while True:
            with suppress(OSError):
                os.write(master, says)
            await asyncio.sleep(every)

    loop.add_reader(master, readable)
    talking = asyncio.create_task(talk()) if says else None
    try:
        yield os.ttyname(slave)
    finally:
        if talking:
            talking.cancel()
        loop.remove_reader(master)
        os.close(master)
        os.close(slave)


def modbus(unit: int, value: int = 0x4366) -> Answer:
    """Make a Modbus meter that has `value` in every register."""

    def answer(request: bytes, _baud: int) -> bytes:
        if len(request) != 8 or request[0] != unit:
            return b""
        count = request[5]
        body = bytes((unit, request[1], 2 * count)) + value.to_bytes(2, "big") * count
        return body + crc16(body)

    return answer
