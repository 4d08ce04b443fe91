"""`nabd scan [PORT|HOST …]`: finds the meters of each port or host, names them, and writes the configuration.

1. Without a port, every serial adapter is searched; they are listed by the names that a configuration should use.
2. A port that a running program uses is borrowed from it for as long as the search takes.
3. What is done, and for how long, goes to standard error; meters and TOML, or one JSON object, to standard output.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from drivers.contract import NotConnected
from drivers.modbus.driver import PORT as MODBUS_PORT
from drivers.scan import Found, Script, framing_of
from gateway.config.customers import HubConfig
from gateway.config.errors import ConfigError
from gateway.config.load import kind_of, load
from gateway.config.near import printable
from gateway.scan import plan
from gateway.scan.adapters import Adapter, adapters, stable_name
from gateway.scan.book import load_book
from gateway.scan.borrow import NotLent, borrowed
from gateway.scan.port import Progress, run
from gateway.scan.toml import Bus, add_to, text_of

Say = Callable[[str], None]

_DLMS_PORT = 4059


@dataclass
class Searched:
    """One port: what was found, or why nothing could be."""

    where: str
    found: list[Found] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    error: str | None = None


async def scan(options: Any, tell: Say, complain: Say) -> int:
    """Search what the command line names; 0 when a meter was found, 1 when none was, 2 when it could not search."""
    known = adapters(options.dev.absolute())
    if options.list:
        _show_adapters(known, tell, as_json=options.json)
        return 0 if known else 1
    ports = [stable_name(_url(port), known) for port in options.ports] or [one.name for one in known]
    if not ports:
        complain("nabd scan: there is no serial adapter here; plug one in, or name a device or a host")
        return 2
    book = load_book([options.write.parent / "meters"] if options.write else [])
    sockets: list[Path] = []
    for path in _configurations(options.config):
        try:
            sockets += _socket(path)
        except ConfigError as error:  # a file half written must not keep an installer from searching
            complain(f"nabd scan: who uses which port is not known: {error}")
    progress = _Progress(complain)
    searched = [await _search(port, book, sockets, progress, quick=options.quick) for port in ports]
    progress.end()
    return _finish(options, searched, tell, complain)


def _finish(options: Any, searched: Sequence[Searched], tell: Say, complain: Say) -> int:
    buses = [Bus(one.where, one.found) for one in searched if one.found]
    if options.json:
        tell(json.dumps({"ports": [_as_json(one) for one in searched]}, ensure_ascii=False))
    else:
        for line in (line for one in searched for line in _lines(one)):
            tell(line)
    if options.write and buses:
        try:
            added = add_to(options.write, buses)
        except (ConfigError, OSError) as error:
            complain(f"nabd scan: nothing was written: {error}")
            return 2
        complain(f"{options.write}: {'added' if added else 'all of it is there already'}")
    elif buses and not options.json:
        tell("\n# --- to paste into edge.toml or home.toml ---\n\n" + text_of(buses))
    if buses:
        return 0
    return 2 if all(one.error for one in searched) else 1


async def _search(port: str, book: plan.Book, sockets: Sequence[Path], tell: Progress, *, quick: bool) -> Searched:
    done = Searched(port)
    start = time.monotonic()
    try:
        async with borrowed(sockets, port, lambda doing: tell(f"{port}: {doing}", 0)):
            start = time.monotonic()
            for script, tcp_port in _scripts(port, book, quick=quick):
                result = await run(script, port, lambda doing, left: tell(f"{port}: {doing}", left), port=tcp_port)
                done.found, done.notes = result.found, result.notes
                if result.found:
                    break
    except (NotConnected, NotLent) as error:
        done.error = str(error)
    done.seconds = round(time.monotonic() - start, 1)
    return done


def _scripts(port: str, book: plan.Book, *, quick: bool) -> Iterable[tuple[Script[plan.Result], int | None]]:
    """Give the searches that a port can take, one after the other."""
    if port.startswith("rtu+tcp://"):
        yield plan.gateway(book), None
    elif port.startswith("tcp://"):
        is_dlms = port.endswith(f":{_DLMS_PORT}")
        yield (plan.dlms_host(book), None) if is_dlms else (plan.modbus_host(book), MODBUS_PORT)
    else:
        yield plan.serial(book, thorough=not quick), None


def _url(port: str) -> str:
    """Take a bare host as a Modbus TCP one."""
    if "://" in port or "/" in port or Path(port).exists():
        return port
    return f"tcp://{port}" if ":" in port else f"tcp://{port}:{MODBUS_PORT}"


# --- who uses a port -------------------------------------------------------------------------------------------------


def _configurations(named: Path | None) -> list[Path]:
    from gateway.cli.parts import ETC  # noqa: PLC0415  the command itself is loaded already

    return [named] if named else [path for path in (ETC / "home.toml", ETC / "edge.toml") if path.exists()]


def _socket(path: Path) -> list[Path]:
    """Name where the program of a configuration would answer; raises ConfigError."""
    config = load(path, kind_of(path))
    return [] if isinstance(config, HubConfig) else [config.journal.folder / "edge.sock"]


# --- what people see -------------------------------------------------------------------------------------------------


class _Progress:
    """One line that changes on a terminal; elsewhere a line for each new thing that is done."""

    def __init__(self, complain: Say) -> None:
        self._complain = complain
        self._last = ""
        self._terminal = sys.stderr.isatty()

    def __call__(self, doing: str, left: float) -> None:
        line = f"{doing}, about {left:.0f} s left" if left else doing
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()
        elif doing != self._last:
            self._complain(line)
        self._last = doing

    def end(self) -> None:
        """Leave the terminal's line as it was."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _lines(one: Searched) -> Iterable[str]:
    yield f"{one.where}: {_summary(one)}"
    for note in one.notes:
        yield f"  {note}"
    for meter in one.found:
        place = "" if meter.address is None else f"address {meter.address}: "
        serial = f", serial {printable(meter.serial)}" if meter.serial else ""
        yield f"  {place}{printable(meter.model)} ({meter.confidence}){serial}"
        yield f"    {printable('; '.join(meter.evidence))}"
        if meter.others:
            yield f"    or one of: {', '.join(meter.others)}"


def _summary(one: Searched) -> str:
    if one.error:
        return one.error
    if not one.found:
        return f"no meter found in {one.seconds:.0f} s"
    line = one.found[0].line
    speed = f" at {line.baud} {framing_of(line)}" if line and "://" not in one.where else ""
    count = len(one.found)
    return f"{count} meter{'s' if count > 1 else ''} on {one.found[0].driver}{speed}, in {one.seconds:.0f} s"


def _as_json(one: Searched) -> dict[str, Any]:
    return {
        "port": one.where, "seconds": one.seconds, "error": one.error, "notes": one.notes,
        "meters": [_meter_json(meter) for meter in one.found],
    }  # fmt: skip


def _meter_json(meter: Found) -> dict[str, Any]:
    shown = asdict(meter)
    line = meter.line
    shown.pop("line")
    return shown | {"baud": line.baud if line else None, "framing": framing_of(line) if line else None}


def _show_adapters(known: Sequence[Adapter], tell: Say, *, as_json: bool) -> None:
    if as_json:
        tell(json.dumps({"adapters": [asdict(one) for one in known]}))
        return
    for one in known:
        tell(f"{one.name} -> {one.device}" + ("" if one.stable else " (this name may change: it has no serial number)"))
    if not known:
        tell("there is no serial adapter here")
