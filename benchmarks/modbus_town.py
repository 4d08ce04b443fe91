"""Modbus TCP hosts with many meters behind each: `python -m benchmarks.modbus_town HOSTS DEAD`, ports as one JSON line.

Unit 1 of every host answers after half a second, unit 2 of the first DEAD hosts never, all others at once.
"""

import asyncio
import json
import sys
from functools import partial

SLOW = 0.5


class Host(asyncio.Protocol):
    """Answers with registers that move with every answer."""

    def __init__(self, *, with_dead: bool) -> None:
        """Begin at zero."""
        self._dead, self._count = 2 if with_dead else 0, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request; a loopback never splits one."""
        for at in range(0, len(data), 12):
            unit = data[at + 6]
            if unit != self._dead:
                delay = SLOW if unit == 1 else 0.0
                asyncio.get_running_loop().call_later(delay, self._answer, data[at : at + 12])

    def _answer(self, request: bytes) -> None:
        registers = int.from_bytes(request[10:12], "big")
        self._count += 1
        body = b"".join((self._count * n % 60_000).to_bytes(2, "big") for n in range(1, registers + 1))
        head = request[:4] + (3 + len(body)).to_bytes(2, "big") + request[6:8]
        self._transport.write(head + bytes([len(body)]) + body)


async def main(hosts: int, dead: int) -> None:
    """Serve until killed."""
    loop, ports = asyncio.get_running_loop(), []
    for number in range(hosts):
        server = await loop.create_server(partial(Host, with_dead=number < dead), "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
    print(json.dumps(ports), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:3])))
