"""A gateway as a broker and a hub see it, thin enough that ten thousand fit into one process.

It speaks just the MQTT 5 it needs, on a connection of its own: CONNECT, one SUBSCRIBE for its acks, blocks at QoS 1.
A block is let go by its stored ack alone. After a loss it waits as an edge does, connects again, and sends what is
still pending, at most a window of it at once; what a broker took and forgot goes again after a while. Whatever else
comes is an error of the bench and raises.
"""

import asyncio
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.backoff import Backoff
from gateway.transport import Message

WINDOW = 20
LAST_RECONNECT = 60.0
KEEPALIVE = 120
ACK_TIMEOUT = 75.0
CONNACK, PUBLISH, PUBACK, SUBACK, DISCONNECT = 2, 3, 4, 9, 14
EXPIRY, RESPONSE_TOPIC, CORRELATION = 0x02, 0x08, 0x09


@dataclass(slots=True)
class _Block:
    message: Message
    made: float
    sent: float = math.inf


@dataclass
class Tally:
    """What a whole fleet did; times are the loop's, in seconds."""

    connects: list[float] = field(default_factory=list)
    waits: list[tuple[float, float]] = field(default_factory=list)
    """When a block was made, and how long its stored ack took from then on."""
    ready: int = 0
    sent: int = 0
    pending: int = 0


class ThinGateway(asyncio.Protocol):
    """Keeps one connection open; `make` gives the next block as the edge would send it."""

    def __init__(self, name: str, ack_topic: str, make: Callable[[], Message], port: int, tally: Tally) -> None:
        """Connect with `connect`; `first` is the cap of the first wait after a loss, in seconds."""
        self._name, self._ack_topic, self._make, self._port, self._tally = name, ack_topic, make, port, tally
        self._loop = asyncio.get_running_loop()
        self._backoff = Backoff(1.0, LAST_RECONNECT)
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._pending: dict[bytes, _Block] = {}
        self._waiting: list[bytes] = []
        self._under_way = 0
        self._ready = False
        self._packet = 0

    def spread(self, first: float) -> None:
        """Let the first wait after a loss be anything up to so many seconds."""
        self._backoff = Backoff(first, LAST_RECONNECT)

    async def connect(self) -> None:
        """Open a connection, or try again later."""
        try:
            await self._loop.create_connection(lambda: self, "127.0.0.1", self._port)
        except OSError:
            self._later()

    def produce(self) -> None:
        """Take the next block, and send it if there is room."""
        message = self._make()
        assert message.correlation is not None
        self._pending[message.correlation] = _Block(message, self._loop.time())
        self._waiting.append(message.correlation)
        self._tally.pending += 1
        self._send()

    def post(self, topic: str, payload: bytes) -> None:
        """Send at QoS 0, as live values go; what nobody is connected for is gone."""
        if self._ready:
            self._write(_packet(0x30, _text(topic) + b"\x00" + payload))

    def again(self) -> None:
        """Send once more what has waited too long for its stored ack, as an edge does."""
        overdue = self._loop.time() - ACK_TIMEOUT
        for name, block in self._pending.items():
            if block.sent < overdue:
                block.sent = math.inf
                self._waiting.append(name)
        self._send()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say who we are."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer.clear()
        head = _text("MQTT") + bytes([5, 0x02]) + struct.pack(">H", KEEPALIVE) + b"\x00"
        transport.write(_packet(0x10, head + _text(self._name)))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  why does not matter here
        """Begin anew with all that is pending."""
        self._transport = None
        if self._ready:
            self._ready = False
            self._tally.ready -= 1
        self._waiting, self._under_way = list(self._pending), 0
        self._later()

    def data_received(self, data: bytes) -> None:
        """Take what the broker says, packet by packet."""
        self._buffer += data
        while (found := _first_packet(self._buffer)) is not None:
            kind, body, length = found
            del self._buffer[:length]
            self._take(kind, body)

    def _take(self, kind: int, body: bytes) -> None:
        if kind == CONNACK:
            self._tally.connects.append(self._loop.time())
            self._write(_packet(0x82, struct.pack(">H", 1) + b"\x00" + _text(self._ack_topic) + b"\x01"))
        elif kind == SUBACK:
            self._ready = True
            self._tally.ready += 1
            self._send()
        elif kind == PUBACK:
            self._backoff.reset()
            self._under_way -= 1
            self._send()
        elif kind == PUBLISH:
            self._stored(body)
        elif kind != DISCONNECT:
            raise AssertionError(f"an unexpected packet of kind {kind}")

    def _stored(self, body: bytes) -> None:
        (topic,) = struct.unpack_from(">H", body)
        packet, place = body[2 + topic : 4 + topic], 4 + topic
        self._write(_packet(0x40, packet))
        length, place = _length(body, place)
        taken = self._pending.pop(_correlation(body[place : place + length]), None)
        if taken is not None:
            self._tally.pending -= 1
            self._tally.waits.append((taken.made, self._loop.time() - taken.made))

    def _send(self) -> None:
        while self._ready and self._waiting and self._under_way < WINDOW:
            name = self._waiting.pop(0)
            if name in self._pending:
                self._pending[name].sent = self._loop.time()
                self._packet = self._packet % 0xFFFF + 1
                self._under_way += 1
                self._tally.sent += 1
                self._write(_publish(self._pending[name].message, self._packet))

    def _later(self) -> None:
        self._loop.call_later(self._backoff.next(), lambda: _keep(self._loop.create_task(self.connect())))

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


_tasks: set[asyncio.Task[None]] = set()


def _keep(task: "asyncio.Task[None]") -> None:
    """Hold on to a task until it is done, since its loop does not."""
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def _publish(message: Message, packet: int) -> bytes:
    assert message.response_topic is not None
    assert message.correlation is not None
    properties = bytes([RESPONSE_TOPIC]) + _text(message.response_topic)
    properties += bytes([CORRELATION]) + struct.pack(">H", len(message.correlation)) + message.correlation
    head = _text(message.topic) + struct.pack(">H", packet) + bytes([len(properties)]) + properties
    return _packet(0x32, head + message.payload)


def _correlation(properties: bytes) -> bytes:
    """Find the Correlation Data among the properties of a stored ack."""
    place = 0
    while place < len(properties):
        if properties[place] == CORRELATION:
            (size,) = struct.unpack_from(">H", properties, place + 1)
            return properties[place + 3 : place + 3 + size]
        assert properties[place] == EXPIRY, "an ack has its expiry and its Correlation Data"
        place += 5
    raise AssertionError("an ack without Correlation Data")


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def _packet(kind: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while True:
        size, digit = size >> 7, size & 0x7F
        length.append(digit | (0x80 if size else 0))
        if not size:
            return bytes([kind]) + bytes(length) + body


def _length(data: bytes | bytearray, place: int) -> tuple[int, int]:
    """Read a variable length; raises IndexError where the rest of it has not come yet."""
    value = shift = 0
    while True:
        digit = data[place]
        place += 1
        value |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            return value, place


def _first_packet(buffer: bytearray) -> tuple[int, bytes, int] | None:
    """Give the kind and body of the first whole packet, and how many bytes it has."""
    try:
        length, place = _length(buffer, 1)
    except IndexError:
        return None
    if len(buffer) < place + length:
        return None
    return buffer[0] >> 4, bytes(buffer[place : place + length]), place + length
