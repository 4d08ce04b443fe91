"""A server killed with SIGKILL after its own "durable after" keeps all that it took."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.store.contract import Row, Stored, TryAgain

T0 = 1700000000000
ROW = Row("t", "gw-1", "gw-1_main", T0, 0, 1, 0, {"energy_import_wh": 607447.1}, "electricity")


@pytest.mark.parametrize("kind", ["postgres", "influx-engine", "victoria"])
async def test_what_is_durable_survives_kill_9(bench: Callable[[str], Any], kind: str) -> None:
    """Two thousand readings in batches; killed when the last one's promise is due; all are there afterwards."""
    async with bench(kind) as on:
        rows = [replace(ROW, meter=f"m-{n % 10}", ts=T0 + n, seq=n) for n in range(2000)]
        promise = 0.0
        for start in range(0, 2000, 500):
            verdict = await on.store.write(rows[start : start + 500])
            assert isinstance(verdict, Stored)
            promise = verdict.durable_after
        await asyncio.sleep(promise)
        on.server.kill()
        assert isinstance(await on.store.write(rows[:1]), TryAgain)
        on.server.start()
        assert await on.store.count() == 2000
        assert len(await on.store.query("t", "m-3", 0, T0 * 2)) == 200
        assert isinstance(await on.store.write([replace(ROW, ts=T0 - 1)]), Stored)


async def test_victoria_needs_its_waiting_time(bench: Callable[[str], Any]) -> None:
    """Killed at once it forgets what it answered 204 to: without `durable_after` readings would be lost."""
    async with bench("victoria") as on:
        assert await on.store.write([ROW]) == Stored(30.0)
        on.server.kill()
        on.server.start()
        assert await on.store.count() == 0
