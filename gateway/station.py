"""What edge and home share: clock, journal, alerting, check, intake, and one poller a bus, opened in that order."""

import asyncio
import contextlib
from collections import ChainMap
from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping
from dataclasses import asdict, dataclass
from typing import Any, get_args

from drivers.contract import DriverError
from gateway.alerts.alerting import Alerting
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent, State
from gateway.alerts.settings import Settings
from gateway.backfill import Backfill, last_readings
from gateway.buses import Buses
from gateway.buses import open_driver as open_driver  # noqa: PLC0414  commands that read one meter take it from here
from gateway.check import Limits
from gateway.clock import Clock, wall_ms
from gateway.commission.serials import remembered
from gateway.config.build import meter_id, mirror_folder
from gateway.config.models import EdgeConfig, MeterTable, Wired
from gateway.flash import FlashMeter, block_size
from gateway.intake import Intake, Known
from gateway.journal import PATIENCE, Journal, Unwritable
from gateway.live import LiveBook, LiveMeter
from gateway.message import SERIAL_LIMIT, Info, MeterInfo, Topics
from gateway.progress import Progress, Pulse, beaten
from gateway.reload import meters_changed
from gateway.scaling import scaling_of, shown
from gateway.seclog import note
from gateway.settings import engine_of, limits_of
from gateway.transport import Connection, Message, TransportError
from gateway.virtual import build as virtual
from gateway.virtual.compute import Virtuals

CLOCK_EVERY = 1.0
PAUSE = 120.0
"""Seconds a task of ours may make no turn: a card that is worn out takes half a minute for one commit."""
FEED_EVERY = 900.0
"""Seconds between two rounds by which a home's journal feeds its own store; that long nothing is confirmed there."""


