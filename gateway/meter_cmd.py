"""`nabd meter set-address BUS OLD NEW`: most meters are delivered with address 1, and two of them cannot share a line.

1. The bus, the meter's model and what its profile allows to be written are looked up; nothing is opened yet.
2. OLD must answer and NEW must not, and no running program may use the bus.
3. What will be written is shown, and done only after a typed "yes".
4. The meter is read under NEW, its register beside the one before; only then is it said to have moved.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drivers.contract import Bus, Driver, DriverError, Meter, NoAnswer, Number, Reading
from drivers.modbus.model import SetAddress
from drivers.modbus.model_code import allowed_write, model_code
from drivers.modbus.set_address import set_address as write_address
from drivers.profiles import Profile, ProfileError, load
from drivers.quantities import BY_KEY
from gateway import control
from gateway.clock import Clock
from gateway.config.build import bus_of
from gateway.config.customers import Document, HomeConfig, HubConfig
from gateway.config.models import BusTable, EdgeConfig
from gateway.seclog import note
from gateway.station import open_driver

LOWEST, HIGHEST = 1, 247
DEADLINE = 1.0
"""Seconds for one answer, as long as the slowest meters take."""

SETTLE = 10
"""So many tries, a second apart, to find the meter under its new address: some start anew first."""

Say = Callable[[str], None]
Ask = Callable[[str], str]


@dataclass
class CannotSet(Exception):  # noqa: N818
    """Nothing was written; why, and what to do."""

    what: str
    hint: str = ""

    def __str__(self) -> str:
        """One line for people."""
        return self.what + (f" ({self.hint})" if self.hint else "")


@dataclass(frozen=True)
class Task:
    """What is to be done: on which bus, to which model, from which address to which."""

    table: BusTable
    profile: Profile
    allowed: SetAddress
    old: int
    new: int

    @property
    def bus(self) -> Bus:
        """The wire, as drivers know it."""
        return bus_of(self.table)

    def meter(self, address: int) -> Meter:
        """Make a meter of this model at an address."""
        return Meter(f"address {address}", self.profile, address, DEADLINE)


@dataclass(frozen=True)
class Seen:
    """How a meter showed itself: its main register and the code of its model."""

    register: str
    value: Number | None
    code: int | None


async def set_address(task: Task, running: Path, *, yes: bool, tell: Say, ask: Ask) -> int:
    """Do it; 0 when the meter answers under its new address, 1 when it does not or nobody said yes."""
    await _nobody_else(running)
    before = await _look(task)
    _show(task, before, tell)
    if not yes and ask("Type yes to write: ").strip().lower() != "yes":
        tell("Nothing was written.")
        return 1
    try:
        heard = await write_address(task.bus, task.allowed, task.old, task.new, DEADLINE)
    except DriverError as error:
        raise CannotSet(f"the meter at {task.old} did not take it: {error}", task.allowed.before or _SETUP) from error
    note("meter_written", bus=task.bus.name, old=task.old, new=task.new)
    tell("Written; the meter confirmed." if heard else "Written; the meter did not answer.")
    return await _prove(task, before, tell)


def plan(config: Document, bus: str, old: int, new: int, profile: str | None, folders: list[Path]) -> Task:
    """Find what is to be done in a configuration; raises CannotSet."""
    if isinstance(config, HubConfig):
        raise CannotSet("a hub has no meters", "name an edge.toml or home.toml with -c")
    table = next((row for row in config.bus if row.name == bus), None)
    if table is None:
        raise CannotSet(
            f"there is no bus {bus!r}", f"configured: {', '.join(row.name for row in config.bus) or 'none'}"
        )
    if table.driver != "modbus":
        raise CannotSet(f"bus {bus} speaks {table.driver}", "only Modbus meters have addresses that Nabd can set")
    if (table.url or "").startswith("tcp://"):
        raise CannotSet("addresses are set on a serial line only", "connect the meter to a serial adapter for this")
    if not (LOWEST <= old <= HIGHEST and LOWEST <= new <= HIGHEST):
        raise CannotSet(f"addresses are {LOWEST} to {HIGHEST}", "0 would be every meter on the line at once")
    if old == new:
        raise CannotSet("the new address is the old one")
    model = _model(config, bus, old, new, profile, folders)
    allowed = allowed_write(model)
    if allowed is None:
        raise CannotSet(f"{model.title}: no source says how its address is set", "set it on the meter itself")
    return Task(table, model, allowed, old, new)


def _model(
    config: EdgeConfig | HomeConfig, bus: str, old: int, new: int, profile: str | None, folders: list[Path]
) -> Profile:
    """Take the profile that was named, else that of the meter configured at the old address, else at the new one."""
    if profile is not None:
        try:
            return load(profile, folders)
        except ProfileError as error:
            raise CannotSet(str(error)) from error
    here = {row.address: row.profile for row in config.meter if row.bus == bus}
    model = here.get(old) or here.get(new)
    if model is None:
        raise CannotSet(f"no meter is configured at {old} or {new} on {bus}", "name its model with --profile")
    return model


async def _nobody_else(running: Path) -> None:
    try:
        await control.ask(running, {"do": "status"})
    except control.NobodyThere:
        return
    raise CannotSet(
        "a program runs with this configuration and uses the bus", "stop it first, and start it again after"
    )


async def _look(task: Task) -> Seen:
    """See the meter at the old address, and nobody at the new one; raises CannotSet."""
    driver = open_driver(task.table, Clock(trust="system").boot_ms)
    try:
        await driver.connect()
        before = await _see(driver, task.meter(task.old))
        if await _somebody(driver, task.meter(task.new)):
            raise CannotSet(f"a meter answers at {task.new} already", "choose another address")
    except NoAnswer as error:
        raise CannotSet(f"nobody answers at {task.old}: {error.what}", error.hint) from error
    except DriverError as error:
        raise CannotSet(f"{error.what}", error.hint or "is another program using the port?") from error
    finally:
        await driver.close()
    return before


async def _see(driver: Driver, meter: Meter) -> Seen:
    reading = await driver.read(meter)
    register, value = _main(reading)
    return Seen(register, value, await model_code(driver, meter))


async def _somebody(driver: Driver, meter: Meter) -> bool:
    """Tell whether anything answers there, be it a refusal or rubbish; two tries, since one may be lost."""
    for _ in range(2):
        try:
            await driver.read(meter)
        except NoAnswer:
            continue
        except DriverError:
            return True
        return True
    return False


def _main(reading: Reading) -> tuple[str, Number | None]:
    """Give the first counter of a reading, else its first value."""
    counters = [key for key in reading.values if key in BY_KEY and BY_KEY[key].kind == "counter"]
    key = next(iter([*counters, *reading.values]), "")
    return key, reading.values.get(key)


def _show(task: Task, before: Seen, tell: Say) -> None:
    rule = task.allowed
    registers = 2 if rule.type == "f32" else 1
    tell(f"{task.profile.title} at address {task.old} on {task.table.name}: {before.register} {before.value}")
    tell(f"Will be written: {task.new} as {rule.type} to holding register 0x{rule.at:04X}, {registers} of 16 bits,")
    tell(f"by function {rule.function}. Source: {rule.source}.")
    if rule.before:
        tell(f"First {rule.before}.")


_SETUP = "many meters take it only in their set-up mode: see the meter's manual"


async def _prove(task: Task, before: Seen, tell: Say) -> int:
    """Find the meter under its new address, and nobody under the old one."""
    driver = open_driver(task.table, Clock(trust="system").boot_ms)
    try:
        await driver.connect()
        after = await _wait_for(driver, task.meter(task.new))
        still = await _somebody(driver, task.meter(task.old))
    except DriverError as error:
        raise CannotSet(
            f"it was written, but the bus is gone: {error}", "read the meter under both addresses"
        ) from error
    finally:
        await driver.close()
    if after is None:
        where = f"still answers at {task.old}" if still else f"answers neither at {task.old} nor at {task.new}"
        tell(f"The meter {where}. {task.allowed.before or _SETUP}.")
        return 1
    tell(f"It answers at {task.new}: {after.register} {after.value} (before: {before.value}).")
    if after.code != before.code:
        tell(f"But its model code is {after.code}, before it was {before.code}: is this the same meter?")
        return 1
    if still:
        tell(f"But something still answers at {task.old}: another meter shares the line.")
        return 1
    tell(f"Put address = {task.new} into the configuration.")
    return 0


async def _wait_for(driver: Driver, meter: Meter) -> Seen | None:
    for _ in range(SETTLE):
        try:
            return await _see(driver, meter)
        except NoAnswer:
            await asyncio.sleep(1)
    return None
