"""The least any Python edge must do with a reading, as one small program to compare Nabd with.

It polls Modbus TCP meters through a bare asyncio Protocol, unpacks 20 floats with struct, makes JSON with the product's
library, deflates 60 readings at level 6, commits them to SQLite with synchronous FULL, and publishes them at QoS 1 over
a bare MQTT 5 socket, awaiting the PUBACK. No checks, no units, no resend, no second meter type.

Run as `python -m benchmarks.floor SECONDS EVERY PORTS [BROKER_PORT]`: EVERY in seconds, 0 for without pause.
"""

import asyncio
import contextlib
import json
import sqlite3
import struct
import sys
import tempfile
import time
import zlib
from pathlib import Path

import orjson

REQUEST = struct.pack(">HHHBBHH", 0, 0, 6, 1, 4, 0, 40)
FLOATS = struct.Struct(">20f")
NAMES = [f"value_{number}" for number in range(20)]
PER_COMMIT = 60


class Client(asyncio.Protocol):
    """One meter's socket: a request, then a future for its answer."""

    answer: "asyncio.Future[bytes]"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Give the answer to whoever asked."""
        self.answer.set_result(data)

    async def ask(self) -> bytes:
        """Send the one request and await the answer."""
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(REQUEST)
        return await self.answer


class Floor:
    """Readings in, commits and publishes out."""

    def __init__(self, folder: Path) -> None:
        """Open the database in `folder`."""
        self.values = 0
        self.lines: list[bytes] = []
        self.publisher: Publisher | None = None
        self.database = sqlite3.connect(folder / "floor.db", isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA synchronous=FULL")
        self.database.execute("CREATE TABLE block (id INTEGER PRIMARY KEY, payload BLOB)")

    def take(self, meter: str, data: bytes) -> None:
        """Decode and encode one reading; every sixtieth commits."""
        values = dict(zip(NAMES, FLOATS.unpack_from(data, 9), strict=True))
        self.lines.append(orjson.dumps({"ts": int(time.time() * 1000), "meter": meter, "v": values}))
        self.values += len(values)
        if len(self.lines) == PER_COMMIT:
            payload = zlib.compress(b"[" + b",".join(self.lines) + b"]", 6)
            self.lines.clear()
            self.database.execute("INSERT INTO block (payload) VALUES (?)", (payload,))
            if self.publisher is not None:
                self.publisher.publish(payload)

    async def poll(self, port: int, every: float, until: float) -> None:
        """Read one meter until the time is up."""
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(Client, "127.0.0.1", port)
        due = loop.time()
        while loop.time() < until:
            self.take(f"meter-{port}", await client.ask())
            due += every
            if every:
                await asyncio.sleep(due - loop.time())


class Publisher(asyncio.Protocol):
    """The smallest MQTT 5 publisher: QoS 1, counting PUBACKs."""

    def __init__(self) -> None:
        """Nothing is sent before CONNACK."""
        self.sent = 0
        self.acknowledged = 0
        self.ready = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say CONNECT: MQTT 5, clean start, keep-alive 60 s, id "floor"."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"\x10\x12\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x05floor")

    def data_received(self, data: bytes) -> None:
        """Count PUBACKs; the first packet is the CONNACK."""
        if not self.ready.done():
            self.ready.set_result(None)
            return
        self.acknowledged += data.count(b"\x40\x02") + data.count(b"\x40\x03") + data.count(b"\x40\x04")

    def publish(self, payload: bytes) -> None:
        """Send one QoS 1 message."""
        self.sent += 1
        body = b"\x00\x05floor" + struct.pack(">H", self.sent % 65535 + 1) + b"\x00" + payload
        length = len(body)
        header = bytearray(b"\x32")
        while True:
            length, digit = divmod(length, 128)
            header.append(digit | (0x80 if length else 0))
            if not length:
                break
        self.transport.write(bytes(header) + body)


async def main(seconds: float, every: float, ports: list[int], broker: int | None) -> None:
    """Poll all meters and print what it cost as one JSON line."""
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as folder:
        floor = Floor(Path(folder))
        if broker is not None:
            _, floor.publisher = await loop.create_connection(Publisher, "127.0.0.1", broker)
            await floor.publisher.ready
        start, cpu = loop.time(), time.process_time()
        await asyncio.gather(*(floor.poll(port, every, start + seconds) for port in ports))
        cpu, wall = time.process_time() - cpu, loop.time() - start
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                while floor.publisher and floor.publisher.acknowledged < floor.publisher.sent:
                    await asyncio.sleep(0.05)
        report = {"values": floor.values, "per_second": floor.values / wall, "us_per_value": cpu / floor.values * 1e6}
        if floor.publisher:
            report["acknowledged"] = floor.publisher.acknowledged / max(floor.publisher.sent, 1)
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    asyncio.run(
        main(
            float(sys.argv[1]),
            float(sys.argv[2]),
            [int(port) for port in sys.argv[3].split(",")],
            int(sys.argv[4]) if len(sys.argv) > 4 else None,
        )
    )
