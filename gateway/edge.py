"""The edge: a station of meters whose journal flows to a broker.

Told to stop, it stops polling, keeps the open window, says goodbye to the broker, and leaves within seconds; what the
store does not have yet is sent after the next start.
"""

import asyncio
import contextlib
from collections import ChainMap
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson

from gateway import control
from gateway.alerts.post import EventPoster
from gateway.announce import birth_of, status_of, will_of
from gateway.backoff import Backoff
from gateway.commands.desk import Desk
from gateway.commands.kept import Kept
from gateway.config.build import endpoint_of
from gateway.config.models import EdgeConfig
from gateway.discovery import Discovery
from gateway.identity.running import Identity
from gateway.lanes import LONGEST_WAIT, UNSTORED
from gateway.lending import Lending
from gateway.live import LivePoster
from gateway.message import Topics
from gateway.mqtt import connect
from gateway.program import run_until_signal
from gateway.progress import Pulse, counted
from gateway.reload import again_when
from gateway.settings import Desired
from gateway.station import PAUSE, Station, read_now, station
from gateway.teller import Teller
from gateway.transport import Endpoint, Message
from gateway.uplink import LAST_RECONNECT, Uplink

SESSION = 86400
"""Seconds a broker keeps our subscription while we are away, so that acknowledgements wait for us."""
HEALTH_EVERY = 60.0
FAULTS_EVERY = 5.0
HEALTH_EXPIRY = 300
FRESH_BOOT_MS = 5 * 60 * 1000
SPREAD = 30
"""After a power cut a whole town boots at once; each gateway waits its own share of this many seconds."""


async def run(config: EdgeConfig, reread: Callable[[], EdgeConfig] | None = None, *, file: Path | None = None) -> None:
    """Run the edge until a signal; `reread` reads its file anew, for a reload.

    With the path of that `file` a hub may send another configuration.
    """
    kept = Kept(file, config.journal.folder) if file else None
    config = kept.choose(config) if kept else config
    topics = Topics(config.gateway.tenant, config.gateway.id, config.mqtt.root)
    desired = Desired.open(config.journal.folder)
    poster = LivePoster(topics, config.mqtt.live_every)
    async with station(config, poster.post, settings=desired.now) as here:
        edge = Edge(config, topics, here, poster, desired)
        desk = edge.desk = Desk(config, here, edge.uplink, topics, edge.change, reread, kept)
        answers = edge.answers() | desk.answers()
        talks = Lending(here.buses).talks()
        async with control.listening(config.journal.folder / "edge.sock", answers, talks):
            await run_until_signal(edge.start, progress=here.progress, goodbye=edge.goodbye, reload=desk.reload)


