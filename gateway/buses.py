"""Every bus of a station: its driver, its poller and its task; buses and meters come and go while the others run.

1. `change` makes the buses what a configuration says. A bus that is described as before keeps its driver and link, and
   of its meters only those that changed begin anew.
2. A bus that is gone, or described otherwise, is let go before anything new is opened: it may be the same wire.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drivers import PROTOCOLS
from drivers.contract import Driver, DriverError, HasNameplate, Meter, NotConnected, Reading
from gateway.backfill import Backfill
from gateway.config.build import bus_of, meter_id, meter_of
from gateway.config.models import BusTable, Wired
from gateway.poll import Poller
from gateway.progress import Progress
from gateway.scaling import Scaling, scaling_of

if TYPE_CHECKING:
    from gateway.thin import How

PLATE = 10.0
"""Seconds a meter has at the least to say what it is; a slow one has three deadlines."""


@dataclass
class _Running:
    """One bus as it was configured, and what runs it."""

    table: BusTable
    driver: Driver
    poller: Poller
    task: "asyncio.Task[None] | None" = None


class Buses:
    """The buses of one station; `take` gets every reading, as it counts."""

    def __init__(
        self, boot_ms: Callable[[], int], take: Callable[[Reading], None], progress: Progress, backfill: Backfill
    ) -> None:
        """Have no bus yet; `faults` says of each bus why it cannot be reached, "" when it can."""
        self.faults: dict[str, Callable[[], str]] = {}
        self._boot_ms, self._take, self._progress, self._backfill = boot_ms, take, progress, backfill
        self._running: dict[str, _Running] = {}
        self._thin: dict[str, How] = {}
        self._scalings: dict[str, Scaling] = {}
        self._group: asyncio.TaskGroup | None = None

    def start(self, group: asyncio.TaskGroup) -> None:
        """Begin to poll; buses that come later are polled at once."""
        self._group = group
        for running in self._running.values():
            self._poll(running)

    async def stop(self) -> None:
        """Poll no more."""
        self._group = None
        for name in list(self._running):
            await self._end(name)

    async def change(self, config: Wired) -> None:
        """Have the buses and meters of this configuration, and no others."""
        wanted = {bus.name: bus for bus in config.bus}
        for name, running in list(self._running.items()):
            if wanted.get(name) != running.table:
                await self._end(name)
                del self._running[name], self.faults[f"bus {name}"]
        self._thin.update((meter_id(config, row), row.thin) for row in config.meter)
        self._scalings = {meter_id(config, row): found for row in config.meter if (found := scaling_of(row))}
        for bus in config.bus:
            meters = [(meter_of(config, row), row.every) for row in config.meter if row.bus == bus.name]
            if bus.name in self._running:
                self._running[bus.name].poller.change(meters)
            else:
                driver = open_driver(bus, self._boot_ms, config.journal.folder)
                thin = self._thin.__getitem__
                poller = Poller(bus.name, driver, meters, self._count, thin=thin, backfill=self._backfill)
                self._running[bus.name] = _Running(bus, driver, poller)
                self.faults[f"bus {bus.name}"] = partial(_fault_of, poller)
            self._poll(self._running[bus.name])

    async def read_now(self, bus: str, meter: str) -> Reading:
        """Read one meter out of turn, by its id; raises DriverError, or KeyError."""
        return await self._running[bus].poller.read_now(meter)

    def pollers(self) -> Sequence[Poller]:
        """List what polls."""
        return [running.poller for running in self._running.values()]

    def places(self) -> Sequence[tuple[str, Poller]]:
        """List where each bus is: its device or address."""
        return [(running.table.device or running.table.url or "", running.poller) for running in self._running.values()]

    def lent_meters(self) -> set[str]:
        """Name the meters whose bus another program has: that they are silent says nothing of them."""
        return {turn.meter.id for poller in self.pollers() if poller.custody.lent for turn in poller.turns}

    async def nameplates(self, bus: str) -> dict[str, dict[str, str]]:
        """Ask the meters of a bus what they are, between two turns; who does not say is left out. Raises KeyError."""
        running = self._running[bus]
        driver, custody = running.driver, running.poller.custody
        if custody.lent or not isinstance(driver, HasNameplate):
            return {}
        try:
            await custody.lend()
            return await _nameplates(driver, driver, [turn.meter for turn in running.poller.turns])
        finally:
            custody.take_back()

    def status(self, now: float) -> list[dict[str, Any]]:
        """Say how every bus and its meters fare; `now` is the event loop's time."""
        return [_status_of(running.poller, running.driver.counters(), now) for running in self._running.values()]

    def _poll(self, running: _Running) -> None:
        """Run a bus's poller, and watch it as long as its meters may honestly need for a turn."""
        poller = running.poller
        if self._group is None:
            return
        if running.task is None:
            running.task = self._group.create_task(poller.run(), name=f"poll[{poller.name}]")
        # A bus may have no meter yet, or be lent.
        mark = lambda: poller.pulse.turns if poller.turns and not poller.custody.lent else None  # noqa: E731
        self._progress.watch(f"poll[{poller.name}]", poller.patience, mark)

    async def _end(self, name: str) -> None:
        self._progress.forget(f"poll[{name}]")
        task, self._running[name].task = self._running[name].task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _count(self, reading: Reading) -> None:
        """Hand a reading on; only where its meter has a ratio or an offset, it is made to count first."""
        scaling = self._scalings.get(reading.meter)
        self._take(scaling.apply(reading) if scaling else reading)


def open_driver(bus: BusTable, boot_ms: Callable[[], int], state: Path | None = None) -> Driver:
    """Make the driver of a bus; only its own protocol is imported. `state` is given by who runs it for good."""
    module = import_module(f"{PROTOCOLS[bus.driver]}.driver")
    driver: Driver = module.open_bus(bus_of(bus, state), boot_ms)
    return driver


async def _nameplates(driver: Driver, asks: HasNameplate, meters: Sequence[Meter]) -> dict[str, dict[str, str]]:
    """Open a bus that nobody reads, and ask; what could be asked until it broke is told."""
    plates: dict[str, dict[str, str]] = {}
    try:
        await driver.connect()
        for meter in meters:
            with suppress(DriverError, TimeoutError):
                async with asyncio.timeout(max(PLATE, 3 * meter.deadline)):
                    plates[meter.id] = dict(await asks.nameplate(meter))
    except NotConnected:
        pass
    finally:
        await driver.close()
    return plates


def _fault_of(poller: Poller) -> str:
    return "" if poller.connected or poller.custody.lent or not poller.turns else poller.turns[0].error


def _status_of(poller: Poller, rejected: Mapping[str, int], now: float) -> dict[str, Any]:
    return {
        "name": poller.name,
        "connected": poller.connected,
        "lent": poller.custody.lent,
        "reconnects": poller.reconnects,
        "rejected": {reason: count for reason, count in rejected.items() if count},
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
