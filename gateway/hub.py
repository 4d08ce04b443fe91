"""The hub: collector, store, hub database and pages, wired together."""

import asyncio
import contextlib
import gc
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from gateway import control
from gateway.backoff import Backoff
from gateway.check.daily import Days
from gateway.check.ledger import Ledger
from gateway.clock import wall_ms
from gateway.collector import Collector
from gateway.config.alerts import AlertsTable
from gateway.config.build import endpoint_of
from gateway.config.customers import HubConfig
from gateway.desk import Desk
from gateway.gatewatch import EVERY, GateWatch, rules_of_gateways
from gateway.hubdb import HubDatabase
from gateway.identity.running import Identity
from gateway.live import LiveBook
from gateway.moves import Moves
from gateway.mqtt import connect
from gateway.outlook import Outlooks
from gateway.pricing import Pricing
from gateway.program import run_until_signal
from gateway.progress import Progress, Pulse, counted
from gateway.reload import Reloader, again_when, judge_by
from gateway.retention import Retention
from gateway.settings import Known
from gateway.settings_out import SettingsBook, SettingsOut, heard
from gateway.show import tell_link
from gateway.store import open_store
from gateway.store.contract import Store, StoreError
from gateway.teller import Teller
from gateway.telling import Telling
from gateway.today import Today
from gateway.transport import Connect, Endpoint, TransportError
from gateway.watch import Watch, learn_anew
from gateway.web.alertbook import AlertBook
from gateway.web.crowd import HUB
from gateway.web.doorkeeper import Doorkeeper
from gateway.web.screen import Sources
from gateway.web.serve import Served, serve
from gateway.welcomes import Welcomes

DEFAULT_TENANT = "home"
"""Whose alerts are shown after a restart even where no channel tells of them."""
CONNECTS_WITHIN = 180.0
"""Seconds within which a collector without a broker tries again: a minute's pause, and the try itself."""
DISK = 120.0
"""Seconds a disk may take for one answer."""
PROBE_EVERY = 15.0


async def run(config: HubConfig, reread: Callable[[], HubConfig] | None = None) -> None:
    """Run the hub until a signal; `reread` reads its file anew, for a reload."""
    progress = Progress(asyncio.get_running_loop().time)
    store = open_store(config.store)
    database = HubDatabase(config.hub.database)
    await store.open()
    await database.open()
    try:
        telling = await Telling.open(database.file, config.channel, config.hub, progress)
        hub = Hub(config, store, database, telling, progress)
        await hub.open()
        reloader = Reloader(config, reread, hub.change)
        answers = {"status": hub.status, "reload": reloader.answer} | hub.doors().answers()
        async with control.listening(config.hub.database.parent / "hub.sock", answers):
            await run_until_signal(hub.start, progress=progress, reload=reloader.run)
    finally:
        await database.close()
        await store.close()


