"""Whether a message is a command to be carried out: what it says of itself, held against the clock and the matrix.

1. It was not retained, is not too large, is one we know, and is a JSON object.
2. It has an id, by which a second one like it is known: its own, else its Correlation Data.
3. It ends soon: by its own `until`, else by the expiry that its broker counts down. While the gateway's clock is not
   known, only the broker's word counts.
4. Its role may do it.

Whether it came before, and whether too many came, its caller knows (`running.py`). Pure: bytes in, a Command out.
"""

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from gateway.commands.matrix import MATRIX
from gateway.transport import Message

LIMIT = 64 * 1024
"""Bytes of a command: a configuration, the largest thing one carries, is at most 48 KB."""
FARTHEST = 300
"""Seconds a command may be valid: as long as an operator waits, and far less than anybody keeps a copy."""

_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class Refused(Exception):  # noqa: N818
    """A command that is not carried out: the reason it is counted by, and a sentence for whoever sent it."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason, self.text = reason, text


@dataclass(frozen=True, slots=True)
class Command:
    """A command that may be carried out: `until` is UTC in ms, 0 while that is unknown; `left` is in seconds."""

    name: str
    id: str
    until: int
    left: float
    payload: bytes
    correlation: bytes | None


def judge(name: str, message: Message, now: int | None) -> Command:
    """Judge a message that came on `cmd/{name}`; `now` is UTC in ms, None while unknown. Raises Refused."""
    fields = _fields(name, message)
    identity = _identity(name, fields, message.correlation)
    left = _left(fields.get("until"), message.expiry, now)
    role = fields.get("role", "customer")
    if not isinstance(role, str) or role not in MATRIX[name]:
        raise Refused("wrong_role", f"{name} is for {', '.join(sorted(MATRIX[name]))}")
    until = 0 if now is None else now + int(left * 1000)
    return Command(name, identity, until, left, message.payload or b"{}", message.correlation)


def _fields(name: str, message: Message) -> dict[str, Any]:
    if message.retain:
        raise Refused("retained", "a command is never retained")
    if len(message.payload) > LIMIT:
        raise Refused("too_large", f"a command has at most {LIMIT} bytes")
    if name not in MATRIX:
        raise Refused("unknown", f"the commands are {', '.join(MATRIX)}")
    try:
        fields = orjson.loads(message.payload or b"{}")
    except orjson.JSONDecodeError:
        fields = None
    if not isinstance(fields, dict):
        raise Refused("malformed", "the payload is not a JSON object")
    return fields


def _identity(name: str, fields: dict[str, Any], correlation: bytes | None) -> str:
    given = fields.get("id")
    if given is not None:
        if not isinstance(given, str) or not _ID.fullmatch(given):
            raise Refused("no_id", "an id is 8 to 64 letters A-Z a-z, digits, _ and -")
        return given
    if not correlation:
        raise Refused("no_id", "a command needs an id, or Correlation Data")
    # Correlation Data has up to 64 KB, and what is remembered is bounded.
    shown = correlation.hex() if len(correlation) <= blake2b.MAX_DIGEST_SIZE else blake2b(correlation).hexdigest()
    return f"{name}:{shown}"


def _left(until: object, expiry: int | None, now: int | None) -> float:
    """Say for how many seconds it is valid yet."""
    if until is not None and now is not None:
        if not isinstance(until, int) or isinstance(until, bool):
            raise Refused("malformed", "until is UTC in milliseconds")
        left = (until - now) / 1000
    elif expiry is not None:
        left = float(expiry)
    elif until is not None:
        raise Refused("clock", "this gateway does not know the time yet; send it with a message expiry")
    else:
        raise Refused("no_expiry", "a command needs until, or a message expiry")
    if left <= 0:
        raise Refused("expired", "it is past its time")
    if left > FARTHEST:
        raise Refused("too_far_ahead", f"a command is valid for at most {FARTHEST} s")
    return left
