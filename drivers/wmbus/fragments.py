"""Messages that a meter sends in several frames: their parts in, one frame with the whole message out.

1. The authentication layer of each frame (CI 90) has the number of the part and says whether more follow. Parts count
   from one; some senders may from zero, which without more to follow is a message in one frame.
2. Parts of a sender are kept until the last; a part that is missing, late, or too many gives up all before it.
3. What was said of the message in any of its parts (counter, signature, length) is put before it once, as if it had
   come in one frame. So the signature is proved, and the records deciphered, as ever.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

from drivers.contract import DecodeError
from drivers.wmbus.authentication import AUTHENTICATION, Authentication, join, take_authentication
from drivers.wmbus.link import RadioFrame
from drivers.wmbus.radio import is_radio, take_radio

MAX_PARTS = 16
"""Parts of one message: 4 KB, several times what the longest load profile of a battery meter takes."""
MAX_SENDERS = 16
"""Senders with a message under way: parts follow within seconds, and few meters send in parts."""
LATE = 10_000
"""Milliseconds after which a part belongs to another message."""


@dataclass(slots=True)
class _Message:
    """What came so far; `head` is the radio layer of the first part, `first` that part's number."""

    head: bytes
    at: int
    first: int
    layers: list[Authentication] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)

    @property
    def next(self) -> int:
        """The number of the part that must come now."""
        return self.first + len(self.parts)


class Fragments:
    """Puts messages together; `counters` are the parts left out, by reason."""

    def __init__(self, counters: Counter[str]) -> None:
        self.counters = counters
        # By maker and address as on air; the order is that of beginning.
        self._under_way: dict[bytes, _Message] = {}

    def add(self, frame: RadioFrame, at: int = 0) -> RadioFrame | None:
        """Take a frame heard at a moment in ms; give it, or the whole message, or None while more must follow."""
        taken = _take(frame)
        if taken is None:
            return frame
        head, layer, part = taken
        message = self._under_way.get(frame.address)
        if message is not None and layer.part == message.next - 1 and part == message.parts[-1]:
            return None  # the same once more, by a repeater
        if layer.part == 0 or (layer.part == 1 and (message is None or message.next != 1)):
            message = self._begin(frame.address, _Message(head, at, layer.part))
        if message is None or layer.part != message.next or at - message.at > LATE:
            self._give_up(frame.address, 1)
            return None
        message.at = at
        message.layers.append(layer)
        message.parts.append(part)
        if layer.more and len(message.parts) < MAX_PARTS:
            return None
        if layer.more:
            self._give_up(frame.address, 0)
            return None
        del self._under_way[frame.address]
        return replace(frame, payload=message.head + join(message.layers) + b"".join(message.parts))

    def _begin(self, address: bytes, message: _Message) -> _Message:
        self._give_up(address, 0)
        self._under_way[address] = message
        if len(self._under_way) > MAX_SENDERS:
            self._give_up(next(iter(self._under_way)), 0)
        return message

    def _give_up(self, address: bytes, more: int) -> None:
        message = self._under_way.pop(address, None)
        lost = more + (len(message.parts) if message else 0)
        if lost:
            self.counters["part_of_message"] += lost


def _take(frame: RadioFrame) -> tuple[bytes, Authentication, bytes] | None:
    """Give radio layer, authentication layer and the rest of a part; None for a frame that is none."""
    payload, at = frame.payload, 0
    try:
        if is_radio(payload[0]):
            # One that ciphers itself is left as it is: only whoever has the key can tell.
            radio = take_radio(payload, frame.address, None)
            payload, at = radio.clear, radio.length
        if payload[at : at + 1] != bytes((AUTHENTICATION,)):
            return None
        layer = take_authentication(payload[at:])
    except DecodeError:
        return None
    return (payload[:at], layer, payload[at + layer.length :]) if layer.is_part else None
