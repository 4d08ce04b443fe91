"""The edge: a station of meters whose journal flows to a broker.

Told to stop, it stops polling, keeps the open window, says goodbye to the broker, and leaves within seconds; what the
store does not have yet is sent after the next start.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any
from zlib import crc32

import orjson

from gateway import control
from gateway.alerts.post import EventPoster
from gateway.announce import birth_of, status_of, will_of
from gateway.clock import wall_ms
from gateway.config.build import endpoint_of
from gateway.config.models import EdgeConfig
from gateway.discovery import Discovery
from gateway.live import LivePoster
from gateway.message import Topics
from gateway.mqtt import connect
from gateway.program import run_until_signal
from gateway.replay import replay
from gateway.station import Station, read_now, station
from gateway.teller import Teller
from gateway.transport import Endpoint, Message
from gateway.uplink import Uplink

SESSION = 86400
"""Seconds a broker keeps our subscription while we are away, so that acknowledgements wait for us."""
HEALTH_EVERY = 60.0
FAULTS_EVERY = 5.0
HEALTH_EXPIRY = 300
FRESH_BOOT_MS = 5 * 60 * 1000
SPREAD = 30
"""After a power cut a whole town boots at once; each gateway waits its own share of this many seconds."""


async def run(config: EdgeConfig) -> None:
    """Run the edge until a signal."""
    topics = Topics(config.gateway.tenant, config.gateway.id, config.mqtt.root)
    poster = LivePoster(topics, config.mqtt.live_every)
    async with station(config, poster.post) as here:
        commands = Commands(topics, here)
        uplink = Uplink(
            here.journal,
            connect,
            _endpoint(config, topics),
            topics,
            lambda: [*birth_of(topics, here), *poster.newest(here.book)],
            ack_mode=config.mqtt.ack_mode,
            ack_timeout=config.mqtt.ack_timeout,
            handle=commands.handle,
        )
        poster.uplink = commands.uplink = uplink
        events = EventPoster(topics, uplink)
        here.alerting.listeners.append(events.post)
        polling: list[asyncio.Task[None]] = []

        async def start(group: asyncio.TaskGroup) -> None:
            polling.extend(here.start(group))
            group.create_task(_uplink_when_spread(uplink, config, here), name="uplink")
            if config.mqtt.discovery:
                group.create_task(_discovery(config, topics, here).run(), name="discovery")
            group.create_task(_health(topics, here, uplink), name="health")
            group.create_task(events.run(), name="events")
            group.create_task(Teller(here.faults() | {"broker": lambda: uplink.error}).run(), name="teller")

        async def goodbye() -> None:
            await here.drain(polling)
            await uplink.stop(status_of(topics, here, "offline", reason="shutdown"))

        async def drain(_: Mapping[str, Any]) -> Mapping[str, Any]:
            await here.drain(polling)
            return {"done": True}

        async def status(_: Mapping[str, Any]) -> Mapping[str, Any]:
            return here.status() | {"uplink": uplink.status()}

        async def read(question: Mapping[str, Any]) -> Mapping[str, Any]:
            return await read_now(here, str(question.get("meter", "")))

        answers = {"status": status, "read": read, "drain": drain}
        async with control.listening(config.journal.folder / "edge.sock", answers):
            await run_until_signal(start, goodbye=goodbye)


class Commands:
    """What a hub may ask of a gateway; every answer goes to `reply` with the question's correlation data."""

    def __init__(self, topics: Topics, here: Station) -> None:
        """Serve the meters of one station."""
        self._topics, self._here = topics, here
        self.uplink: Uplink | None = None

    async def handle(self, kind: str, message: Message) -> Message | None:
        """Answer `cmd/ping`, `cmd/read_now` and `cmd/replay`; anything else is not ours."""
        if kind == "cmd/ping":
            return self._reply(message, {"pong": wall_ms()})
        if kind == "cmd/read_now":
            try:
                meter = str(orjson.loads(message.payload)["meter"])
            except (orjson.JSONDecodeError, KeyError, TypeError):
                return self._reply(message, {"error": 'the payload is not {"meter": ID}'})
            return self._reply(message, await read_now(self._here, meter))
        if kind == "cmd/replay" and self.uplink is not None:
            return self._reply(message, await replay(self._here.journal, self.uplink, message.payload))
        return None

    def _reply(self, message: Message, answer: Mapping[str, Any]) -> Message:
        return Message(
            self._topics.of("reply"), orjson.dumps(answer, default=str), qos=1, correlation=message.correlation
        )


async def _uplink_when_spread(uplink: Uplink, config: EdgeConfig, here: Station) -> None:
    local = any(host in config.mqtt.url for host in ("//127.", "//localhost", "//[::1]"))
    if here.clock.boot_ms() < FRESH_BOOT_MS and not local:
        await asyncio.sleep(crc32(config.gateway.id.encode()) % SPREAD)
    await uplink.run()


async def _health(topics: Topics, here: Station, uplink: Uplink) -> None:
    while True:
        await _until_news(here)
        if uplink.connection is not None:
            payload = orjson.dumps(here.status() | {"uplink": uplink.status()}, default=str)
            uplink.connection.post(Message(topics.of("health"), payload, retain=True, expiry=HEALTH_EXPIRY))


async def _until_news(here: Station) -> None:
    """Return after HEALTH_EVERY, or a few seconds after something went wrong with the journal or well again."""
    fault = here.journal.stats().fault
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HEALTH_EVERY):
            while bool(here.journal.stats().fault) == bool(fault):
                await asyncio.sleep(FAULTS_EVERY)


def _discovery(config: EdgeConfig, topics: Topics, here: Station) -> Discovery:
    user = f"{config.gateway.tenant}/{config.gateway.id}"
    endpoint = endpoint_of(config.mqtt, f"{config.gateway.id}-discovery", user=user)
    return Discovery(connect, endpoint, topics, here.info, config.mqtt.discovery_prefix, config.mqtt.live_every)


def _endpoint(config: EdgeConfig, topics: Topics) -> Endpoint:
    user = f"{config.gateway.tenant}/{config.gateway.id}"
    return endpoint_of(config.mqtt, config.gateway.id, user=user, session_expiry=SESSION, will=will_of(topics))