class Edge:
    """The parts of one gateway of a fleet, opened; `start` runs them."""

    def __init__(self, config: EdgeConfig, topics: Topics, here: Station, poster: LivePoster, desired: Desired) -> None:
        """Wire the parts; nothing runs yet."""
        self._config, self._topics, self._here = config, topics, here
        self._poster, self._desired = poster, desired
        poster.pace(self._live_every)
        self.desk: Desk | None = None
        dials = Pulse()
        self._identity = Identity(
            user_of(config),
            config.mqtt,
            config.mqtt.identity or config.journal.folder.parent / "identity",
            lambda: here.clock.stamp(here.clock.boot_ms()),
            own=config.mqtt.identity is not None,
        )
        self.uplink = Uplink(
            here.journal,
            counted(self._identity.dial(connect), dials),
            _endpoint(config, topics),
            topics,
            lambda: [*birth_of(topics, here), *poster.newest(here.book)],
            ack_mode=config.mqtt.ack_mode,
            ack_timeout=config.mqtt.ack_timeout,
            handle=self._handle,
            backoff=Backoff(config.mqtt.spread, LAST_RECONNECT),
        )
        poster.uplink = self.uplink
        here.progress.watch("uplink", LONGEST_WAIT + PAUSE, partial(_moved, self.uplink, here, dials))
        self._events = EventPoster(topics, self.uplink)
        here.alerting.listeners.append(self._events.post)
        self._changed = asyncio.Event()

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Start every task of the edge."""
        here, uplink = self._here, self.uplink
        here.start(group)
        group.create_task(_uplink_when_spread(uplink, self._config, here), name="uplink")
        if self._config.mqtt.discovery:
            group.create_task(again_when(self._changed, lambda: self._finder().run()), name="discovery")
        group.create_task(self._identity.run(), name="identity")
        group.create_task(self._health(), name="health")
        group.create_task(self._events.run(), name="events")
        if self.desk is not None:
            group.create_task(self.desk.run(), name="commands")
        own = {"broker": lambda: uplink.error, "settings": lambda: self._desired.error}
        own |= self._identity.faults()
        group.create_task(Teller(ChainMap(own, here.faults())).run(), name="teller")

    async def goodbye(self) -> None:
        """Stop polling, keep the open window, take leave of the broker."""
        await self._here.drain()
        await self.uplink.stop(status_of(self._topics, self._here, "offline", reason="shutdown"))

    async def change(self, config: EdgeConfig) -> dict[str, int]:
        """Take over other buses, meters and rules, and tell the broker of them."""
        changed = await self._here.change(config)
        self._changed.set()
        if self.uplink.connection is not None:
            await self._here.tell(self.uplink.connection, self._topics)
        return changed

    def answers(self) -> dict[str, control.Answer]:
        """Name the questions that the control socket answers."""
        return {"status": self._status, "read": self._read, "drain": self._drain, "share": self._share}

    @property
    def _live_every(self) -> float:
        wished = self._desired.now.live_every_s
        return self._config.mqtt.live_every if wished is None else wished

    async def _handle(self, kind: str, message: Message) -> Message | None:
        """Take settings over, in one step; answer what else is asked."""
        if kind != "settings":
            if self.desk is not None:
                self.desk.take(kind.removeprefix("cmd/"), message)
        elif self._desired.take(message.payload):
            self._here.settle(self._desired.now)
            self._poster.pace(self._live_every)
            self._changed.set()
            await self._desired.keep(message.payload)
        return None

    def _finder(self) -> Discovery:
        config = self._config
        user = f"{config.gateway.tenant}/{config.gateway.id}"
        endpoint = endpoint_of(config.mqtt, f"{config.gateway.id}-discovery", user=user)
        prefix = config.mqtt.discovery_prefix
        return Discovery(connect, endpoint, self._topics, self._here.info, prefix, self._live_every)

    def _say(self) -> dict[str, Any]:
        mine = {
            "uplink": self.uplink.status(),
            "certificate": self._identity.status(),
            "settings": self._desired.status(),
        }
        return self._here.status() | mine | (self.desk.status() if self.desk else {})

    async def _health(self) -> None:
        while True:
            await self._until_news()
            if self.uplink.connection is not None:
                payload = orjson.dumps(self._say(), default=str)
                self.uplink.connection.post(
                    Message(self._topics.of("health"), payload, retain=True, expiry=HEALTH_EXPIRY)
                )

    async def _until_news(self) -> None:
        """Return after HEALTH_EVERY, or a few seconds after a fault came or went, or settings were judged."""
        told = self._news()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEALTH_EVERY):
                while self._news() == told:
                    await asyncio.sleep(FAULTS_EVERY)

    def _news(self) -> tuple[object, ...]:
        settings = self._desired.now.rev, self._desired.refused.total()
        return bool(self._here.journal.fault), settings, self.desk and self.desk.news

    async def _share(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        await self._here.journal.share()
        return {"done": True}

    async def _drain(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        await self._here.drain()
        return {"done": True}

    async def _status(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._say()

    async def _read(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        return await read_now(self._here, str(question.get("meter", "")))


def _moved(uplink: Uplink, here: Station, dials: Pulse) -> Hashable | None:
    """Mark the uplink's progress; None while all is sent, the store owes too many answers, or the broker refuses."""
    awaiting = uplink.lanes.awaiting
    idle = len(here.journal.pending()) <= awaiting or awaiting >= UNSTORED
    if uplink.connection is not None and (idle or uplink.error):
        return None
    counters = uplink.counters
    return dials.turns, counters.connects, counters.published, counters.refused, uplink.lanes.missing_acks


async def _uplink_when_spread(uplink: Uplink, config: EdgeConfig, here: Station) -> None:
    local = any(host in config.mqtt.url for host in ("//127.", "//localhost", "//[::1]"))
    if here.clock.boot_ms() < FRESH_BOOT_MS and not local:
        await asyncio.sleep(crc32(config.gateway.id.encode()) % SPREAD)
    await uplink.run()


def user_of(config: EdgeConfig) -> str:
    """Name the gateway as brokers know it."""
    return f"{config.gateway.tenant}/{config.gateway.id}"


def _endpoint(config: EdgeConfig, topics: Topics) -> Endpoint:
    return endpoint_of(
        config.mqtt, config.gateway.id, user=user_of(config), session_expiry=SESSION, will=will_of(topics)
    )
