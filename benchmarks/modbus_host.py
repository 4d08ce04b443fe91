"""A Modbus TCP host as fast as Python can make one: `python -m benchmarks.modbus_host REGISTERS` prints its port."""

import asyncio
import sys


class Host(asyncio.Protocol):
    """Answers every request with the same registers, all requests of a chunk in one write."""

    def __init__(self, registers: int) -> None:
        """Prepare all of an answer but its transaction id."""
        size = 2 * registers
        self._rest = b"\0\0" + (3 + size).to_bytes(2, "big") + bytes((1, 4, size)) + bytes(range(size))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer; requests are never split on a loopback."""
        rest = self._rest
        self._transport.write(b"".join([data[at : at + 2] + rest for at in range(0, len(data), 12)]))


async def main(registers: int) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(lambda: Host(registers), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
