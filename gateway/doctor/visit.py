"""One visit: looks at everything a configuration names, in the order in which faults hide one another.

1. The box, the disk, the broker.
2. Each bus: of a running program that program is asked. Otherwise the port, then the meters, and where these cannot be
   read well, the line.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.contract import Bus, Driver, Meter, NotConnected
from drivers.link import Line
from gateway import control
from gateway.clock import SystemProbe, boot_ms, wall_ms
from gateway.commission.serials import remembered
from gateway.config.build import bus_of, endpoint_of, meter_id, meter_of
from gateway.config.customers import Document, HomeConfig, HubConfig
from gateway.config.errors import ConfigError
from gateway.config.models import BusTable, EdgeConfig, MeterTable
from gateway.doctor import box, broker, bus, line, port
from gateway.doctor.finding import Finding, Report
from gateway.message import ClockState
from gateway.scan.adapters import adapters
from gateway.scan.port import run
from gateway.show import LONGEST_READ, socket_of
from gateway.station import open_driver
from gateway.transport import Connect, Endpoint

Tell = Callable[[str, str], None]
"""Is told what is looked at, by a word of `texts.WHATS`, and where."""

Wired = EdgeConfig | HomeConfig

USUAL = {
    "modbus": Line(9600, 8, "N", 1), "mbus": Line(2400, 8, "E", 1), "p1": Line(115_200, 8, "N", 1),
    "sml": Line(9600, 8, "N", 1), "wmbus": Line(57_600, 8, "N", 1), "iec62056": Line(300, 7, "E", 1),
}  # fmt: skip
"""What drivers take where the configuration is silent; a line of another protocol is not searched."""


async def _dial(endpoint: Endpoint, timeout: float = 10.0) -> Any:
    from gateway.mqtt import connect  # noqa: PLC0415  a house without a broker needs no MQTT

    return await connect(endpoint, timeout)


def _clock() -> ClockState:
    return SystemProbe()()[0]


@dataclass
class World:
    """All that a visit touches, so that tests can hand in another: files, clock, time, broker, drivers."""

    root: Path = Path("/")
    clock: Callable[[], ClockState] = _clock
    now: Callable[[], float] = field(default=lambda: wall_ms() / 1000)
    connect: Connect = _dial
    ports: Callable[[], list[str]] = field(default=lambda: [one.name for one in adapters()])
    open_driver: Callable[[BusTable], Driver] = field(default=lambda table: open_driver(table, boot_ms))


async def visit(config: Document | None, world: World, tell: Tell, *, file: Path | None = None) -> Report:
    """Look at everything; never raises for a fault of what it looks at."""
    report = Report()
    ours = config is None or _is_ours(config)
    status = await _status(config) if ours else {}
    _look_at_box(report, config, status, world, tell, file)
    if config is not None:
        _look_at_disk(report, config, status, world, tell, ours=ours)
    if config is None:
        for name in world.ports():
            report.add("port", name, port.judge(port.probe(name, (), proc=world.root / "proc")))
        report.skip("bus", "", "no_configuration")
        report.skip("broker", "", "no_configuration")
        return report
    await _look_at_broker(report, config, status, world, tell)
    if not isinstance(config, HubConfig):
        for table in config.bus:
            tell("bus", table.name)
            told = bus.told_of(status, table.name)
            if not ours:
                report.skip("bus", table.name, "not_ours")
            elif told is not None:
                await _judge_running(report, table, told, config, world)
            else:
                await _look_at_bus(report, table, config, world, tell)
    return report


def _is_ours(config: Document) -> bool:
    """Tell whether we may ask a running program; who may not cannot know whether one runs, and keeps off its ports."""
    try:
        next(_folder(config).iterdir(), None)
        status = socket_of(config).stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return os.geteuid() in (0, status.st_uid)


async def _status(config: Document | None) -> Mapping[str, Any]:
    if config is not None:
        with suppress(control.NobodyThere):
            return await control.ask(socket_of(config), {"do": "status"})
    return {}


def _look_at_box(
    report: Report, config: Document | None, status: Mapping[str, Any], world: World, tell: Tell, file: Path | None
) -> None:
    tell("box", "")
    trusted = isinstance(config, EdgeConfig | HomeConfig) and config.clock.trust == "system"
    state: ClockState = "synced" if trusted else status.get("clock") or world.clock()
    files = [Path(__file__), *([file] if file else []), *([_folder(config)] if config else [])]
    report.add("box", "", box.judge_box(box.probe_box(state, world.now(), files, world.root)))


def _look_at_disk(
    report: Report, config: Document, status: Mapping[str, Any], world: World, tell: Tell, *, ours: bool
) -> None:
    folder = _folder(config)
    tell("disk", str(folder))
    if not ours:
        report.skip("disk", str(folder), "not_ours")
        return
    window = 10.0 if isinstance(config, HubConfig) else config.journal.window
    fault = status.get("journal", {}).get("degraded", "")
    wear = status.get("flash", {}).get("warning", "")
    report.add("disk", str(folder), box.judge_disk(box.probe_disk(folder, window, world.root, fault, wear)))


def _folder(config: Document) -> Path:
    return config.hub.database.parent if isinstance(config, HubConfig) else config.journal.folder


async def _look_at_broker(
    report: Report, config: Document, status: Mapping[str, Any], world: World, tell: Tell
) -> None:
    if config.mqtt is None:
        return
    where = config.mqtt.url.rpartition("@")[2]
    tell("broker", where)
    if status.get("uplink", {}).get("connected"):
        report.add("broker", where, [])
        return
    if isinstance(config, HubConfig):
        name, user = config.hub.id, None
    else:
        name, user = config.gateway.id, f"{config.gateway.tenant}/{config.gateway.id}"
    try:
        endpoint = endpoint_of(config.mqtt, name, user=user)
    except ConfigError:
        report.skip("broker", where, "not_ours")
        return
    report.add("broker", where, broker.judge(await broker.probe(world.connect, endpoint), box.shown(world.now())))


# --- a bus -----------------------------------------------------------------------------------------------------------


async def _judge_running(report: Report, table: BusTable, told: bus.BusSeen, config: Wired, world: World) -> None:
    """Judge what the running program says; a port it cannot open is looked at, and not touched."""
    if told.lent:
        report.skip("bus", table.name, "lent")
        return
    if not told.connected and told.fault:
        report.add("bus", table.name, _unopened(table, told.fault, world, _owner(config)))
        return
    known = serials(config, [row for row in config.meter if row.bus == table.name])
    if known:
        await _ask_serials(config, table.name, told)
    if not any(meter.serial for meter in told.meters):
        report.skip("serial", table.name, "beside_running")
    report.add("bus", table.name, bus.judge_meters(told, {}, known) + bus.judge_counters(told))


async def _ask_serials(config: Wired, name: str, told: bus.BusSeen) -> None:
    """Let the running program ask its meters what they are."""
    with suppress(control.NobodyThere):
        answer = await control.ask(socket_of(config), {"do": "nameplates", "bus": name}, timeout=LONGEST_READ)
        for meter in told.meters:
            meter.serial = answer.get("nameplates", {}).get(meter.id, {}).get("serial", "")


def _unopened(table: BusTable, fault: str, world: World, user: int) -> list[Finding]:
    if table.device is None:
        return [Finding("host_unreachable", table.url or "", {"reason": fault})]
    facts = port.probe(table.device, world.ports(), proc=world.root / "proc", touch=False)
    return port.judge(port.with_fault(facts, fault, user))


def _owner(config: Wired) -> int:
    """Give the user that a running program is."""
    try:
        return socket_of(config).stat().st_uid
    except OSError:
        return os.geteuid()


async def _look_at_bus(report: Report, table: BusTable, config: Wired, world: World, tell: Tell) -> None:
    if table.device is not None:
        tell("port", table.device)
        found = port.judge(port.probe(table.device, world.ports(), proc=world.root / "proc"))
        report.add("port", table.device, found)
        if found:
            report.skip("bus", table.name, "faults_before")
            return
    elif (table.url or "").startswith("capture:"):
        report.skip("bus", table.name, "recording")
        return
    rows = [row for row in config.meter if row.bus == table.name]
    if not rows:
        report.skip("bus", table.name, "no_meters")
        return
    try:
        meters = [meter_of(config, row) for row in rows]
    except ConfigError:
        report.skip("bus", table.name, "not_ours")
        return
    tell("bus", table.name)
    seen = await bus.read_all(table.name, world.open_driver(table), meters)
    if not seen.connected:
        report.add("bus", table.name, _unopened(table, seen.fault, world, os.geteuid()))
        return
    findings = bus.judge_meters(seen, {meter.id: meter.profile.title for meter in meters}, serials(config, rows))
    of_line = await _look_at_line(table, meters, tell) if seen.suffers else []
    if any(one.code in line.EXPLAIN for one in of_line):
        findings = [one for one in findings if one.code != "meter_silent"]
    for meter in (one for one in seen.meters if one.waited):
        report.skip("bus", f"{table.name} {meter.id}", "too_slow")
    report.add("bus", table.name, [*(of_line or bus.judge_counters(seen)), *findings])
    if not any(meter.serial and serials(config, rows).get(meter.id) for meter in seen.meters):
        report.skip("serial", table.name, "not_told")


async def _look_at_line(table: BusTable, meters: list[Meter], tell: Tell) -> list[Finding]:
    """Search the line for what spoils it; nothing of a protocol whose lines cannot be searched."""
    usual = USUAL.get(table.driver)
    if usual is None or (table.url or "").startswith("tcp://"):
        return []
    made = bus_of(table)
    configured = _line_of(made, usual)
    script = line.examine(table.driver, configured, [meter.address for meter in meters])
    try:
        facts = await run(script, made.where, lambda doing, _left: tell("bus", f"{table.name}: {doing}"))
    except NotConnected:
        return []
    return line.judge(table.name, table.driver, facts)


def _line_of(made: Bus, usual: Line) -> Line:
    return Line.of(made, usual.baud, f"{usual.bits}{usual.parity}{usual.stop}")


def serials(config: Wired, rows: list[MeterTable]) -> dict[str, str]:
    """Give the serial numbers that are known: of an id of maker and number, else of the commissioning."""
    before = remembered(config.journal.folder)
    known = {}
    for row in rows:
        text, name = row.id or "", meter_id(config, row)
        number = text[len(text.rstrip("0123456789")) :]
        if len(number) >= SERIAL:
            known[name] = number
        elif name in before:
            known[name] = before[name]
    return known


SERIAL = 6
"""Digits of a number that is a serial number and no count of flats."""
