"""A small MQTT 5 server that records everything and misbehaves on request.

    async with FakeBroker() as broker:
        broker.refuse = lambda publish: 0x97 if publish.topic.endswith("data") else 0
        ...                                  # let a client connect to broker.url
        await broker.until(lambda: len(broker.published) == 3)
        broker.drop()

It routes QoS 0 and 1, retained messages, `$share` groups (in turn) and sessions that expire later than the connection.
It knows no user and checks no password.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Self

from tests.support import mqtt5
from tests.support.mqtt5 import Connect, Cursor, Publish, matches, packet, properties

SUCCESS, NO_SUBSCRIBERS = 0x00, 0x10


@dataclass
class Session:
    """What the broker keeps of a client: subscriptions (filter to QoS) and QoS 1 messages without PUBACK, in order."""

    client_id: str
    subscriptions: dict[str, int] = field(default_factory=dict)
    unacked: dict[int, Publish] = field(default_factory=dict)
    next_id: int = 0
    link: "Link | None" = None

    def deliver(self, publish: Publish, qos: int, *, retain: bool = False) -> None:
        """Send a message, or keep it for the next connection if it is QoS 1."""
        if qos == 0:
            if self.link:
                self.link.send(publish.encode(retain=retain))
            return
        self.next_id = self.next_id % 65535 + 1
        self.unacked[self.next_id] = publish
        if self.link:
            self.link.send(publish.encode(self.next_id, 1, retain=retain))


@dataclass(eq=False)
class Link:
    """One TCP connection."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    connect: Connect
    session: Session
    withheld: list[int] = field(default_factory=list)

    def send(self, data: bytes) -> None:
        """Write without waiting."""
        if not self.writer.is_closing():
            self.writer.write(data)


