"""One house in one process: a station of meters whose journal feeds the store directly, the pages, and the notifier.

1. Readings wait in the journal and go to the store in larger pieces (`feeder.py`); an alert goes to the hub database at
   once, for whoever must be told is told from there.
2. MQTT is optional: a broker of the owner's gets live values, status, alerts and the birth document, for home
   automation (`announce.py`).
"""

import asyncio
import contextlib
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gateway import control
from gateway.alerts.event import AlertEvent
from gateway.alerts.post import EventPoster
from gateway.alerts.settings import MeterSettings
from gateway.check import Limits
from gateway.check.daily import Days
from gateway.check.ledger import Ledger
from gateway.clock import wall_ms
from gateway.config.build import endpoint_of, meter_id
from gateway.config.customers import HomeConfig
from gateway.desk import Desk
from gateway.feeder import SLOWEST, Feeder
from gateway.hubdb import HubDatabase
from gateway.lending import Lending
from gateway.live import LiveMeter, LivePoster
from gateway.message import Topics
from gateway.moves import Moves
from gateway.pricing import Pricing
from gateway.program import run_until_signal
from gateway.reload import Reloader, again_when, judge_by
from gateway.reset.wanted import offered
from gateway.retention import Retention
from gateway.settings import about
from gateway.settings_out import SettingsBook, settle
from gateway.show import tell_link
from gateway.station import FEED_EVERY, PAUSE, Station, read_now, station
from gateway.store import open_store
from gateway.store.contract import Store
from gateway.teller import Teller
from gateway.telling import Telling
from gateway.today import Today
from gateway.troubles import Trouble, has_network, troubles
from gateway.watch import Watch, learn_anew
from gateway.web.alertbook import AlertBook
from gateway.web.crowd import HOUSE
from gateway.web.doorkeeper import Doorkeeper
from gateway.web.screen import Sources
from gateway.web.serve import Served, serve
from gateway.welcomes import Welcomes

if TYPE_CHECKING:
    from gateway.announce import Announcer
    from gateway.outlook import Outlooks


