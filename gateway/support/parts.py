"""Gathers the parts of a bundle, unredacted; a part that cannot be had says why instead of missing."""

import asyncio
import json
import os
import platform
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from gateway import VERSION, control
from gateway.clock import SystemProbe
from gateway.config.customers import Document, HubConfig
from gateway.config.errors import ConfigError
from gateway.config.load import kind_of, load
from gateway.config.report import check
from gateway.doctor.visit import World, visit
from gateway.doctor_cmd import as_json
from gateway.flash import advice
from gateway.show import socket_of

LOG_LINES = 500
"""The last day of a program that is unwell; a healthy one logs nothing."""
PATIENCE = 120.0
"""Seconds a visit to silent meters may take."""

Part = str | Mapping[str, Any] | list[Any]
Run = Callable[[list[str]], str]


@dataclass(frozen=True, slots=True)
class Here:
    """The machine, so that tests can hand in another: how commands run, and what a doctor looks at."""

    run: Run
    world: World


def run_command(command: list[str]) -> str:
    """Give what a command prints, or why it cannot run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=15, check=False, errors="replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"not to be had: {error}"
    return done.stdout or f"not to be had: {done.stderr.strip() or 'nothing was said'}"


async def gather(path: Path, here: Here, *, with_readings: bool) -> dict[str, Part]:
    """Gather everything by its file's name; `path` is the configuration."""
    parts: dict[str, Part] = {"versions.json": versions()}
    try:
        kind = kind_of(path)
        config: Document = load(path, kind)
        parts["check.txt"] = check(path, kind)
    except (ConfigError, OSError) as error:
        return parts | {"check.txt": str(error)}
    parts["status.json"] = await _status(config)
    parts["doctor.json"] = await _doctor(config, here.world, path)
    parts["box.json"] = _box(config)
    parts["unit.txt"] = here.run(["systemctl", "show", f"nabd-{kind}", "--property", _PROPERTIES])
    parts["log.txt"] = here.run(["journalctl", "-u", f"nabd-{kind}", "-n", str(LOG_LINES), "-o", "cat", "--no-pager"])
    if not isinstance(config, HubConfig):
        parts["journal.json"] = await _journal(config.journal.folder, config.gateway.id, "ls")
        if with_readings:
            parts["readings.jsonl"] = await _journal(config.journal.folder, config.gateway.id, "export")
    return parts


_PROPERTIES = (
    "LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStatus,MemoryCurrent,StatusText,ActiveEnterTimestamp"
)


def versions() -> dict[str, Any]:
    """Say what runs here; no name of the machine."""
    return {
        "nabd": VERSION,
        "python": sys.version.split()[0],
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": dict(sorted((found.name, found.version) for found in distributions())),
    }


async def _status(config: Document) -> Part:
    try:
        return await control.ask(socket_of(config), {"do": "status"})
    except control.NobodyThere:
        return {"error": "nothing runs with this configuration, or we may not ask it"}


async def _doctor(config: Document, world: World, path: Path) -> Part:
    try:
        async with asyncio.timeout(PATIENCE):
            return as_json(await visit(config, world, lambda *_: None, file=path), "en")
    except TimeoutError:
        return {"error": f"not done within {PATIENCE:.0f} s"}


def _box(config: Document) -> Part:
    folder = config.hub.database.parent if isinstance(config, HubConfig) else config.journal.folder
    state, error_ms = SystemProbe()()
    box: dict[str, Any] = {"clock": {"state": state, "error_ms": error_ms}, "load": os.getloadavg()}
    try:
        disk = os.statvfs(folder)
        box["disk"] = {"bytes": disk.f_blocks * disk.f_frsize, "free": disk.f_bavail * disk.f_frsize}
        box["files"] = {name.name: name.stat().st_size for name in sorted(folder.iterdir()) if name.is_file()}
        box["flash"] = advice(folder, 10.0) or "mounted well"
    except OSError as error:
        box["disk"] = {"error": error.strerror}
    return box


async def _journal(folder: Path, gateway: str, what: str) -> Part:
    """Let `nabd journal` say what it says, in a thread, since it starts a loop of its own."""
    from gateway import journal_cmd  # noqa: PLC0415  a hub has no journal
    from gateway.journal import JournalError  # noqa: PLC0415

    told: list[str] = []
    options = Namespace(command="journal", what=what, json=True, unsent=False)
    try:
        await asyncio.to_thread(journal_cmd.run, options, folder, gateway, told.append, told.append)
    except JournalError as error:
        return {"error": str(error)}
    return json.loads(told[0]) if what == "ls" else "\n".join(told)
