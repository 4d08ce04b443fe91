"""One house in one process: a station of meters whose journal feeds the store directly, the pages, and the notifier.

1. Readings wait in the journal and go to the store in larger pieces (`feeder.py`); an alert goes to the hub database at
   once, for whoever must be told is told from there.
2. MQTT is optional: a broker of the owner's gets live values, status, alerts and the birth document, for home
   automation (`announce.py`).
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from gateway import control
from gateway.alerts.event import AlertEvent
from gateway.alerts.post import EventPoster
from gateway.clock import wall_ms
from gateway.config.build import endpoint_of
from gateway.config.models import HomeConfig
from gateway.feeder import Feeder
from gateway.hubdb import HubDatabase
from gateway.live import LivePoster
from gateway.message import Topics
from gateway.notify.build import Notices, open_notices
from gateway.program import run_until_signal
from gateway.show import tell_link
from gateway.station import Station, read_now, station
from gateway.store import open_store
from gateway.store.contract import Store
from gateway.teller import Teller
from gateway.today import Today
from gateway.web.alertbook import AlertBook
from gateway.web.screen import Sources
from gateway.web.serve import Served, serve


async def run(config: HomeConfig) -> None:
    """Run the house until a signal."""
    topics = Topics(config.gateway.tenant, config.gateway.id, config.mqtt.root if config.mqtt else "nabd")
    poster = LivePoster(topics, config.mqtt.live_every) if config.mqtt else None
    store, database = open_store(config.store), HubDatabase(config.hub.database)
    await store.open()
    await database.open()
    try:
        notices = await open_notices(database.file, config.channel, config.gateway, config.gateway.tenant)
        async with station(config, poster.post if poster else None) as here:
            house = House(config, topics, here, store, database, notices, poster)
            async with control.listening(config.journal.folder / "edge.sock", house.answers()):
                await run_until_signal(house.start, goodbye=house.goodbye)
    finally:
        await database.close()
        await store.close()


class House:
    """The parts of one house, opened; `start` runs them."""

    def __init__(
        self,
        config: HomeConfig,
        topics: Topics,
        here: Station,
        store: Store,
        database: HubDatabase,
        notices: Notices,
        poster: LivePoster | None,
    ) -> None:
        """Wire the parts; nothing runs yet."""
        self._config, self._topics, self._here, self._store = config, topics, here, store
        self._database, self._notices, self._poster = database, notices, poster
        self._feeder = Feeder(here.journal, store, topics, database, keep_raw=config.store.keep_raw)
        self._alerts = AlertBook(wall_ms)
        self._pages: list[Served] = []
        self._polling: list[asyncio.Task[None]] = []
        here.alerting.listeners.append(self._hear)

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Start every task of the house."""
        here, config = self._here, self._config
        self._alerts.restore(await self._notices.outbox.alerts(config.gateway.tenant, only_open=True))
        await self._database.enrol(config.gateway.tenant, config.gateway.id, here.info().meters)
        self._polling.extend(here.start(group))
        group.create_task(self._feeder.run(), name="feeder")
        faults = here.faults() | {"store": lambda: self._feeder.error}
        group.create_task(Teller(faults).run(), name="teller")
        if self._poster is not None:
            self._announce(group, self._poster)
        await self._serve(group)
        group.create_task(self._notices.notifier(self._pages[0].address).run(), name="notifier")
        tell_link(self._pages[0].link())

    async def goodbye(self) -> None:
        """Stop polling and bring what was read into the store, as far as three seconds reach."""
        await self._here.drain(self._polling)
        with contextlib.suppress(TimeoutError):  # the journal keeps what the store does not take now
            async with asyncio.timeout(3):
                await self._feeder.feed()

    def answers(self) -> dict[str, control.Answer]:
        """Name the questions that the control socket answers."""
        return {"status": self._status, "read": self._read, "link": self._link}

    def _hear(self, event: AlertEvent) -> None:
        self._alerts.take(self._config.gateway.tenant, event)
        self._feeder.wake()

    def _announce(self, group: asyncio.TaskGroup, poster: LivePoster) -> None:
        from gateway.announce import Announcer, will_of  # noqa: PLC0415  no MQTT where no broker is
        from gateway.discovery import Discovery  # noqa: PLC0415
        from gateway.mqtt import connect  # noqa: PLC0415

        mqtt, me = self._config.mqtt, self._config.gateway.id
        if mqtt is None:
            return
        announcer = Announcer(endpoint_of(mqtt, me, will=will_of(self._topics)), self._topics, self._here)
        poster.uplink = announcer
        group.create_task(announcer.run(), name="announcer")
        events = EventPoster(self._topics, announcer)
        self._here.alerting.listeners.append(events.post)
        group.create_task(events.run(), name="events")
        if mqtt.discovery:
            where = endpoint_of(mqtt, f"{me}-discovery")
            finder = Discovery(connect, where, self._topics, self._here.info, mqtt.discovery_prefix, mqtt.live_every)
            group.create_task(finder.run(), name="discovery")

    async def _serve(self, group: asyncio.TaskGroup) -> None:
        gateway = self._config.gateway
        today = Today(self._here.book, self._store, gateway.zone, wall_ms, gateway.tenant)
        group.create_task(today.run(), name="today")
        sources = Sources(self._here.book, wall_ms, today, self._alerts, gateway.zone)
        sessions = self._config.hub.database.with_name("sessions.json")
        served = await serve(
            group,
            self._config.web,
            sources,
            sessions,
            language=gateway.language,
            answers=self._notices.outbox,
            link_key=self._notices.key,
        )
        self._pages.append(served)

    async def _status(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._here.status() | {
            "stored": self._feeder.stored,
            "store_error": self._feeder.error,
            "unreadable_blocks": self._feeder.unreadable,
            "messages": await self._notices.outbox.counts(),
            "pages": [page.address for page in self._pages],
        }

    async def _link(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"link": self._pages[0].link()} if self._pages else {"error": "the pages are not served yet"}

    async def _read(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        return await read_now(self._here, str(question.get("meter", "")))