@dataclass
class Station:
    """The parts of one gateway, opened; `start` runs them. `progress` watches all that is essential in the program."""

    config: Wired
    settings: Settings
    clock: Clock
    journal: Journal
    alerting: Alerting
    alerts: dict[str, int]
    intake: Intake
    book: LiveBook
    buses: Buses
    backfill: Backfill
    flash: FlashMeter
    progress: Progress

    def start(self, group: asyncio.TaskGroup) -> None:
        """Start journal, clock, alerts and polling."""
        group.create_task(self.journal.run(), name="journal")
        group.create_task(self._watch_clock(self.progress.pulse("clock", PAUSE)), name="clock")
        group.create_task(self.alerting.run(), name="alerting")
        group.create_task(self.backfill.run(), name="backfill")
        self.progress.watch("journal", self.config.journal.window + PAUSE, self._written)
        self.buses.start(group)

    async def drain(self) -> None:
        """Stop polling and commit what was read."""
        await self.buses.stop()
        with contextlib.suppress(Unwritable):  # what a full disk refuses stays in the mirror for the next start
            await self.journal.flush()

    async def change(self, config: Wired) -> dict[str, int]:
        """Take over buses, meters and rules; meters that stay as they are miss no turn. Says how many did not."""
        old, self.config = self.config, config
        self.know(config)
        self._take_rules(engine_of(config, self.settings))
        await self.buses.change(config)
        for meter in self.intake.meters.keys() - {about.id for about in self.info().meters}:
            del self.intake.meters[meter]
            self.book.forget(meter)
            self.alerting.checker.forget(meter)
        self.alerting.keep()
        return meters_changed(old, config)

    def settle(self, settings: Settings) -> None:
        """Take over what a hub wishes: rules and limits. No bus is touched, no meter misses a turn."""
        self.settings = settings
        self.know(self.config)
        self._take_rules(engine_of(self.config, settings))
        self.alerting.keep()

    async def tell(self, connection: Connection, topics: Topics) -> None:
        """Tell a broker which meters there are now; if it goes meanwhile, the next connection tells it."""
        with contextlib.suppress(TransportError):
            await connection.publish(
                Message(topics.of("info"), self.info().model_dump_json().encode(), retain=True, qos=1)
            )

    async def read_now(self, meter: str) -> dict[str, Any]:
        """Read one meter out of turn, by its name or id; raises DriverError or KeyError."""
        row = next((row for row in self.config.meter if meter in (row.name, meter_id(self.config, row))), None)
        if row is None:
            virtual.cannot_be_read(self.config, meter)
            raise KeyError(meter)
        return shown(await self.buses.read_now(row.bus, meter_id(self.config, row)), scaling_of(row))

    def info(self) -> Info:
        """Describe every meter, as the birth document does."""
        plans = virtual.plans_of(self.config)
        serials = remembered(self.config.journal.folder)
        rows = [_with_serial(info_of(self.config, row), serials) for row in self.config.meter]
        return Info(meters=[*rows, *(virtual.info_of(plan) for plan in plans)])

    def status(self) -> dict[str, Any]:
        """Say how everything fares, for people and for `health`."""
        now = asyncio.get_running_loop().time()
        flash = {"a_day": self.flash.a_day(now), "warning": self.flash.warning(now)}
        return {
            "gateway": self.config.gateway.id,
            "clock": self.clock.state,
            "clock_error_ms": self.clock.error_ms,
            "read": self.intake.read,
            "backfill": self.backfill.status(),
            "alerts": self.alerts,
            "checks": dict(self.alerting.checker.remarks),
            "virtual": dict(self.intake.virtuals.counts) if self.intake.virtuals else {},
            "journal": asdict(self.journal.stats()),
            "flash": flash,
            "standstill": self.progress.overdue,
            "buses": self.buses.status(now),
        }

    def faults(self) -> MutableMapping[str, Callable[[], str]]:
        """Name what can be wrong here, for the log: the journal, and each bus there is now."""
        own = {
            "journal": lambda: self.journal.fault,
            "flash": lambda: self.flash.warning(asyncio.get_running_loop().time()),
            "backfill": lambda: self.backfill.error,
        }
        return ChainMap(own, self.buses.faults)

    def know(self, config: Wired) -> None:
        """Be ready for readings of these meters, and of those computed of them."""
        plans = virtual.plans_of(config)
        limits = _limits_of(config, self.settings)
        for about in (*(info_of(config, row) for row in config.meter), *(virtual.info_of(plan) for plan in plans)):
            known = self.intake.meters.setdefault(about.id, Known(about.every, limits[about.id]))
            known.every = about.every
            if known.limits != limits[about.id]:  # the check looks anew at limits that are another object
                known.limits = limits[about.id]
            self.book.know(LiveMeter(about.id, about.name, about.commodity, about.model, about.every))
        self.intake.virtuals = Virtuals(plans, self.alerting.checker.last) if plans else None

    def _take_rules(self, engine: Engine) -> None:
        """Let a new engine go on from what the old one remembers; alerts whose rule or meter is gone end here."""
        old, self.alerting.engine = self.alerting.engine, engine
        for event in [event for meter in old.meters for event in engine.restore(meter, old.snapshot(meter))]:
            self.journal.add_event(event.encode())
            for listener in self.alerting.listeners:
                listener(event)

    def _written(self) -> int | None:
        """Mark the journal's progress: commits, while anything waits for one and the disk does not refuse it."""
        stats = self.journal.stats()
        idle = not stats.unwritten and self.journal.next_seq == self.journal.closed_seq
        return None if idle or stats.degraded else stats.commits

    async def _watch_clock(self, pulse: Pulse) -> None:
        """Give held readings their time once there is one; without one in time, let them go untimed."""
        loop = asyncio.get_running_loop()
        known, released = loop.time(), False
        while True:
            pulse.alive()
            now = loop.time()
            self.flash.look(now)
            offset = self.clock.offset
            if offset is not None:
                known, released = now, False
            with contextlib.suppress(Unwritable):  # the journal says so itself, and this comes round again
                if offset is not None and self.journal.held:
                    await self.journal.repair(self.clock.boot_id, offset)
                elif offset is None and not released and now - known > self.config.clock.wait:
                    await self.journal.release()
                    released = True
            await asyncio.sleep(CLOCK_EVERY)


