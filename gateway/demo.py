"""`nabd demo`: simulated meters on real wires, an edge, an embedded broker and a hub, each its own process.

1. Set up: a folder for all files, then simulator, broker, hub, edge; each is awaited before the next needs it.
2. Run: every few seconds one line says how many readings went how far. The page's address stands above it.
3. Messages of alerts arrive at receivers of the demo's own (`receivers.py`), which show and answer them.
4. Finish, after `--for` seconds: polling stops, the journal drains (15 s at most), a table and one JSON line follow.

Exit codes: 0 when every reading that was read is in the store, none was lost, and every alert reached every channel; 1
otherwise; 2 when set-up failed.
"""

import asyncio
import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway import control
from gateway.broker import embedded_broker
from gateway.demo_files import edge_toml, hub_toml, key_files
from gateway.demo_parts import Result, SetUpFailed, answering, child, wires_of
from gateway.receivers import Receivers

DRAIN_LIMIT = 15.0
TELL_EVERY = 5.0


async def run(seconds: float | None, folder: Path | None, listen: str, scenario: str = "home") -> Result:
    """Run the demo for so many seconds, or until interrupted, on a scenario by name or file."""
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nabd-")))
        folder.mkdir(parents=True, exist_ok=True)
        try:
            async with (
                Receivers(lambda line: print(line, flush=True)) as receivers,
                _parts(folder.absolute(), listen, scenario, receivers) as (edge, hub),
            ):
                return await _watch(edge, hub, receivers, seconds)
        except SetUpFailed as error:
            print(f"nabd demo: {error}", file=sys.stderr)
            return Result(2)


@contextlib.asynccontextmanager
async def _parts(folder: Path, listen: str, scenario: str, receivers: Receivers) -> AsyncIterator[tuple[Path, Path]]:
    """Start everything; give the sockets of edge and hub."""
    async with contextlib.AsyncExitStack() as stack:
        print(f"Files: {folder}", flush=True)
        _begin_anew(folder)
        if Path(scenario).is_file():
            scenario = str(Path(scenario).absolute())  # the children run in the folder
        simulator = await stack.enter_async_context(
            child(folder, "simulate", scenario, "--folder", str(folder / "wires"))
        )
        wires = await wires_of(folder / "wires" / "meters.json", simulator)
        url = await stack.enter_async_context(embedded_broker())
        hub_text = hub_toml(url, listen, receivers.channels_toml())
        (folder / "hub.toml").write_text(hub_text, encoding="utf-8")
        _keep_keys(folder, key_files(wires))
        edge_text = edge_toml(url, wires, short_leak=Path(scenario).stem == "alerts")
        (folder / "edge.toml").write_text(edge_text, encoding="utf-8")
        hub = await stack.enter_async_context(child(folder, "hub", "-c", str(folder / "hub.toml")))
        await answering(folder / "hub.sock", hub)
        edge = await stack.enter_async_context(child(folder, "edge", "-c", str(folder / "edge.toml")))
        await answering(folder / "journal" / "edge.sock", edge)
        link = (await control.ask(folder / "hub.sock", {"do": "link"}))["link"]
        print(f"Open:  {link}   (once; the same in Arabic: {link}?lang=ar)", flush=True)
        print("Stop with Ctrl-C.\n", flush=True)
        yield folder / "journal" / "edge.sock", folder / "hub.sock"


def _keep_keys(folder: Path, files: Mapping[str, str]) -> None:
    """Write secrets so that nobody else may read them, as an installer would."""
    for name, text in files.items():
        path = folder / name
        path.touch(0o600)
        path.chmod(0o600)
        path.write_text(text, encoding="ascii")


def _begin_anew(folder: Path) -> None:
    """Remove what an earlier demo left, so that every figure is this one's."""
    (folder / "wires" / "meters.json").unlink(missing_ok=True)
    shutil.rmtree(folder / "journal", ignore_errors=True)
    for left in (*folder.glob("hub.sqlite*"), *folder.glob("readings.sqlite*")):
        left.unlink()


@dataclass(frozen=True)
class Figures:
    """How many readings came how far."""

    read: int
    published: int
    stored: int
    lost: int
    pending: int
    alerts: int


async def _figures(edge: Path, hub: Path) -> Figures:
    here, there = await control.ask(edge, {"do": "status"}), await control.ask(hub, {"do": "status"})
    journal = here["journal"]
    return Figures(
        here["read"],
        here["uplink"]["readings"],
        there["stored"],
        sum(journal["losses"].values()),
        journal["pending"],
        here["alerts"]["raised"],
    )


async def _watch(edge: Path, hub: Path, receivers: Receivers, seconds: float | None) -> Result:
    started = time.monotonic()
    figures = Figures(0, 0, 0, 0, 0, 0)
    try:
        while seconds is None or time.monotonic() - started < seconds:
            left = TELL_EVERY if seconds is None else min(TELL_EVERY, started + seconds - time.monotonic())
            await asyncio.sleep(max(left, 0))
            figures = await _figures(edge, hub)
            print(
                f"{time.monotonic() - started:6.0f} s   read {figures.read}   published {figures.published}"
                f"   stored {figures.stored}   lost {figures.lost}",
                flush=True,
            )
    except asyncio.CancelledError:
        if seconds is not None:
            raise
        return Result(0)
    figures = await _drain(edge, hub, receivers)
    result = _finish(seconds or 0.0, figures, receivers)
    await _tell_silent(edge)
    return result


async def _tell_silent(edge: Path) -> None:
    """Name the meters that never answered: no reading of theirs is lost, there was none."""
    here = await control.ask(edge, {"do": "status"})
    for meter in (meter for bus in here["buses"] for meter in bus["meters"] if not meter["read"]):
        print(f"  silent: {meter['model']}, {meter['error']}", flush=True)


async def _drain(edge: Path, hub: Path, receivers: Receivers) -> Figures:
    """Stop polling and wait until the store and the readers have everything, 15 s at most."""
    await control.ask(edge, {"do": "drain"})
    until = time.monotonic() + DRAIN_LIMIT
    figures = await _figures(edge, hub)
    while (figures.pending or not receivers.complete(figures.alerts)) and time.monotonic() < until:
        await asyncio.sleep(0.2)
        figures = await _figures(edge, hub)
    return figures


def _finish(seconds: float, figures: Figures, receivers: Receivers) -> Result:
    lost = figures.lost + max(figures.read - figures.stored - figures.lost, 0)
    delivered = {channel: len(alerts) for channel, alerts in receivers.told.items()}
    print("\n  read      published  stored    lost      alerts    " + "   ".join(delivered))
    counts = [figures.read, figures.published, figures.stored, lost, figures.alerts, *delivered.values()]
    widths = [9, 10, 9, 9, 9, *(len(channel) + 2 for channel in delivered)]
    print("  " + " ".join(f"{count:<{width}}" for count, width in zip(counts, widths, strict=True)) + "\n", flush=True)
    summary = {
        "seconds": int(seconds) if float(seconds).is_integer() else seconds,
        "read": figures.read,
        "published": figures.published,
        "stored": figures.stored,
        "lost": lost,
        "alerts": figures.alerts,
        "delivered": delivered,
    }
    well = figures.read == figures.stored and figures.read > 0 and lost == 0 and receivers.complete(figures.alerts)
    return Result(0 if well else 1, summary)
