"""The hub: collector, store, hub database and pages, wired together."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from gateway import control
from gateway.backoff import Backoff
from gateway.check.daily import Days
from gateway.check.ledger import Ledger
from gateway.clock import wall_ms
from gateway.collector import Collector
from gateway.config.build import endpoint_of
from gateway.config.models import HubConfig
from gateway.config.tariff import TariffTable
from gateway.desk import Desk
from gateway.gatewatch import GateWatch
from gateway.hubdb import HubDatabase
from gateway.identity.running import Identity
from gateway.live import LiveBook
from gateway.mqtt import connect
from gateway.program import run_until_signal
from gateway.progress import Progress, Pulse, counted
from gateway.reload import Reloader
from gateway.settings import Known
from gateway.settings_out import SettingsBook, SettingsOut, heard
from gateway.show import tell_link
from gateway.store import open_store
from gateway.teller import Teller
from gateway.telling import Telling
from gateway.today import Today
from gateway.transport import Connect, Endpoint, TransportError
from gateway.watch import Watch
from gateway.web.alertbook import AlertBook
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
    telling = await Telling.open(database.file, config.channel, config.hub, progress)
    dials = Pulse()
    identity = Identity(
        config.mqtt.username or "hub",
        config.mqtt,
        config.mqtt.identity or config.hub.database.parent / "hub-identity",
        wall_ms,
        own=config.mqtt.identity is not None,
    )
    collector = Collector(
        counted(identity.dial(connect), dials),
        endpoint_of(config.mqtt, f"{config.hub.id}-collector"),
        store,
        database,
        root=config.mqtt.root,
    )
    book, alerts, known = LiveBook(), AlertBook(wall_ms), Known()
    tenants = {channel.tenant for channel in config.channel} | {DEFAULT_TENANT}
    for tenant in tenants:
        alerts.restore(await telling.outbox.alerts(tenant, only_open=True))
    today = Today(book, store, config.hub.zone, wall_ms)
    zone = ZoneInfo(config.hub.zone)
    gates, welcomes = await _greeters(database, config, book, alerts)
    watch = Watch(
        database.file, config.alerts, config.alerts.calendar.of(config.hub.zone), known.about, config.tariff.plan,
        [alerts.take], gates.absent,
    )  # fmt: skip
    telling.costs = watch.costs()
    days = Days(database, store, Ledger(database.file), tuple(tenants), zone, wall_ms, known.limits, watch.hear)
    settings = SettingsOut(
        SettingsBook(database.file, zone, wall_ms, heard(known.about)),
        connect,
        endpoint_of(config.mqtt, f"{config.hub.id}-settings"),
        config.mqtt.root,
    )
    faults = _faults(collector, days, config.tariff, settings, telling) | dict(identity.faults())
    pages: list[Served] = []

    async def link(_: Any) -> dict[str, Any]:
        return {"link": pages[0].link()} if pages else {"error": "the pages are not served yet"}

    async def status(_: Any) -> dict[str, Any]:
        return {
            "hub": config.hub.id,
            "stored": await store.count(),
            "collector": collector.status(),
            "certificate": identity.status(),
            "losses": await database.losses(),
            "gateways": gates.status(),
            "messages": await telling.status(),
            "pages": [page.address for page in pages],
            "standstill": progress.overdue,
        }

    async def change(new: HubConfig) -> dict[str, int]:
        return await telling.change(new.channel, new.hub)

    reloader = Reloader(config, reread, change)

    async def start(group: asyncio.TaskGroup) -> None:
        group.create_task(collector.run(), name="collector")
        collector.watch(progress)
        progress.watch("collector", CONNECTS_WITHIN, lambda: dials.turns if collector.error else None)
        group.create_task(_probe(database, progress.pulse("hub database", DISK)), name="probe")
        group.create_task(Teller(faults).run(), name="teller")
        live, endpoint = identity.dial(connect), endpoint_of(config.mqtt, f"{config.hub.id}-live")
        group.create_task(identity.run(), name="identity")
        group.create_task(_listen(live, endpoint, config.mqtt.root, book, alerts, known, gates), name="live")
        outlooks = watch.outlooks(book, today.day)
        for name, work in {
            "today": today.run, "days": days.run, "outlooks": outlooks.run, "gateways": gates.run,
            "welcomes": welcomes.run,
        }.items():  # fmt: skip
            group.create_task(work(), name=name)
        group.create_task(settings.run(), name="settings")
        sources = Sources(book, wall_ms, today, alerts, config.hub.zone, money=outlooks.of)
        pages.append(
            await serve(
                group,
                config.web,
                sources,
                config.hub.database.with_name("sessions.json"),
                language=config.hub.language,
                answers=telling,
                link_key=telling.key,
                desk=Desk(telling, database.file, zone, wall_ms, settings.wake, faults, identity.status),
            )
        )
        telling.start(group, pages[0].address)
        tell_link(pages[0].link())

    answers = {"status": status, "link": link, "reload": reloader.answer}
    try:
        async with control.listening(config.hub.database.parent / "hub.sock", answers):
            await run_until_signal(start, progress=progress, reload=reloader.run)
    finally:
        await database.close()
        await store.close()


async def _greeters(
    database: HubDatabase, config: HubConfig, book: LiveBook, alerts: AlertBook
) -> tuple[GateWatch, Welcomes]:
    """Open who follows gateways and who greets meters."""
    gates = GateWatch(database.file, config.alerts, wall_ms)
    welcomes = Welcomes(database, book.meters if config.alerts.welcome.enabled else tuple)
    gates.listeners.append(alerts.take)
    welcomes.listeners.append(alerts.take)
    await gates.open()
    await welcomes.open()
    return gates, welcomes


async def _probe(database: HubDatabase, pulse: Pulse) -> None:
    """Ask the database's thread something small now and then: one that refuses answers too, one that hangs does not."""
    while True:
        with contextlib.suppress(sqlite3.Error):
            await database.dropped_letters()
        pulse.alive()
        await asyncio.sleep(PROBE_EVERY)


async def _listen(
    connect: Connect, endpoint: Endpoint, root: str, book: LiveBook, alerts: AlertBook, known: Known, gates: GateWatch
) -> None:
    """Hear every gateway: live values, birth documents and alerts for the pages, settings and signs for the checks."""
    hearers = {"event": alerts.hear, "settings": known.hear, "status": gates.hear, "health": gates.hear}
    backoff = Backoff(1.0, 60.0)
    while True:
        try:
            connection = await connect(endpoint)
            try:
                topics = [f"{root}/v1/+/+/{kind}" for kind in ("info", "live/+", *hearers)]
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


def _faults(
    collector: Collector, days: Days, tariffs: TariffTable, settings: SettingsOut, telling: Telling
) -> dict[str, Callable[[], str]]:
    return {
        "broker": lambda: collector.error,
        "stores": lambda: "; ".join(collector.troubles.values()),
        "daily checks": lambda: days.error,
        "tariffs": lambda: tariffs.fault(wall_ms()),
        "settings": lambda: settings.error,
        "digests": telling.fault,
    }
