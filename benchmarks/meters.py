"""Fast Modbus TCP meters for the benchmarks: 32 ports in one process, 20 float registers each, every answer counted.

Run as `python -m benchmarks.meters COUNT`; it prints the ports as one JSON line, then, for each line it reads on its
standard input, the number of answers given so far.
"""

import asyncio
import json
import math
import random
import struct
import sys

VALUES = 20
SHAPES = 997
"""Different answers a meter cycles through; a prime, so that meters drift apart and blocks compress as real ones do."""

answers = 0


def shapes(seed: int) -> list[bytes]:
    """Make the register bytes of one meter over time: three-phase values that wander, energy that rises."""
    dice = random.Random(seed)
    energy = dice.uniform(1000, 90000)
    made = []
    for step in range(SHAPES):
        swing = math.sin(step / 37)
        volts = [230 + swing + dice.gauss(0, 0.4) for _ in range(3)]
        amps = [3 + 2 * swing + dice.gauss(0, 0.05) for _ in range(3)]
        watts = [u * i * 0.97 for u, i in zip(volts, amps, strict=True)]
        energy += sum(watts) / 3.6e6
        phases = [energy / 3, energy / 3.1, energy / 2.9]
        rest = [sum(watts), sum(watts) * 1.03, sum(watts) * 0.2, 0.97, 50 + dice.gauss(0, 0.01), energy, 1.5]
        made.append(struct.pack(">20f", *volts, *amps, *watts, *rest, *phases, 0.5))
    return made


class Meter(asyncio.Protocol):
    """Answers each request with the next shape, whatever registers it names."""

    def __init__(self, made: list[bytes]) -> None:
        """`made` are the register bytes to cycle through."""
        self._made = made
        self._at = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request in the bytes; requests are never split on a loopback."""
        global answers  # noqa: PLW0603  one counter for one process
        for start in range(0, len(data), 12):
            self._at = (self._at + 1) % SHAPES
            body = self._made[self._at]
            self._transport.write(data[start : start + 4] + b"\x00\x53" + data[start + 6 : start + 8] + b"\x50" + body)
            answers += 1


async def main(count: int) -> None:
    """Serve `count` meters on free ports until standard input ends."""
    loop = asyncio.get_running_loop()
    ports = []
    for number in range(count):
        made = shapes(number)
        server = await loop.create_server(lambda made=made: Meter(made), "127.0.0.1", 0)  # type: ignore[misc]
        ports.append(server.sockets[0].getsockname()[1])
    print(json.dumps(ports), flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        print(answers, flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
