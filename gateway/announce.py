"""What every gateway tells a broker of itself: status with a last will, the birth document, live values."""

import asyncio

import orjson

from gateway import VERSION
from gateway.backoff import Backoff
from gateway.clock import wall_ms
from gateway.message import Topics
from gateway.mqtt import connect
from gateway.station import Station
from gateway.transport import Connect, Connection, Endpoint, Message, TransportError


def will_of(topics: Topics) -> Message:
    """Make what the broker says for us when we are gone without a word."""
    return Message(topics.of("status"), orjson.dumps({"state": "offline", "reason": "lwt"}), qos=1, retain=True)


def status_of(topics: Topics, here: Station, state: str, **more: str) -> Message:
    """Make the retained status."""
    document = {
        "state": state,
        "ts": wall_ms(),
        "boot": here.clock.boot_id,
        "version": VERSION,
        "stream": here.journal.stream,
        **more,
    }
    return Message(topics.of("status"), orjson.dumps(document), qos=1, retain=True)


def birth_of(topics: Topics, here: Station) -> list[Message]:
    """Make the retained messages of a new connection: who is here, and which meters."""
    info = Message(topics.of("info"), here.info().model_dump_json().encode(), qos=1, retain=True)
    return [status_of(topics, here, "online"), info]


class Announcer:
    """Keeps a connection to a broker that stores nothing for us; live values go out on it."""

    def __init__(self, endpoint: Endpoint, topics: Topics, here: Station, dial: Connect = connect) -> None:
        """`endpoint` should carry the will; `dial` opens the connection."""
        self.connection: Connection | None = None
        self._dial = dial
        self._endpoint, self._topics, self._here = endpoint, topics, here

    async def run(self) -> None:
        """Connect, announce, stay; ends only when cancelled."""
        backoff = Backoff(1.0, 60.0)
        while True:
            try:
                connection = await self._dial(self._endpoint)
                try:
                    for message in birth_of(self._topics, self._here):
                        await connection.publish(message)
                    backoff.reset()
                    self.connection = connection
                    await connection.closed()
                finally:
                    self.connection = None
                    await connection.close()
            except TransportError:
                await asyncio.sleep(backoff.next())