class FakeBroker:
    """Change its attributes at any time; they say how it behaves from then on.

    `withhold(publish)` keeps back the PUBACK (`release()` sends them), `refuse(publish)` gives its reason code,
    `refuse_filter(name)` that of a SUBACK; `connack` refuses connections; `forget` acknowledges and routes nothing;
    `silent` answers nothing any more; `session_present` lies about the session; `limits` are the properties of CONNACK
    by name: `{"receive_maximum": 5, "maximum_packet_size": 2000, "maximum_qos": 0, "retain_available": 0}`.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.connack = 0
        self.session_present: bool | None = None
        self.limits: dict[str, int] = {}
        self.forget = False
        self.silent = False
        self.withhold: Callable[[Publish], bool] = lambda _: False
        self.refuse: Callable[[Publish], int] = lambda _: 0
        self.refuse_filter: Callable[[str], int] = lambda _: 0
        self.connects: list[Connect] = []
        self.published: list[Publish] = []
        self.acks: list[int] = []
        self.disconnects: list[int] = []
        self.links: list[Link] = []
        self.retained: dict[str, Publish] = {}
        self.sessions: dict[str, Session] = {}
        self._turn = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"mqtt://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen; again on the same port after `stop`."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server:
            self._server.close()
            self._server = None
        self.drop()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def until(self, true: Callable[[], bool], timeout: float = 5.0) -> None:
        """Wait until something holds; looked at after each packet and each connection."""
        async with asyncio.timeout(timeout), self._changed:
            await self._changed.wait_for(true)

    def drop(self) -> None:
        """Abort every TCP connection (RST)."""
        for link in self.links:
            link.writer.transport.abort()

    def disconnect(self, code: int) -> None:
        """Say DISCONNECT with a reason code to everyone and hang up."""
        for link in self.links:
            link.send(packet(mqtt5.DISCONNECT, bytes([code, 0])))
            link.writer.close()

    def release(self, code: int = SUCCESS) -> None:
        """Send the PUBACKs kept back."""
        for link in self.links:
            for packet_id in link.withheld:
                link.send(_answer(mqtt5.PUBACK, packet_id, bytes([code])))
            link.withheld.clear()

    def inject(self, data: bytes) -> None:
        """Send bytes of any kind to everyone."""
        for link in self.links:
            link.send(data)

    def route(self, publish: Publish) -> int:
        """Deliver to all subscribers, as if a client had published it; gives the PUBACK's reason code."""
        if publish.retain:
            self.retained[publish.topic] = publish
            if not publish.payload:
                del self.retained[publish.topic]
        groups: dict[str, list[tuple[Session, int]]] = {}
        for session in self.sessions.values():
            for pattern, qos in session.subscriptions.items():
                shared = pattern.startswith("$share/")
                plain = pattern.split("/", 2)[2] if shared else pattern
                if matches(plain, publish.topic):
                    groups.setdefault(pattern if shared else session.client_id, []).append((session, qos))
        for key, members in groups.items():
            awake = [member for member in members if member[0].link] or members
            self._turn += 1
            session, qos = awake[self._turn % len(awake)] if key.startswith("$share/") else members[0]
            session.deliver(publish, min(qos, publish.qos))
        return SUCCESS if groups else NO_SUBSCRIBERS

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, AssertionError):
            await self._greet(reader, writer)
        writer.close()
        await self._tell()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kind, _, body = await _read(reader)
        assert kind == mqtt5.CONNECT
        connect = mqtt5.read_connect(body)
        self.connects.append(connect)
        while self.silent:
            await reader.readexactly(1)
        if self.connack:
            writer.write(packet(mqtt5.CONNACK, bytes([0, self.connack, 0])))
            await writer.drain()
            return
        known = self.sessions.get(connect.client_id)
        resumed = known is not None and not connect.clean_start
        session = known if known and resumed else Session(connect.client_id)
        self.sessions[connect.client_id] = session
        link = Link(len(self.connects) - 1, reader, writer, connect, session)
        if known and known.link:
            known.link.send(packet(mqtt5.DISCONNECT, b"\x8e\x00"))
            known.link.writer.close()
        session.link = link
        self.links.append(link)
        present = resumed if self.session_present is None else self.session_present
        link.send(packet(mqtt5.CONNACK, bytes([present, 0]) + properties(self.limits)))
        for packet_id, publish in session.unacked.items():
            link.send(publish.encode(packet_id, 1, dup=True))
        try:
            async for kind, flags, body in self._packets(link):
                if kind == mqtt5.DISCONNECT:
                    self.disconnects.append(body[0] if body else 0)
                    link.connect = replace(connect, will=None)
                    return
                self._handle(link, kind, flags, body)
                await self._tell()
        finally:
            self._gone(link)

    async def _packets(self, link: Link) -> AsyncIterator[tuple[int, int, bytes]]:
        while True:
            await self._tell()
            found = await _read(link.reader)
            if not self.silent:
                yield found

    def _handle(self, link: Link, kind: int, flags: int, body: bytes) -> None:
        cursor = Cursor(body)
        if kind == mqtt5.PUBLISH:
            self._published(link, mqtt5.read_publish(flags, body, link.number))
        elif kind == mqtt5.PUBACK:
            packet_id = cursor.integer(2)
            self.acks.append(packet_id)
            link.session.unacked.pop(packet_id, None)
        elif kind == mqtt5.SUBSCRIBE:
            self._subscribed(link, cursor)
        elif kind == mqtt5.UNSUBSCRIBE:
            packet_id, _ = cursor.integer(2), cursor.properties()
            link.session.subscriptions.pop(cursor.binary().decode(), None)
            link.send(_answer(mqtt5.UNSUBACK, packet_id, b"\x00\x00"))
        elif kind == mqtt5.PINGREQ:
            link.send(packet(mqtt5.PINGRESP))

    def _published(self, link: Link, publish: Publish) -> None:
        self.published.append(publish)
        code = self.refuse(publish)
        if not code and not self.forget:
            code = self.route(publish)
        if publish.qos == 0:
            return
        if self.withhold(publish):
            link.withheld.append(publish.packet_id)
        else:
            link.send(_answer(mqtt5.PUBACK, publish.packet_id, bytes([code]) if code else b""))

    def _subscribed(self, link: Link, cursor: Cursor) -> None:
        packet_id, _ = cursor.integer(2), cursor.properties()
        codes, names = b"", []
        while cursor.at < len(cursor.data):
            name, qos = cursor.binary().decode(), cursor.integer(1) & 3
            code = self.refuse_filter(name)
            codes += bytes([code or qos])
            if not code:
                link.session.subscriptions[name] = qos
                names.append(name)
        link.send(_answer(mqtt5.SUBACK, packet_id, b"\x00" + codes))
        for publish in self.retained.values():
            for name in names:
                if matches(name, publish.topic):
                    qos = min(publish.qos, link.session.subscriptions[name])
                    link.session.deliver(publish, qos, retain=True)

    def _gone(self, link: Link) -> None:
        self.links.remove(link)
        if link.session.link is link:
            link.session.link = None
            expires = not link.connect.properties.get("session_expiry")
            if expires and self.sessions.get(link.session.client_id) is link.session:
                del self.sessions[link.session.client_id]
        if link.connect.will:
            self.route(link.connect.will)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def _answer(kind: int, packet_id: int, rest: bytes) -> bytes:
    return packet(kind, packet_id.to_bytes(2, "big") + rest)


async def _read(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    head = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return head >> 4, head & 0x0F, await reader.readexactly(length)
