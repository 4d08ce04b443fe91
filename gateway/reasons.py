"""What a person can do about an MQTT 5 reason code, wherever it came from: CONNACK, PUBACK, SUBACK or DISCONNECT."""

from paho.mqtt.reasoncodes import ReasonCode

from gateway.transport import NotTaken

UNSUPPORTED_VERSION = 0x84
TOPIC_INVALID = 0x90
TOO_LARGE = 0x95
NO_RETAIN = 0x9A
NO_QOS = 0x9B
REFUSED = 0x80
"""Reason codes from here on say that the broker did not do what it was asked."""

HINTS = {
    UNSUPPORTED_VERSION: "the broker speaks no MQTT 5; Mosquitto does from 1.6 on",
    0x85: "the broker forbids this client id",
    0x86: "check user name and password",
    0x87: "the broker's access list must allow this user that topic; at connect, check user name and password",
    0x88: "the broker is not ready; it may be starting",
    0x89: "the broker has too much to do",
    0x8A: "the broker has banned this client: ask who runs it",
    0x8B: "the broker is shutting down",
    0x8C: "the broker wants another way of authentication than user name and password",
    0x8E: "another client connected with the same client id: each gateway needs its own",
    TOPIC_INVALID: "the broker does not take this topic: check tenant and gateway id",
    0x93: "more was sent at once than the broker takes",
    TOO_LARGE: "raise the broker's packet limit (Mosquitto: max_packet_size)",
    0x96: "the broker wants fewer messages",
    0x97: "a quota of the broker is used up: it may pass, or the account must grow",
    0x99: "the broker checks payloads and did not like ours",
    NO_RETAIN: "the broker must allow retained messages (Mosquitto: retain_available)",
    NO_QOS: "the broker must allow QoS 1 (Mosquitto: max_qos)",
    0x9C: "the broker's address has changed for a while: ask who runs it",
    0x9D: "the broker's address has changed: ask who runs it",
    0x9E: "the broker must allow shared subscriptions",
    0x9F: "too many connects: the broker wants a pause",
}


def hint(code: int) -> str:
    """Give the hint for a reason code, or nothing where none is known."""
    return HINTS.get(code, "")


def refusal(code: int, what: str) -> NotTaken:
    """Make the error for a reason code from REFUSED on."""
    return NotTaken(what, hint(code), code=code)


def verdict(reason: ReasonCode, what: str) -> int:
    """Give the code of a reason that says yes; raises NotTaken with one that says no to `what`."""
    if reason.value >= REFUSED:
        raise refusal(reason.value, f"{what}: {name(reason)}")
    return int(reason.value)


def name(reason: ReasonCode) -> str:
    """Name a reason as the norm does, with its code."""
    return f"{reason.getName()} (0x{reason.value:02X})"
