"""What has arrived on an MQTT connection and nobody has taken yet: in order and bounded."""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

from gateway.transport import Arrived, Message


class Inbox:
    """Holds arrivals; `missed` counts QoS 0 messages that were pushed out by newer ones.

    QoS 1 is bounded by our Receive Maximum, which a broker obeys: what lacks its PUBACK is at most so much. As many
    messages of QoS 0 are kept beside it.
    """

    def __init__(self, receive_maximum: int, send_ack: Callable[[int], None]) -> None:
        self.missed = 0
        self._receive_maximum = receive_maximum
        self._send_ack = send_ack
        self._waiting: deque[Arrived] = deque()
        self._unacked: set[int] = set()
        self._quick = 0
        self._more = asyncio.Event()
        self._shut = False

    def put(self, message: Message, mid: int) -> bool:
        """Take an arrival; False when the broker exceeds our Receive Maximum beyond all excuse."""
        if message.qos == 0:
            self._put_quick(message)
        # Mosquitto before 2.0.18 sends the members of a shared subscription somewhat more than their Receive Maximum.
        elif len(self._unacked) < 2 * self._receive_maximum:
            self._unacked.add(mid)
            self._waiting.append(Arrived(message, partial(self._ack, mid)))
        else:
            return False
        self._more.set()
        return True

    async def take(self) -> Arrived | None:
        """Wait for the next arrival; None when the inbox is shut and empty."""
        while not self._waiting:
            if self._shut:
                return None
            self._more.clear()
            await self._more.wait()
        arrived = self._waiting.popleft()
        self._quick -= arrived.message.qos == 0
        return arrived

    def shut(self) -> None:
        """Nothing more will come; what is here can still be taken."""
        self._shut = True
        self._more.set()

    def _put_quick(self, message: Message) -> None:
        if self._quick >= self._receive_maximum:
            oldest = next(at for at, arrived in enumerate(self._waiting) if arrived.message.qos == 0)
            del self._waiting[oldest]
            self._quick -= 1
            self.missed += 1
        self._quick += 1
        self._waiting.append(Arrived(message, _nothing))

    def _ack(self, mid: int) -> None:
        if mid in self._unacked:
            self._unacked.remove(mid)
            self._send_ack(mid)


def _nothing() -> None:
    """A QoS 0 message has no PUBACK."""
