"""What edge and home share: clock, journal, alerting, check, intake, and one poller a bus, opened in that order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from typing import Any, get_args

from drivers import PROTOCOLS
from drivers.contract import Driver, DriverError, Reading
from gateway.alerts.alerting import Alerting
from gateway.alerts.catalogue import rules_of
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent, State
from gateway.check import Limits
from gateway.clock import Clock, wall_ms
from gateway.config.build import bus_of, meter_id, meter_of, mirror_folder
from gateway.config.models import BusTable, EdgeConfig, HomeConfig, MeterTable
from gateway.flash import FlashMeter
from gateway.intake import Intake, Known
from gateway.journal import PATIENCE, Journal, Unwritable
from gateway.live import LiveBook, LiveMeter
from gateway.message import Info, MeterInfo
from gateway.poll import Poller
from gateway.scaling import scaling_of, shown

CLOCK_EVERY = 1.0
FEED_EVERY = 900.0
"""Seconds between two rounds by which a home's journal feeds its own store; that long nothing is confirmed there."""


@dataclass
class Station:
    """The parts of one gateway, opened; `tasks` runs them."""

    config: EdgeConfig | HomeConfig
    clock: Clock
    journal: Journal
    alerting: Alerting
    alerts: dict[str, int]
    intake: Intake
    book: LiveBook
    pollers: list[Poller]
    drivers: list[Driver]
    flash: FlashMeter

    def start(self, group: asyncio.TaskGroup) -> list["asyncio.Task[None]"]:
        """Start journal, clock and reports; give the polling tasks, which `drain` may stop alone."""
        group.create_task(self.journal.run(), name="journal")
        group.create_task(self._watch_clock(), name="clock")
        group.create_task(self.alerting.run(), name="alerting")
        return [group.create_task(poller.run(), name=f"poll[{poller.name}]") for poller in self.pollers]

    async def drain(self, polling: Sequence["asyncio.Task[None]"]) -> None:
        """Stop polling and commit what was read."""
        for task in polling:
            task.cancel()
        await asyncio.gather(*polling, return_exceptions=True)
        with contextlib.suppress(Unwritable):  # what a full disk refuses stays in the mirror for the next start
            await self.journal.flush()

    async def read_now(self, meter: str) -> dict[str, Any]:
        """Read one meter out of turn, by its name or id; raises DriverError or KeyError."""
        row = next((row for row in self.config.meter if meter in (row.name, meter_id(self.config, row))), None)
        poller = next((poller for poller in self.pollers if row is not None and poller.name == row.bus), None)
        if row is None or poller is None:
            raise KeyError(meter)
        return shown(await poller.read_now(meter_id(self.config, row)), scaling_of(row))

    def info(self) -> Info:
        """Describe every meter, as the birth document does."""
        return Info(meters=[info_of(self.config, row) for row in self.config.meter])

    def status(self) -> dict[str, Any]:
        """Say how everything fares, for people and for `health`."""
        now = asyncio.get_running_loop().time()
        flash = {"a_day": self.flash.a_day(now), "warning": self.flash.warning(now)}
        return {
            "gateway": self.config.gateway.id,
            "clock": self.clock.state,
            "read": self.intake.read,
            "alerts": self.alerts,
            "journal": asdict(self.journal.stats()),
            "flash": flash,
            "buses": [
                {
                    "name": poller.name,
                    "connected": poller.connected,
                    "rejected": {reason: count for reason, count in driver.counters().items() if count},
                    "meters": [
                        {
                            "id": turn.meter.id,
                            "model": turn.meter.profile.title,
                            "read": turn.read,
                            "missed": turn.missed,
                            "failed": turn.failed,
                            "set_aside": turn.set_aside,
                            "quarantined": turn.quarantined,
                            "age": None if turn.last is None else round(now - turn.last, 1),
                            "error": turn.error,
                        }
                        for turn in sorted(poller.turns, key=lambda turn: turn.meter.id)
                    ],
                }
                for poller, driver in zip(self.pollers, self.drivers, strict=True)
            ],
        }

    async def _watch_clock(self) -> None:
        """Give held readings their time once there is one; without one in time, let them go untimed."""
        started, released = asyncio.get_running_loop().time(), False
        while True:
            self.flash.look(asyncio.get_running_loop().time())
            offset = self.clock.offset
            late = asyncio.get_running_loop().time() - started > self.config.clock.wait
            with contextlib.suppress(Unwritable):  # the journal says so itself, and this comes round again
                if offset is not None and self.journal.stats().held:
                    await self.journal.repair(self.clock.boot_id, offset)
                elif offset is None and late and not released:
                    await self.journal.release()
                    released = True
            await asyncio.sleep(CLOCK_EVERY)

    def faults(self) -> dict[str, Callable[[], str]]:
        """Name what can be wrong here, for the log: each bus, and the journal."""
        return {
            "journal": lambda: self.journal.stats().fault,
            "flash": lambda: self.flash.warning(asyncio.get_running_loop().time()),
            **{f"bus {poller.name}": partial(_fault_of, poller) for poller in self.pollers},
        }


