"""The back end that the documentation shows takes a fleet over from the hub, and nothing is missing."""

import asyncio
import contextlib
import json
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import Stack

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "docs/examples/back_end.py"


@contextlib.asynccontextmanager
async def _back_end(port: int, database: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), f"mqtt://127.0.0.1:{port}", str(database), stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _rows(path: Path, query: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(path)) as database, contextlib.suppress(sqlite3.OperationalError):
        return database.execute(query).fetchall()
    return []


@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)
async def test_a_back_end_of_one_file_keeps_every_reading(stack: Stack, broker: Any, tmp_path: Path) -> None:
    """Killed in between and started again it has every number once, and the edge has nothing left to send."""
    await stack.until_stored(20)
    await stack.kill("hub")
    path = tmp_path / "own.sqlite"
    async with _back_end(broker.port, path):
        until = time.monotonic() + 30
        while len(_rows(path, "SELECT 1 FROM reading")) < 20:
            assert time.monotonic() < until, (await stack.status("edge"), stack.log("edge"))
            await asyncio.sleep(0.2)
    async with _back_end(broker.port, path):
        await stack.drain(30)
    stored = {seq for _, _, seq, _ in stack.rows()}
    taken = [seq for (seq,) in _rows(path, "SELECT seq FROM reading")]
    assert len(taken) == len(set(taken))
    assert stored | set(taken) == set(range(1, max(taken) + 1))
    (values,) = _rows(path, "SELECT v FROM reading LIMIT 1")[0]
    assert json.loads(values)["energy_import_wh"] > 0
