"""Runs a scenario: its homes, its meters, its lines, until somebody stops it.

`meters.json` in the folder names every line and meter once all of them answer:
`{"lines": [{name, driver, where, baud, framing}], "meters": [{name, line, profile, address, key, …}],
"virtual": [{name, formula}]}`.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from simulator.scenario import LineTable, Scenario, load
from simulator.serving import Server
from simulator.stage import Clock, Stage
from simulator.wire import board_line, check_host, pty_line, tcp_line


@dataclass(frozen=True, slots=True)
class Line:
    """Where a line of the scenario can be reached, in the words of `drivers.contract.Bus`."""

    name: str
    driver: str
    where: str
    baud: int | None
    framing: str | None


async def serve(
    scenario: Path,
    folder: Path,
    *,
    report: Callable[[str], None],
    own_this_host: bool = False,
    clock: Clock = time.time,
) -> None:
    """Run a scenario until cancelled; links of serial lines and `meters.json` stand in `folder`.

    `report` gets a line for each meter when all of them answer. Raises SimulatorError, and ProfileError for a meter
    model that is not there.
    """
    plan = load(scenario)
    async with running(plan, folder, own_this_host=own_this_host, clock=clock) as lines:
        for meter in plan.meter:
            line = lines[meter.line]
            at = "" if meter.address is None else f", address {meter.address}"
            report(f"{meter.name}: {meter.profile} at {line.where}{at}")
        await asyncio.Event().wait()


@asynccontextmanager
async def running(
    plan: Scenario, folder: Path, *, own_this_host: bool = False, clock: Clock = time.time
) -> AsyncIterator[Mapping[str, Line]]:
    """Run a scenario for as long as the context lasts, and give its lines by name; raises as `serve` does."""
    for table in plan.line:
        check_host(table.host, own_this_host=own_this_host)
    folder.mkdir(parents=True, exist_ok=True)
    stage = Stage(plan, clock)
    lines: dict[str, Line] = {}
    async with AsyncExitStack() as stack:
        for table in plan.line:
            driver, server = stage.line(table)
            where = await _reach(table, server, folder, stack, own_this_host=own_this_host)
            lines[table.name] = Line(table.name, driver, where, table.baud, table.framing if table.baud else None)
        listing = folder / "meters.json"
        listing.write_text(_listing(plan, lines), encoding="utf-8")
        stack.callback(listing.unlink, missing_ok=True)
        yield lines


async def _reach(table: LineTable, server: Server, folder: Path, stack: AsyncExitStack, *, own_this_host: bool) -> str:
    """Put a wire before a server, and say where it is."""
    if table.kind == "pty":
        link = folder / table.name
        await stack.enter_async_context(pty_line(server, link))
        return str(link.absolute())
    if table.kind == "board":
        socket = folder / f"{table.name}.sock"
        await stack.enter_async_context(board_line(server, socket))
        return str(socket.absolute())
    listener = tcp_line(server, table.host, table.port, own_this_host=own_this_host)
    return f"{table.kind}://{table.host}:{await stack.enter_async_context(listener)}"


def _listing(plan: Scenario, lines: Mapping[str, Line]) -> str:
    shown = {"name", "line", "profile", "address", "key", "auth_key", "password"}
    listing = {
        "lines": [asdict(line) for line in lines.values()],
        "meters": [meter.model_dump(include=shown) for meter in plan.meter],
        "virtual": [table.model_dump() for table in plan.virtual],
    }
    return json.dumps(listing, indent=1)