def _fault_of(poller: Poller) -> str:
    return "" if poller.connected or not poller.turns else poller.turns[0].error


@contextlib.asynccontextmanager
async def station(
    config: EdgeConfig | HomeConfig, post: Callable[..., None] | None, *, clock: Clock | None = None
) -> AsyncIterator[Station]:
    """Open the parts of a gateway; on leaving, the journal keeps all that was read."""
    clock = clock or Clock(trust=config.clock.trust)
    settings = config.journal
    journal = await Journal.open(
        settings.folder,
        gw=config.gateway.id,
        mirror=mirror_folder(config),
        window=settings.window,
        quota=settings.quota,
        keep=settings.keep,
        wall=wall_ms,
        clock_state=lambda: clock.state,
        boot=clock.boot_id,
        schedule={meter_id(config, row): row.every for row in config.meter},
        patience=PATIENCE if isinstance(config, EdgeConfig) else FEED_EVERY + PATIENCE,
    )
    try:
        alerting = await _alerting(config, clock, journal)
        try:
            yield _wire(config, clock, journal, alerting, post)
        finally:
            alerting.keep()
    finally:
        await journal.close()


async def _alerting(config: EdgeConfig | HomeConfig, clock: Clock, journal: Journal) -> Alerting:
    meters = {meter_id(config, row): row for row in config.meter}
    engine = Engine({id_: rules_of(config.alerts, config.gateway.zone, row.rating_a) for id_, row in meters.items()})
    limits = {id_: limits_of(row) for id_, row in meters.items()}
    return await Alerting.open(engine, journal, lambda: clock.stamp(clock.boot_ms()), limits)


def _wire(
    config: EdgeConfig | HomeConfig,
    clock: Clock,
    journal: Journal,
    alerting: Alerting,
    post: Callable[..., None] | None,
) -> Station:
    alerts = dict.fromkeys(get_args(State), 0)

    def count(event: AlertEvent) -> None:
        alerts[event.state] += 1

    alerting.listeners.append(count)
    book = LiveBook()
    intake = Intake(clock, alerting.checker, journal, book, post, alerting.hear)
    drivers, pollers = [], []
    for bus in config.bus:
        rows = [row for row in config.meter if row.bus == bus.name]
        drivers.append(open_driver(bus, clock.boot_ms))
        meters = [(meter_of(config, row), row.every) for row in rows]
        pollers.append(Poller(bus.name, drivers[-1], meters, _taker(config, rows, intake)))
        for row in rows:
            intake.meters[meter_id(config, row)] = Known(row.every, limits_of(row))
            about = info_of(config, row)
            book.know(LiveMeter(about.id, about.name, about.commodity, about.model, about.every))
    return Station(
        config,
        clock,
        journal,
        alerting,
        alerts,
        intake,
        book,
        pollers,
        drivers,
        FlashMeter(asyncio.get_running_loop().time()),
    )


def _taker(config: EdgeConfig | HomeConfig, rows: Sequence[MeterTable], intake: Intake) -> Callable[[Reading], None]:
    """Give what takes a bus's readings; only where a meter has a ratio or an offset, it stands before the intake."""
    scalings = {meter_id(config, row): scaling for row in rows if (scaling := scaling_of(row))}

    def take(reading: Reading) -> None:
        scaling = scalings.get(reading.meter)
        intake.take(scaling.apply(reading) if scaling else reading)

    return take if scalings else intake.take


async def read_now(here: Station, meter: str) -> dict[str, Any]:
    """Read one meter for somebody who asked; what went wrong is in the answer's `error`."""
    try:
        return await here.read_now(meter)
    except KeyError:
        return {"error": f"there is no meter {meter!r} here"}
    except DriverError as error:
        return {"error": str(error)}


def open_driver(bus: BusTable, boot_ms: Callable[[], int]) -> Driver:
    """Make the driver of a bus; only its own protocol is imported."""
    module = import_module(f"{PROTOCOLS[bus.driver]}.driver")
    driver: Driver = module.open_bus(bus_of(bus), boot_ms)
    return driver


def info_of(config: EdgeConfig | HomeConfig, meter: MeterTable) -> MeterInfo:
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


def limits_of(meter: MeterTable) -> Limits:
    """Say what a meter cannot exceed, from its main fuse."""
    return Limits(rating_a=meter.rating_a)
