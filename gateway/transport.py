"""What Nabd asks of an MQTT 5 client: one connection, honest acknowledgements, nothing kept behind our back.

A `Connection` lives from one CONNACK to one loss; reconnecting, back-off, windows and re-sending are its users' work,
so no message hides in a library's queue. `gateway/mqtt.py` is the one implementation.

    TransportError
    ├── Lost         the connection is gone: connect again after a while
    └── NotTaken     the broker answered this message with a reason code of 0x80 or more: it holds nothing of it
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT application message with the MQTT 5 properties we use; `expiry` in seconds."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    expiry: int | None = None
    content_type: str | None = None
    response_topic: str | None = None
    correlation: bytes | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message that came in; `ack` sends its PUBACK (a no-op for QoS 0) and is the caller's to call."""

    message: Message
    ack: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and as whom to connect; `session_expiry` and `keepalive` in seconds, `password` never shown."""

    url: str
    client_id: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    session_expiry: int = 0
    keepalive: int = 30
    receive_maximum: int = 500
    will: Message | None = None
    will_delay: int = 10


class Connection(Protocol):
    """One MQTT session in the open state."""

    @property
    def session_present(self) -> bool:
        """Whether the broker kept our subscriptions."""

    @property
    def receive_maximum(self) -> int:
        """How many QoS 1 messages may await their PUBACK."""

    @property
    def maximum_packet_size(self) -> int | None:
        """The most bytes the broker takes at once, if it said so."""

    async def publish(self, message: Message) -> int:
        """Send; for QoS 1 wait for PUBACK and give its reason code (0x10: nobody subscribed). Raises Lost, NotTaken."""

    def post(self, message: Message) -> None:
        """Send a QoS 0 message without waiting; dropped when the socket is behind or gone, and counted in `dropped`."""

    async def subscribe(self, filters: Sequence[str], qos: int = 1) -> None:
        """Subscribe; raises Lost, NotTaken when a filter is refused."""

    def messages(self) -> AsyncIterator[Arrived]:
        """What arrives, in order, bounded by `receive_maximum`; ends by raising Lost."""

    async def closed(self) -> None:
        """Wait until the connection is gone; raises Lost with the reason."""

    async def close(self) -> None:
        """Send DISCONNECT (the will is not published) and let go; never raises."""


class Connect(Protocol):
    """Opens a connection."""

    async def __call__(self, endpoint: Endpoint, timeout: float = 10.0) -> Connection:
        """Wait for CONNACK; raises Lost, or NotTaken with the CONNACK reason."""


@dataclass
class TransportError(Exception):
    """The root; `hint` says what an installer can do."""

    what: str
    hint: str = ""

    def __str__(self) -> str:
        """One line for people."""
        return self.what + (f" ({self.hint})" if self.hint else "")


class Lost(TransportError):  # noqa: N818
    """The connection is gone, or never came to be."""


@dataclass
class NotTaken(TransportError):  # noqa: N818
    """The broker refused; `code` is the MQTT 5 reason code."""

    code: int = 0
