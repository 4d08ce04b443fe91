"""Reads a meter as `nabd read` does: through the running program where there is one, else straight from its bus."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from drivers.contract import Driver, DriverError, HasBudget, HasNameplate, Meter, Number
from drivers.decimals import exact
from drivers.profiles import Profile
from gateway import control
from gateway.clock import Clock
from gateway.config.build import meter_id, meter_of
from gateway.config.customers import HomeConfig
from gateway.config.models import EdgeConfig, MeterTable
from gateway.notify.speech import clean
from gateway.show import LONGEST_READ, socket_of
from gateway.station import open_driver

LONGEST_TURN = 30.0
"""Seconds to wait for a meter that speaks by itself: the slowest heads tell every ten."""

ERROR_LIMIT = 300
"""Characters of an error, which may repeat what a meter said."""


@dataclass(frozen=True)
class Sample:
    """What a meter said, before ratio and offset, in base units; or the error that kept it from being read."""

    at: int
    values: Mapping[str, Fraction] = field(default_factory=dict)
    nameplate: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class Readings:
    """Reads the meters of one configuration; `now` gives UTC ms."""

    config: EdgeConfig | HomeConfig
    now: Callable[[], int]
    _plates: dict[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """By bus, what its meters told a running program that they are; asked once, for it takes every meter's time."""

    async def sample(self, row: MeterTable) -> Sample:
        """Read one meter now; what went wrong is in the sample."""
        try:
            question = {"do": "read", "meter": row.name}
            answer = await control.ask(socket_of(self.config), question, timeout=LONGEST_READ)
        except control.NobodyThere:
            return await self._directly(row)
        if "error" in answer:
            return Sample(self.now(), error=clean(str(answer["error"]), ERROR_LIMIT))
        values = _exact(answer["values"] | answer.get("raw", {}))
        return Sample(self.now(), values, await self._plate(row))

    async def orders(self, row: MeterTable, key: str) -> dict[str, Fraction]:
        """Read a Modbus meter once in each other order of words; a counter by order, where it makes sense there."""
        if row.profile.driver != "modbus" or await _runs(self.config):
            return {}
        from drivers.modbus.layout import ORDERS  # noqa: PLC0415  a house with P1 only needs none of it

        found: dict[str, Fraction] = {}
        for order in ORDERS:
            if order != row.profile.layout.order:
                sample = await self._directly(row.model_copy(update={"profile": in_order(row.profile, order)}))
                if key in sample.values:
                    found[order] = sample.values[key]
        return found

    async def _plate(self, row: MeterTable) -> Mapping[str, str]:
        """Let the running program ask a meter what it is; empty where it cannot."""
        if row.bus not in self._plates:
            self._plates[row.bus] = {}
            with suppress(control.NobodyThere):
                question = {"do": "nameplates", "bus": row.bus}
                answer = await control.ask(socket_of(self.config), question, timeout=LONGEST_READ)
                self._plates[row.bus] = answer.get("nameplates", {})
        return self._plates[row.bus].get(meter_id(self.config, row), {})

    async def _directly(self, row: MeterTable) -> Sample:
        bus = next(bus for bus in self.config.bus if bus.name == row.bus)
        driver = open_driver(bus, Clock(trust="system").boot_ms)
        meter = meter_of(self.config, row)
        patience = max(LONGEST_TURN, 3 * meter.deadline, driver.budget(meter) if isinstance(driver, HasBudget) else 0)
        try:
            async with asyncio.timeout(patience):
                await driver.connect()
                reading = await driver.read(meter)
                plate = await _nameplate(driver, meter)
        except DriverError as error:
            return Sample(self.now(), error=clean(str(error), ERROR_LIMIT))
        except TimeoutError:
            return Sample(self.now(), error=f"{meter.id}: no answer (check wiring, address and speed)")
        finally:
            await driver.close()
        return Sample(self.now(), _exact(reading.values), plate)


async def _nameplate(driver: Driver, meter: Meter) -> dict[str, str]:
    return dict(await driver.nameplate(meter)) if isinstance(driver, HasNameplate) else {}


async def _runs(config: EdgeConfig | HomeConfig) -> bool:
    try:
        await control.ask(socket_of(config), {"do": "status"})
    except control.NobodyThere:
        return False
    return True


def _exact(values: Mapping[str, Any]) -> dict[str, Fraction]:
    return {key: exact(value) if isinstance(value, Number) else Fraction(value) for key, value in values.items()}


def in_order(profile: Profile, order: Any) -> Profile:
    """Read a Modbus model's registers in another order of words."""
    from drivers.modbus.table import Table  # noqa: PLC0415

    layout = profile.layout
    plan = Table(layout.rows, order, layout.max_registers, layout.forbidden, layout.nameplate)
    return replace(profile, layout=plan)
