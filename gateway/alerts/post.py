"""Events on the topic `event`, as CloudEvents for third parties: sent once, awaited by nobody.

The authority is the block an event stands in; what finds no broker here is not sent again.
"""

import asyncio
import contextlib

import orjson

from gateway.alerts.event import AlertEvent, cloud_event
from gateway.live import HasConnection
from gateway.message import Topics
from gateway.transport import Message, TransportError

WAITING = 256
"""Events kept while the broker is slow; a gateway raises a handful a day, a power cut a hundred at once."""
CONTENT_TYPE = "application/cloudevents+json"


class EventPoster:
    """Publishes each event at QoS 1 while there is a connection."""

    def __init__(self, topics: Topics, uplink: HasConnection) -> None:
        self._topics, self._uplink = topics, uplink
        self._queue: asyncio.Queue[AlertEvent] = asyncio.Queue(WAITING)

    def post(self, event: AlertEvent) -> None:
        """Queue an event; beyond WAITING it is left out."""
        with contextlib.suppress(asyncio.QueueFull):
            self._queue.put_nowait(event)

    async def run(self) -> None:
        """Publish what is queued, for ever."""
        while True:
            event = await self._queue.get()
            if self._uplink.connection is not None:
                with contextlib.suppress(TransportError):
                    await self._uplink.connection.publish(self._message(event))

    def _message(self, event: AlertEvent) -> Message:
        document = cloud_event(event, self._topics.tenant, self._topics.gw)
        return Message(self._topics.of("event"), orjson.dumps(document), qos=1, content_type=CONTENT_TYPE)
