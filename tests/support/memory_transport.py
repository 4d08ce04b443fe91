"""A broker in memory for one collector and whoever plays the gateways: the Connection protocol, without a socket."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from gateway.transport import Arrived, Endpoint, Lost, Message, NotTaken


@dataclass
class MemoryConnection:
    """One connection; the test delivers messages into it and breaks it."""

    broker: "MemoryBroker"
    session_present: bool = False
    receive_maximum: int = 100
    maximum_packet_size: int | None = None
    filters: list[str] = field(default_factory=list)
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    inbox: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)

    async def publish(self, message: Message) -> int:
        """Take a message, unless the test says otherwise."""
        await asyncio.sleep(0)
        if self.lost.is_set():
            raise Lost("broken by the test")
        if self.broker.refuse_with:
            raise NotTaken("refused by the test", code=self.broker.refuse_with)
        if self.broker.swallow_acks:
            self.broker.swallowed += 1
            await asyncio.Event().wait()
        self.broker.published.append(message)
        self.broker.moved.set()
        return 0

    def post(self, message: Message) -> None:
        """Take a QoS 0 message."""
        self.broker.published.append(message)

    async def subscribe(self, filters: Sequence[str], qos: int = 1) -> None:
        """Note the filters."""
        assert qos == 1
        self.filters += filters
        self.broker.moved.set()

    async def messages(self) -> AsyncIterator[Arrived]:
        """Give what was delivered until the connection breaks; never more than the Receive Maximum unacknowledged."""
        while True:
            message = await self._next()
            self.broker.unacked += 1
            self.broker.most_unacked = max(self.broker.most_unacked, self.broker.unacked)
            yield Arrived(message, self._puback)

    async def _next(self) -> Message:
        while self.broker.unacked >= self.broker.window or self.inbox.empty():
            if self.lost.is_set():
                raise Lost("broken by the test")
            self.broker.moved.clear()
            await self.broker.moved.wait()
        return self.inbox.get_nowait()

    def _puback(self) -> None:
        if not self.lost.is_set():
            self.broker.unacked -= 1
            self.broker.pubacks += 1
            self.broker.moved.set()

    async def closed(self) -> None:
        """Wait until the test breaks the connection."""
        await self.lost.wait()
        raise Lost("broken by the test")

    async def close(self) -> None:
        """Let go."""
        self.lost.set()


@dataclass
class MemoryBroker:
    """Opens connections (it is a `Connect`) and remembers what was published and acknowledged."""

    window: int = 100
    connections: list[MemoryConnection] = field(default_factory=list)
    endpoints: list[Endpoint] = field(default_factory=list)
    published: list[Message] = field(default_factory=list)
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    down: Exception | None = None
    refuse_with: int = 0
    swallow_acks: bool = False
    swallowed: int = 0
    unacked: int = 0
    most_unacked: int = 0
    pubacks: int = 0

    async def __call__(self, endpoint: Endpoint, timeout: float = 10.0) -> MemoryConnection:
        """Open a connection, unless the test put the broker down."""
        assert timeout > 0
        self.endpoints.append(endpoint)
        if self.down:
            raise self.down
        self.unacked = 0
        self.connections.append(MemoryConnection(self))
        return self.connections[-1]

    def deliver(self, *messages: Message) -> None:
        """Put messages on the newest connection."""
        for message in messages:
            self.connections[-1].inbox.put_nowait(message)
        self.moved.set()

    def lose(self) -> None:
        """Break the newest connection; what was on it unacknowledged is gone, as with a clean session."""
        self.connections[-1].lost.set()
        self.moved.set()
