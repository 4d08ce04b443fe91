"""The wire format of MQTT 5 as far as the fake broker needs it; no client has a part in it, so it can judge them."""

from dataclasses import dataclass, field
from typing import Any

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 10, 11, 12, 13, 14

# id: (name, kind); a kind is the number of bytes of an integer, "text", "bytes", "varint" or "pair".
PROPERTIES: dict[int, tuple[str, int | str]] = {
    1: ("payload_format", 1),
    2: ("expiry", 4),
    3: ("content_type", "text"),
    8: ("response_topic", "text"),
    9: ("correlation", "bytes"),
    11: ("subscription_id", "varint"),
    17: ("session_expiry", 4),
    18: ("assigned_client_id", "text"),
    19: ("server_keepalive", 2),
    24: ("will_delay", 4),
    31: ("reason", "text"),
    33: ("receive_maximum", 2),
    34: ("topic_alias_maximum", 2),
    36: ("maximum_qos", 1),
    37: ("retain_available", 1),
    38: ("user", "pair"),
    39: ("maximum_packet_size", 4),
}
IDS = {name: (number, kind) for number, (name, kind) in PROPERTIES.items()}


def varint(number: int) -> bytes:
    """Encode a Variable Byte Integer."""
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def text(value: str | bytes) -> bytes:
    """Encode text or binary data with its length."""
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2, "big") + data


def properties(values: dict[str, Any]) -> bytes:
    """Encode properties by name, with their length; None means absent."""
    body = b""
    for name, value in values.items():
        number, kind = IDS[name]
        if value is not None:
            body += bytes([number]) + (value.to_bytes(kind, "big") if isinstance(kind, int) else text(value))
    return varint(len(body)) + body


def packet(kind: int, body: bytes = b"", flags: int = 0) -> bytes:
    """Put the fixed header before a body."""
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


class Cursor:
    """Reads a packet's body from left to right."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        """Give the next bytes."""
        piece = self.data[self.at : self.at + count]
        assert len(piece) == count, "packet is cut short"
        self.at += count
        return piece

    def rest(self) -> bytes:
        """Give all that is left."""
        return self.take(len(self.data) - self.at)

    def integer(self, count: int) -> int:
        """Read an integer of so many bytes."""
        return int.from_bytes(self.take(count), "big")

    def binary(self) -> bytes:
        """Read bytes with their length before them."""
        return self.take(self.integer(2))

    def varint(self) -> int:
        """Read a Variable Byte Integer."""
        value = shift = 0
        while True:
            byte = self.integer(1)
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def properties(self) -> dict[str, Any]:
        """Read properties by name."""
        end = self.varint() + self.at
        found: dict[str, Any] = {}
        while self.at < end:
            name, kind = PROPERTIES[self.integer(1)]
            if isinstance(kind, int):
                found[name] = self.integer(kind)
            elif kind == "varint":
                found[name] = self.varint()
            elif kind == "pair":
                found.setdefault(name, []).append((self.binary().decode(), self.binary().decode()))
            else:
                found[name] = self.binary().decode() if kind == "text" else self.binary()
        return found


@dataclass(frozen=True)
class Connect:
    """A CONNECT as it came."""

    client_id: str
    clean_start: bool
    keepalive: int
    properties: dict[str, Any] = field(default_factory=dict)
    username: str | None = None
    password: bytes | None = None
    will: "Publish | None" = None
    will_delay: int = 0


@dataclass(frozen=True)
class Publish:
    """A PUBLISH as it came; `connection` counts the fake broker's connections from 0."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int = 0
    properties: dict[str, Any] = field(default_factory=dict)
    connection: int = -1

    def encode(self, packet_id: int = 0, qos: int = 0, *, retain: bool = False, dup: bool = False) -> bytes:
        """Make the packet that carries it on to a subscriber."""
        body = text(self.topic) + (packet_id.to_bytes(2, "big") if qos else b"")
        return packet(PUBLISH, body + properties(self.properties) + self.payload, dup << 3 | qos << 1 | retain)


def read_connect(body: bytes) -> Connect:
    """Read a CONNECT of MQTT 5."""
    cursor = Cursor(body)
    assert cursor.binary() == b"MQTT"
    assert cursor.integer(1) == 5, "not MQTT 5"
    flags, keepalive = cursor.integer(1), cursor.integer(2)
    given = cursor.properties()
    client_id = cursor.binary().decode()
    will, delay = None, 0
    if flags & 4:
        will_properties, topic = cursor.properties(), cursor.binary().decode()
        delay = will_properties.pop("will_delay", 0)
        will = Publish(topic, cursor.binary(), flags >> 3 & 3, bool(flags & 32), properties=will_properties)
    username = cursor.binary().decode() if flags & 128 else None
    password = cursor.binary() if flags & 64 else None
    return Connect(client_id, bool(flags & 2), keepalive, given, username, password, will, delay)


def read_publish(flags: int, body: bytes, connection: int) -> Publish:
    """Read a PUBLISH."""
    cursor = Cursor(body)
    qos = flags >> 1 & 3
    topic = cursor.binary().decode()
    packet_id = cursor.integer(2) if qos else 0
    given = cursor.properties()
    return Publish(topic, cursor.rest(), qos, bool(flags & 1), bool(flags & 8), packet_id, given, connection)


def matches(pattern: str, topic: str) -> bool:
    """Whether a topic filter matches a topic."""
    levels, names = pattern.split("/"), topic.split("/")
    for at, level in enumerate(levels):
        if level == "#":
            return True
        if at >= len(names) or level not in ("+", names[at]):
            return False
    return len(levels) == len(names)