class Hub:
    """The parts of a hub, with its store and database open; `open` restores them, `start` runs them."""

    def __init__(
        self, config: HubConfig, store: Store, database: HubDatabase, telling: Telling, progress: Progress
    ) -> None:
        """Wire the parts; nothing runs yet."""
        self._progress = progress
        self._config, self._store, self._database, self._telling = config, store, database, telling
        zone, mqtt = ZoneInfo(config.hub.zone), config.mqtt
        self._identity = Identity(
            mqtt.username or "hub",
            mqtt,
            mqtt.identity or config.hub.database.parent / "hub-identity",
            wall_ms,
            own=mqtt.identity is not None,
        )
        self._dial, self._dials = self._identity.dial(connect), Pulse()
        dial = counted(self._identity.dial(connect), self._dials)
        self._collector = Collector(dial, self._endpoint("collector"), store, database, root=mqtt.root)
        self._book, self._alerts, self._known = LiveBook(), AlertBook(wall_ms), Known()
        self._tenants = {channel.tenant for channel in config.channel} | {DEFAULT_TENANT}
        self._today = Today(self._book, store, config.hub.zone, wall_ms)
        self._gates = self._gates_by(config.alerts)
        self._other_gates, self._looking = asyncio.Event(), asyncio.Lock()
        self._welcomes = Welcomes(database, lambda: self._book.meters() if self._config.alerts.welcome.enabled else ())
        self._welcomes.listeners.append(self._alerts.take)
        self._pricing = Pricing(config.tariff, wall_ms)
        self._watch = Watch(
            database.file, config.alerts, config.alerts.calendar.of(config.hub.zone), self._known.about,
            self._pricing.plan, [self._alerts.take], self._absent,
        )  # fmt: skip
        telling.costs = self._watch.costs()
        self._outlooks = self._watch.outlooks(self._book, self._today.day)
        ledger, limits = Ledger(database.file), self._known.limits
        self._days = Days(database, store, ledger, self._every_tenant, zone, wall_ms, limits, self._watch.hear)
        book = SettingsBook(database.file, zone, wall_ms, heard(self._known.about))
        self._settings = SettingsOut(book, connect, self._endpoint("settings"), mqtt.root)
        self._retention = Retention(store, config.store.raw)
        self._faults = self._troubles()
        self._pages: list[Served] = []
        self._desk = Desk(
            telling, database.file, zone, wall_ms, self._settings.wake, self._faults, self._identity.status,
            Moves(database.file, zone, [learn_anew]),
        )  # fmt: skip

    async def open(self) -> None:
        """Take up what was known before the last stop."""
        await self._desk.open()
        for tenant in {*self._tenants, *await self._desk.tenants()}:
            self._alerts.restore(await self._telling.outbox.alerts(tenant, only_open=True))
        await self._gates.open()
        await self._welcomes.open()

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Start every task of the hub."""
        progress = self._progress
        self._collector.watch(progress)
        progress.watch("collector", CONNECTS_WITHIN, lambda: self._dials.turns if self._collector.error else None)
        works: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "collector": self._collector.run,
            "probe": partial(_probe, self._database, progress.pulse("hub database", DISK)),
            "teller": Teller(self._faults).run,
            "live": partial(again_when, self._other_gates, self._live),
            "identity": self._identity.run,
            "today": self._today.run,
            "days": self._days.run,
            "outlooks": self._outlooks.run,
            "gateways": self._look,
            "welcomes": self._welcomes.run,
            "settings": self._settings.run,
            "retention": self._retention.run,
        }
        for name, work in works.items():
            group.create_task(work(), name=name)
        self._pages.append(await self._serve(group, self._outlooks))
        self._telling.start(group, self._pages[0].address)
        tell_link(self._pages[0].link())
        # What is there by now stays: a search for garbage that goes through all of it halts everything for 0.1 s.
        gc.freeze()

    async def change(self, new: HubConfig) -> dict[str, int]:
        """Take over other channels, tariffs and rules, which keep what they know; raises ConfigError, StoreError."""
        changed = await self._telling.change(new.channel, new.hub) | self._pricing.change(new.tariff)
        if rules_of_gateways(new.alerts) != rules_of_gateways(self._config.alerts):
            await self._watch_gateways(new.alerts)
        await judge_by(new.alerts, new.hub.zone, self._watch, self._outlooks, self._telling)
        self._config = new
        return changed

    async def _watch_gateways(self, alerts: AlertsTable) -> None:
        """Let other rules watch the gateways, on top of what the ones before wrote down; raises StoreError.

        Then hearing begins anew, so that the broker says once more what it keeps of each gateway, as after a start.
        """
        async with self._looking:  # else what those before tell meanwhile would be told once more
            await self._gates.look()
            gates = self._gates_by(alerts)
            await gates.open()
            self._gates = gates
        self._other_gates.set()

    def _gates_by(self, alerts: AlertsTable) -> GateWatch:
        gates = GateWatch(self._database.file, alerts, wall_ms)
        gates.listeners.append(self._alerts.take)
        return gates

    def _absent(self, tenant: str, gw: str, start: int, end: int) -> bool:
        return self._gates.absent(tenant, gw, start, end)

    async def _look(self) -> None:
        """Look at the gateways now and then, whichever rules watch them."""
        while True:
            async with self._looking:
                await self._gates.look()
            await asyncio.sleep(EVERY)

    def _every_tenant(self) -> set[str]:
        """Name whose meters were heard of, or whose alerts are told."""
        return {*self._tenants, *self._book.tenants()}

    def doors(self) -> Doorkeeper:
        """Give what answers questions on who may come in."""
        return Doorkeeper(lambda: next(iter(self._pages), None), self._desk)

    async def status(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Say how everything fares; a store that does not answer says why."""
        try:
            stored: int | str = await self._store.count()
        except StoreError as error:
            stored = str(error)
        return {
            "hub": self._config.hub.id,
            "stored": stored,
            "collector": self._collector.status(),
            "certificate": self._identity.status(),
            "losses": await self._database.losses(),
            "gateways": self._gates.status(),
            "messages": await self._telling.status(),
            "pages": [page.address for page in self._pages],
            "standstill": self._progress.overdue,
        }

    def _endpoint(self, part: str) -> Endpoint:
        return endpoint_of(self._config.mqtt, f"{self._config.hub.id}-{part}")

    async def _serve(self, group: asyncio.TaskGroup, outlooks: Outlooks) -> Served:
        config, telling = self._config, self._telling
        sources = Sources(
            self._book, wall_ms, self._today, self._alerts, config.hub.zone, money=outlooks.of, price=outlooks.price
        )
        served = await serve(
            group,
            config.web,
            sources,
            config.hub.database.with_name("sessions.json"),
            language=config.hub.language,
            answers=telling,
            link_key=telling.key,
            desk=self._desk,
            crowd=HUB,
        )
        served.access.shifts = True
        return served

    async def _live(self) -> None:
        root = self._config.mqtt.root
        await _listen(self._dial, self._endpoint("live"), root, self._book, self._alerts, self._known, self._gates)

    def _troubles(self) -> dict[str, Callable[[], str]]:
        own = {
            "broker": lambda: self._collector.error,
            "stores": lambda: "; ".join(self._collector.troubles.values()),
            "daily checks": lambda: self._days.error,
            "tariffs": self._pricing.fault,
            "settings": lambda: self._settings.error,
            "digests": self._telling.fault,
            "retention": lambda: self._retention.error,
        }
        return own | dict(self._identity.faults())