async def run(config: HomeConfig, reread: Callable[[], HomeConfig] | None = None) -> None:
    """Run the house until a signal; `reread` reads its file anew, for a reload."""
    topics = Topics(config.gateway.tenant, config.gateway.id, config.mqtt.root if config.mqtt else "nabd")
    poster = LivePoster(topics, config.mqtt.live_every) if config.mqtt else None
    store, database = open_store(config.store), HubDatabase(config.hub.database)
    await store.open()
    await database.open()
    try:
        async with station(config, poster.post if poster else None) as here:
            telling = await Telling.open(
                database.file, config.channel, config.gateway, here.progress, tenant=config.gateway.tenant
            )
            house = House(config, topics, here, store, database, telling, poster)
            reloader = Reloader(config, reread, house.change)
            answers, talks = house.answers() | {"reload": reloader.answer}, Lending(here.buses).talks()
            async with control.listening(config.journal.folder / "edge.sock", answers, talks):
                await run_until_signal(house.start, progress=here.progress, goodbye=house.goodbye, reload=reloader.run)
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
        telling: Telling,
        poster: LivePoster | None,
    ) -> None:
        """Wire the parts; nothing runs yet."""
        self._config, self._topics, self._here, self._store = config, topics, here, store
        self._database, self._telling, self._poster = database, telling, poster
        self._feeder = Feeder(here.journal, store, topics, database, keep_raw=config.store.keep_raw)
        self._alerts = AlertBook(wall_ms)
        calendar = config.alerts.calendar.of(config.gateway.zone)
        self._pricing = Pricing(config.tariff, wall_ms)
        self._watch = Watch(
            database.file, config.alerts, calendar, self._about, self._pricing.plan, [self._alerts.take]
        )
        self._welcomes = Welcomes(database, self._greeted, config.gateway.tenant)
        self._welcomes.listeners.append(self._alerts.take)
        self._telling.costs = self._watch.costs()
        self._pages: list[Served] = []
        self._own_faults: dict[str, Callable[[], str]] = {}
        self._faults = ChainMap(self._own_faults, here.faults())
        zone = ZoneInfo(config.gateway.zone)
        self._desk = Desk(
            telling,
            database.file,
            zone,
            wall_ms,
            faults=self._faults,
            moves=Moves(database.file, zone, [learn_anew]),
            forgetting=offered(config.gateway.id),
        )
        self._doors = Doorkeeper(lambda: next(iter(self._pages), None), self._desk, config.gateway.tenant)
        self._announcer: Announcer | None = None
        self._outlooks: Outlooks | None = None
        self._changed = asyncio.Event()
        here.progress.watch("feeder", FEED_EVERY + PAUSE + SLOWEST, self._fed)
        here.alerting.listeners.append(self._hear)

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Start every task of the house."""
        here, config = self._here, self._config
        await self._desk.open()
        self._alerts.restore(await self._telling.outbox.alerts(config.gateway.tenant, only_open=True))
        await self._welcomes.open()  # before its meters are enrolled: those of a new house are new
        await self._database.enrol(config.gateway.tenant, config.gateway.id, here.info().meters)
        here.start(group)
        group.create_task(self._welcomes.run(), name="welcomes")
        group.create_task(self._feeder.run(), name="feeder")
        days = self._days()
        group.create_task(days.run(), name="days")
        retention = Retention(self._store, self._config.store.raw, wall_ms, lambda: here.clock.state)
        group.create_task(retention.run(), name="retention")
        book = SettingsBook(self._database.file, ZoneInfo(config.gateway.zone), wall_ms)
        group.create_task(settle(book, config.gateway.id, here.settle), name="settings")
        self._own_faults |= {
            "store": lambda: self._feeder.error,
            "daily checks": lambda: days.error,
            "retention": lambda: retention.error,
            "tariffs": self._pricing.fault,
            "digests": self._telling.fault,
        }
        group.create_task(Teller(self._faults).run(), name="teller")
        if self._poster is not None:
            self._announce(group, self._poster)
        await self._serve(group)
        self._telling.start(group, self._pages[0].address)
        tell_link(self._pages[0].link())

    async def goodbye(self) -> None:
        """Stop polling and bring what was read into the store, as far as three seconds reach."""
        await self._here.drain()
        with contextlib.suppress(TimeoutError):  # the journal keeps what the store does not take now
            async with asyncio.timeout(3):
                await self._feeder.feed()

    async def change(self, config: HomeConfig) -> dict[str, int]:
        """Take over other buses, meters, rules, channels and tariffs."""
        telling = await self._telling.change(config.channel, config.gateway)
        changed = await self._here.change(config) | self._pricing.change(config.tariff)
        await judge_by(config.alerts, config.gateway.zone, self._watch, self._outlooks, self._telling)
        await self._database.enrol(config.gateway.tenant, config.gateway.id, self._here.info().meters)
        self._changed.set()
        if self._announcer is not None and self._announcer.connection is not None:
            await self._here.tell(self._announcer.connection, self._topics)
        return changed | telling

    def answers(self) -> dict[str, control.Answer]:
        """Name the questions that the control socket answers."""
        return {"status": self._status, "read": self._read, "share": self._share} | self._doors.answers()

    async def _share(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        await self._here.journal.share()
        return {"done": True}

    def _fed(self) -> int | None:
        """Mark the feeder's progress; None while the stores have all they can take, or refuse."""
        waits = len(self._here.journal.pending()) > len(self._feeder.unreadable)
        return self._here.journal.stats().stored if waits and not self._feeder.error else None

    def _troubles(self) -> Sequence[Trouble]:
        """Say on the page what is waited for."""
        buses = {name.removeprefix("bus "): fault() for name, fault in self._here.buses.faults.items()}
        broker = self._announcer is None or self._announcer.connection is not None
        return troubles(network=has_network(), clock=self._here.clock.state, buses=buses, broker=broker)

    def _days(self) -> Days:
        gateway = self._config.gateway
        ledger, zone = Ledger(self._database.file), ZoneInfo(gateway.zone)
        own = {gateway.tenant}
        return Days(self._database, self._store, ledger, lambda: own, zone, wall_ms, self._limits, self._watch.hear)

    def _greeted(self) -> Sequence[LiveMeter]:
        """Give the meters that are greeted while they are new."""
        return self._here.book.meters() if self._here.config.alerts.welcome.enabled else ()

    def _about(self, _tenant: str, meter: str) -> MeterSettings:
        row = next((row for row in self._here.config.meter if meter_id(self._here.config, row) == meter), None)
        return about(self._here.settings, meter, row) if row is not None else self._here.settings.of(meter)

    def _limits(self, _tenant: str, meter: str) -> Limits:
        known = self._here.intake.meters.get(meter)
        return known.limits if known is not None else Limits()

    def _hear(self, event: AlertEvent) -> None:
        self._alerts.take(self._config.gateway.tenant, event)
        self._feeder.wake()

    def _announce(self, group: asyncio.TaskGroup, poster: LivePoster) -> None:
        from gateway.announce import Announcer, will_of  # noqa: PLC0415  no MQTT where no broker is
        from gateway.discovery import Discovery  # noqa: PLC0415
        from gateway.identity.running import Identity  # noqa: PLC0415
        from gateway.mqtt import connect  # noqa: PLC0415

        mqtt, gateway = self._config.mqtt, self._config.gateway
        if mqtt is None:
            return
        me, clock = gateway.id, self._here.clock
        folder = mqtt.identity or self._config.journal.folder.parent / "identity"
        name, own = f"{gateway.tenant}/{me}", mqtt.identity is not None
        identity = Identity(name, mqtt, folder, lambda: clock.stamp(clock.boot_ms()), own=own)
        endpoint = endpoint_of(mqtt, me, will=will_of(self._topics))
        announcer = Announcer(endpoint, self._topics, self._here, identity.dial(connect))
        poster.uplink = self._announcer = announcer
        group.create_task(identity.run(), name="identity")
        group.create_task(Teller(identity.faults()).run(), name="identity teller")
        group.create_task(announcer.run(), name="announcer")
        events = EventPoster(self._topics, announcer)
        self._here.alerting.listeners.append(events.post)
        group.create_task(events.run(), name="events")
        if mqtt.discovery:
            where = endpoint_of(mqtt, f"{me}-discovery")
            finder = Discovery(connect, where, self._topics, self._here.info, mqtt.discovery_prefix, mqtt.live_every)
            group.create_task(again_when(self._changed, finder.run), name="discovery")

    async def _serve(self, group: asyncio.TaskGroup) -> None:
        gateway = self._config.gateway
        today = Today(self._here.book, self._store, gateway.zone, wall_ms, gateway.tenant)
        group.create_task(today.run(), name="today")
        outlooks = self._outlooks = self._watch.outlooks(self._here.book, today.day, gateway.tenant)
        group.create_task(outlooks.run(), name="outlooks")
        sources = Sources(
            self._here.book,
            wall_ms,
            today,
            self._alerts,
            gateway.zone,
            self._troubles,
            money=outlooks.of,
            price=outlooks.price,
        )
        sessions = self._config.hub.database.with_name("sessions.json")
        served = await serve(
            group,
            self._config.web,
            sources,
            sessions,
            language=gateway.language,
            answers=self._telling,
            link_key=self._telling.key,
            desk=self._desk,
            crowd=HOUSE,
        )
        self._pages.append(served)

    async def _status(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._here.status() | {
            "stored": self._feeder.stored,
            "store_error": self._feeder.error,
            "unreadable_blocks": self._feeder.unreadable,
            "messages": await self._telling.status(),
            "pages": [page.address for page in self._pages],
        }

    async def _read(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        return await read_now(self._here, str(question.get("meter", "")))