@contextlib.asynccontextmanager
async def station(
    config: Wired,
    post: Callable[..., None] | None,
    *,
    settings: Settings | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Station]:
    """Open the parts of a gateway; on leaving, the journal keeps all that was read. `settings` are a hub's wishes."""
    settings = settings or Settings()
    clock = clock or Clock(trust=config.clock.trust)
    progress = Progress(asyncio.get_running_loop().time)
    table = config.journal
    journal = await Journal.open(
        table.folder,
        gw=config.gateway.id,
        mirror=mirror_folder(config),
        window=table.window,
        quota=table.quota,
        keep=table.keep,
        wall=wall_ms,
        clock_state=lambda: clock.state,
        boot=clock.boot_id,
        schedule={meter_id(config, row): row.every for row in config.meter}
        | {plan.id: plan.every for plan in virtual.plans_of(config)},
        patience=PATIENCE if isinstance(config, EdgeConfig) else FEED_EVERY + PATIENCE,
    )
    try:
        alerting = await _alerting(config, settings, clock, journal, progress)
        try:
            yield await _wire(config, settings, clock, journal, alerting, post, progress)
        finally:
            alerting.keep()
    finally:
        await journal.close()


async def _alerting(config: Wired, settings: Settings, clock: Clock, journal: Journal, progress: Progress) -> Alerting:
    now = beaten(progress.pulse("alerting", PAUSE), lambda: clock.stamp(clock.boot_ms()))
    return await Alerting.open(engine_of(config, settings), journal, now, _limits_of(config, settings))


def _limits_of(config: Wired, settings: Settings) -> dict[str, Limits]:
    """Say what each meter cannot exceed; a virtual one, what its parts together cannot."""
    limits = {meter_id(config, row): limits_of(settings, meter_id(config, row), row) for row in config.meter}
    return limits | {plan.id: virtual.limits_of(plan, limits) for plan in virtual.plans_of(config)}


async def _wire(
    config: Wired,
    settings: Settings,
    clock: Clock,
    journal: Journal,
    alerting: Alerting,
    post: Callable[..., None] | None,
    progress: Progress,
) -> Station:
    alerts = dict.fromkeys(get_args(State), 0)

    def count(event: AlertEvent) -> None:
        alerts[event.state] += 1
        if event.rule == "tamper":
            note("tamper", meter=event.meter, state=event.state)

    alerting.listeners.append(count)
    book = LiveBook(config.gateway.tenant)
    intake = Intake(clock, alerting.checker, journal, book, post, alerting.hear)
    before = last_readings(alerting.checker.snapshot())
    backfill = Backfill(lambda: clock.offset, config.journal.folder / "backfill.json", journal.flush, before)
    buses = Buses(clock.boot_ms, intake.take, progress, backfill)
    alerting.unheard = buses.lent_meters
    block = block_size(config.journal.folder)
    flash = FlashMeter(asyncio.get_running_loop().time(), lambda: journal.stats().commits, block)
    here = Station(config, settings, clock, journal, alerting, alerts, intake, book, buses, backfill, flash, progress)
    here.know(config)
    await buses.change(config)
    return here


async def read_now(here: Station, meter: str) -> dict[str, Any]:
    """Read one meter for somebody who asked; what went wrong is in the answer's `error`."""
    try:
        return await here.read_now(meter)
    except KeyError:
        return {"error": f"there is no meter {meter!r} here"}
    except DriverError as error:
        return {"error": str(error)}


def info_of(config: Wired, meter: MeterTable) -> MeterInfo:
    """Describe a meter to the world."""
    profile = meter.profile
    return MeterInfo(
        id=meter_id(config, meter),
        name=meter.name,
        commodity=profile.commodity,
        model=profile.title,
        every=meter.every,
        quantities={row.key: {"unit": row.unit, "kind": row.kind, "obis": row.obis} for row in profile.rows},
    )


def _with_serial(about: MeterInfo, serials: Mapping[str, str]) -> MeterInfo:
    serial = serials.get(about.id, "")[:SERIAL_LIMIT]
    return about.model_copy(update={"serial": serial}) if serial else about
