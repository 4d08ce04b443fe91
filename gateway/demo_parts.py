"""The programs a demo starts: each a process of its own with a log in the demo's folder, awaited and ended in order."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import control

START_LIMIT = 30.0


@dataclass(frozen=True)
class Result:
    """How the demo ended; `summary` is None where it never ran."""

    code: int
    summary: Mapping[str, Any] | None = None


class SetUpFailed(Exception):  # noqa: N818
    """One of the parts did not come up; the text says which and what it said."""


@dataclass(frozen=True)
class Child:
    """One part of the demo; `log` is the file that has its standard error."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    def check(self) -> None:
        """Raise SetUpFailed when the part has ended."""
        if self.process.returncode is not None:
            said = self.log.read_text(encoding="utf-8", errors="replace").strip()[-2000:]
            raise SetUpFailed(f"{self.name} ended with code {self.process.returncode}:\n{said}")


@contextlib.asynccontextmanager
async def child(folder: Path, *arguments: str) -> AsyncIterator[Child]:
    """Run `nabd ARGUMENTS` as long as the block does; SIGTERM ends it, and SIGKILL if that is not heard."""
    log = folder / f"{arguments[0]}.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway.cli",
            *arguments,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=errors,
            cwd=folder,
        )
    try:
        yield Child(arguments[0], process, log)
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(8):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def wires_of(path: Path, simulator: Child) -> Mapping[str, Any]:
    """Wait until the simulator says where its meters are."""
    for _ in range(int(START_LIMIT * 10)):
        simulator.check()
        if path.exists():
            meters: dict[str, Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
            return meters
        await asyncio.sleep(0.1)
    raise SetUpFailed("the simulator did not start in time")


async def answering(socket: Path, part: Child) -> Mapping[str, Any]:
    """Wait until a part answers."""
    for _ in range(int(START_LIMIT * 10)):
        part.check()
        with contextlib.suppress(control.NobodyThere):
            answer = await control.ask(socket, {"do": "status"})
            if answer.get("pages") != []:
                return answer
        await asyncio.sleep(0.1)
    raise SetUpFailed(f"{part.name} did not start in time; see {part.log}")
