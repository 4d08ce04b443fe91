"""What `nabd read` and `nabd status` print: a table for people, or one JSON object."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drivers.contract import Driver, DriverError, HasBudget, HasNameplate, Meter
from drivers.quantities import BY_KEY
from gateway import control
from gateway.clock import Clock
from gateway.config.build import meter_id, meter_of
from gateway.config.customers import Document, HomeConfig, HubConfig
from gateway.config.models import EdgeConfig, MeterTable
from gateway.scaling import scaling_of, shown
from gateway.station import open_driver
from gateway.virtual.build import cannot_be_read

LONGEST_READ = 300.0
"""Seconds to wait for a reading by a running program: a full list at 300 baud takes two minutes and a half."""


def socket_of(config: Document) -> Path:
    """Name the socket on which a running program answers."""
    if isinstance(config, HubConfig):
        return config.hub.database.parent / "hub.sock"
    return config.journal.folder / "edge.sock"


async def read(config: Document, name: str, *, as_json: bool) -> int:
    """Read one meter now: through the running program when there is one, else straight from its bus."""
    if isinstance(config, HubConfig):
        print("nabd: a hub has no meters; name an edge.toml or home.toml with -c", file=sys.stderr)
        return 2
    meter = next((row for row in config.meter if name in (row.name, meter_id(config, row))), None)
    if meter is None:
        try:
            cannot_be_read(config, name)
        except DriverError as error:
            print(f"nabd: {error}", file=sys.stderr)
            return 2
        names = ", ".join(row.name for row in config.meter) or "none"
        print(f"nabd: there is no meter {name!r}; configured: {names}", file=sys.stderr)
        return 2
    try:
        answer = await control.ask(socket_of(config), {"do": "read", "meter": meter.name}, timeout=LONGEST_READ)
    except control.NobodyThere:
        answer = await _read_directly(config, meter)
    if "error" in answer:
        print(f"nabd: {answer['error']}", file=sys.stderr)
        return 1
    print(json.dumps(answer) if as_json else _reading_table(meter, answer))
    return 0


async def _read_directly(config: EdgeConfig | HomeConfig, row: MeterTable) -> dict[str, Any]:
    bus = next(bus for bus in config.bus if bus.name == row.bus)
    driver = open_driver(bus, Clock(trust="system").boot_ms, _own(config.journal.folder))
    meter = meter_of(config, row)
    try:
        await driver.connect()
        async with asyncio.timeout(max(30.0, 3 * meter.deadline, _budget(driver, meter))):
            reading = await driver.read(meter)
            other = await _other_model(driver, meter)
            plate = dict(await driver.nameplate(meter)) if isinstance(driver, HasNameplate) else {}
    except DriverError as error:
        return {"error": str(error)}
    except TimeoutError:
        return {"error": f"{meter.id}: no answer (check wiring, address and speed)"}
    finally:
        await driver.close()
    more = {"other_model": other, "nameplate": plate}
    return shown(reading, scaling_of(row)) | {key: value for key, value in more.items() if value}


def _own(folder: Path) -> Path | None:
    """Give the folder if its files are ours to write: one of root's in it would lock the service out."""
    return folder if folder.is_dir() and folder.stat().st_uid == os.geteuid() else None


def _budget(driver: Driver, meter: Meter) -> float:
    return driver.budget(meter) if isinstance(driver, HasBudget) else 0.0


async def _other_model(driver: Driver, meter: Meter) -> str | None:
    """Name the model that the meter says it is, where that is another one than its profile's."""
    if meter.profile.driver != "modbus":
        return None
    from drivers.modbus.model_code import other_model  # noqa: PLC0415  a house with P1 only needs none of it

    return await other_model(driver, meter)


def _reading_table(meter: MeterTable, answer: Mapping[str, Any]) -> str:
    profile = meter.profile
    doubt = "" if profile.evidence == "two-sources" else ", unconfirmed: its registers come from one source"
    lines = [f"{answer['meter']}: {profile.title}{doubt}", ""]
    raw = answer.get("raw", {})
    for key, value in answer["values"].items():
        row = BY_KEY[key]
        unit = row.unit if row.unit != "1" else ""
        meant = f"   the meter says {raw[row.key]} {unit}" if row.key in raw else ""
        lines.append(f"  {row.name:26} {value!s:>16} {unit:5} {row.obis:8}{meant}".rstrip())
    missing = [row.name for row in profile.rows if row.key not in answer["values"]]
    if missing and profile.driver == "modbus":  # a P1 profile names what many ports might say
        lines.append(f"\n  no value of: {', '.join(missing)}")
    if raw:
        lines.append(f"\n  Ratio {meter.ratio:g} and offset {meter.offset:g} of the configuration are applied.")
    if answer.get("nameplate"):
        said = ", ".join(f"{name} {text}" for name, text in answer["nameplate"].items())
        lines.append(f"\n  it is {said}")
    if answer.get("other_model"):
        lines.append(f"\n  Warning: its id code says {answer['other_model']}, the profile is for {profile.title}.")
        lines.append("  Do not trust these values before the profile fits.")
    if answer.get("status"):
        lines.append(f"\n  the meter says: {', '.join(answer['status'])}")
    return "\n".join(lines)


async def status(config: Document, *, as_json: bool) -> int:
    """Ask the running program how it fares."""
    try:
        answer = await control.ask(socket_of(config), {"do": "status"})
    except control.NobodyThere as error:
        print(f"nabd: nothing runs with this configuration (nobody answers at {error})", file=sys.stderr)
        return 1
    print(json.dumps(answer) if as_json else "\n".join(_lines(answer)))
    return 0


_ONE = {"buses": "bus", "meters": "meter"}


async def reload(config: Document, *, local: bool = False) -> int:
    """Let the running program take its changed file over, and say what changed; `local` drops what a hub sent."""
    from gateway.reload import said_of  # noqa: PLC0415

    try:
        answer = await control.ask(socket_of(config), {"do": "reload", "local": local}, timeout=60)
    except control.NobodyThere as error:
        print(f"nabd: nothing runs with this configuration (nobody answers at {error})", file=sys.stderr)
        return 1
    if "error" in answer:
        print(f"nabd: {answer['error']}", file=sys.stderr)
        return 1
    print(said_of(answer))
    return 0


def tell_link(address: str) -> None:
    """Tell whoever started a program at a terminal how to open its pages; a service's log is no place for a secret."""
    if sys.stdout.isatty():
        print(f"Open: {address}", flush=True)


def _lines(answer: Mapping[str, Any], indent: str = "") -> list[str]:
    """Lay out nested numbers as an indented list; buses and meters one line each."""
    lines = []
    for key, value in answer.items():
        label = key.replace("_", " ")
        if value in ("", None, [], {}):
            continue
        if isinstance(value, Mapping):
            lines.append(f"{indent}{label}")
            lines += _lines(value, indent + "  ")
        elif isinstance(value, list) and isinstance(value[0], Mapping):
            for item in value:
                name = item.get("name") or item.get("id")
                lines.append(f"{indent}{_ONE[key]} {name}")
                lines += _lines({k: v for k, v in item.items() if k not in ("name", "id")}, indent + "  ")
        else:
            lines.append(f"{indent}{label + ':':24} {value}")
    return lines