async def _probe(database: HubDatabase, pulse: Pulse) -> None:
    """Ask the database's thread something small now and then: one that refuses answers too, one that hangs does not."""
    while True:
        with contextlib.suppress(StoreError):
            await database.dropped_letters()
        pulse.alive()
        await asyncio.sleep(PROBE_EVERY)


async def _listen(
    dial: Connect, endpoint: Endpoint, root: str, book: LiveBook, alerts: AlertBook, known: Known, gates: GateWatch
) -> None:
    """Hear every gateway: live values, birth documents and alerts for the pages, settings and signs for the checks."""
    hearers = {"event": alerts.hear, "settings": known.hear, "status": gates.hear, "health": gates.hear}
    topics = [f"{root}/v1/+/+/{kind}" for kind in ("info", "live/+", *hearers)]
    backoff = Backoff(1.0, 60.0)
    while True:
        try:
            connection = await dial(endpoint)
            try:
                await connection.subscribe(topics, qos=1)
                gates.connected()
                backoff.reset()
                async for arrived in connection.messages():
                    hearers.get(arrived.message.topic.split("/")[4], book.hear)(arrived.message)
                    arrived.ack()
            finally:
                gates.lost()
                await connection.close()
        except TransportError:
            await asyncio.sleep(backoff.next())
