"""What mqtt.py says to paho: a Client from an Endpoint, our messages as PUBLISH and theirs as ours."""

from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers
from paho.mqtt.reasoncodes import ReasonCode

from gateway import reasons
from gateway.mqtt_tls import Security, security_of
from gateway.transport import Endpoint, Message, NotTaken

PORTS = {"mqtt": 1883, "mqtts": 8883}
ARRIVAL_LIMIT = 1024 * 1024 + 4096
"""The largest packet a broker may send us: the largest payload message.py reads, with room for topic and properties."""
ENVELOPE = 13
"""The most bytes of a PUBLISH beside topic, payload and properties: 5 of header, three lengths and packet id."""

# Mosquitto answers a PUBLISH beyond its message_size_limit by a PUBACK with 0x95, a code that MQTT 5 has for other
# packets only. paho calls that a protocol error and ends the connection, again and again for the same block.
ReasonCode.names = MappingProxyType(
    {
        **ReasonCode.names,
        reasons.TOO_LARGE: {"Packet too large": [PacketTypes.CONNACK, PacketTypes.DISCONNECT, PacketTypes.PUBACK]},
    }
)


def make_client(endpoint: Endpoint) -> Client:
    """Make an unconnected Client that neither reconnects, queues nor acknowledges by itself."""
    client = Client(
        CallbackAPIVersion.VERSION2,
        endpoint.client_id,
        protocol=MQTTProtocolVersion.MQTTv5,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.max_inflight_messages_set(0)
    if endpoint.username is not None:
        client.username_pw_set(endpoint.username, endpoint.password)
    if (will := endpoint.will) is not None:
        properties = Packed(will, b"\x18" + endpoint.will_delay.to_bytes(4, "big"))
        client.will_set(will.topic, will.payload, will.qos, will.retain, properties)
    return client


def address(url: str) -> tuple[str, int, bool]:
    """Split mqtt://host:port or mqtts://host:port into host, port and whether TLS is spoken; raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError("a broker's url is mqtt://host:port or mqtts://host:port")
    if "@" in parts.netloc:
        raise ValueError("user name and password stand beside the url, not in it")
    return parts.hostname, parts.port or PORTS[parts.scheme], parts.scheme == "mqtts"


def dial(client: Client, endpoint: Endpoint, timeout: float) -> Security | None:
    """Open the socket, speak TLS, send CONNECT; blocks. Gives what TLS knows. Raises OSError and ValueError."""
    host, port, tls = address(endpoint.url)
    security = security_of(endpoint) if tls else None
    if security is not None:
        client.tls_set_context(security)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.ReceiveMaximum = endpoint.receive_maximum
    properties.MaximumPacketSize = ARRIVAL_LIMIT
    properties.SessionExpiryInterval = endpoint.session_expiry
    client.connect_timeout = timeout
    # paho pings after one keep-alive and gives up after a second: with two thirds a silent peer is lost within 1.5.
    keepalive = max(1, endpoint.keepalive * 2 // 3)
    client.connect(host, port, keepalive, clean_start=endpoint.session_expiry == 0, properties=properties)
    return security


@dataclass(frozen=True)
class Limits:
    """What a broker said in CONNACK that it will take; the defaults hold where it said nothing."""

    receive_maximum: int = 65535
    packet_size: int | None = None
    qos: int = 2
    retain: bool = True

    @classmethod
    def of(cls, connack: Properties | None) -> "Limits":
        """Read them from CONNACK's properties."""
        return cls(
            getattr(connack, "ReceiveMaximum", 65535),
            getattr(connack, "MaximumPacketSize", None),
            getattr(connack, "MaximumQoS", 2),
            bool(getattr(connack, "RetainAvailable", 1)),
        )

    def refusal(self, message: Message) -> NotTaken | None:
        """Say what the broker would, did we send this: it would end the connection as well."""
        if self.packet_size is not None and packet_size(message) > self.packet_size:
            what = f"{message.topic}: larger than the broker's {self.packet_size} bytes"
            return reasons.refusal(reasons.TOO_LARGE, what)
        if message.retain and not self.retain:
            return reasons.refusal(reasons.NO_RETAIN, f"{message.topic}: the broker retains nothing")
        if message.qos > self.qos:
            return reasons.refusal(reasons.NO_QOS, f"{message.topic}: the broker takes QoS {self.qos} at most")
        return None


class Packed(Properties):
    """The properties of a PUBLISH, encoded here: paho's own way costs more than all the rest of a PUBLISH."""

    _body: bytes

    def __init__(self, message: Message, more: bytes = b"") -> None:
        object.__setattr__(self, "_body", _encode(message) + more)  # paho's class allows no names but the norm's

    def pack(self) -> bytes:
        """Give them with their length before them, as paho puts them on the wire."""
        length: bytes = VariableByteIntegers.encode(len(self._body))  # type: ignore[no-untyped-call]
        return length + self._body


def packet_size(message: Message) -> int:
    """How large its PUBLISH is at most, in bytes."""
    return ENVELOPE + len(message.topic.encode()) + len(message.payload) + len(_encode(message))


def arrived_message(arrived: MQTTMessage) -> Message:
    """Turn paho's message into ours; raises UnicodeDecodeError for a topic that is no text."""
    properties = arrived.properties
    return Message(
        arrived.topic,
        bytes(arrived.payload),
        arrived.qos,
        arrived.retain,
        getattr(properties, "MessageExpiryInterval", None),
        getattr(properties, "ContentType", None),
        getattr(properties, "ResponseTopic", None),
        getattr(properties, "CorrelationData", None),
    )


def _encode(message: Message) -> bytes:
    """Encode the properties that a PUBLISH and a will have in common."""
    body = b""
    if message.expiry is not None:
        body += b"\x02" + message.expiry.to_bytes(4, "big")
    if message.content_type is not None:
        body += b"\x03" + _binary(message.content_type.encode())
    if message.response_topic is not None:
        body += b"\x08" + _binary(message.response_topic.encode())
    if message.correlation is not None:
        body += b"\x09" + _binary(message.correlation)
    return body


def _binary(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data
