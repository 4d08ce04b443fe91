"""PostgreSQL: restarts, refusals and what a person must mend, on the real server."""

import asyncio
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.config.customers import StoreTable
from gateway.store.contract import Row, Stored, StoreError, TryAgain
from gateway.store.postgres import PostgresStore, from_config
from gateway.store.postgres_thinning import thin
from tests.support.servers import Postgres

T0 = 1700000000000
ROW = Row("t", "gw-1", "m", T0, 77, 1, 0, {"power_w": 1.0}, "electricity")


async def test_other_programs_find_the_columns_they_rely_on(bench: Callable[[str], Any]) -> None:
    """The names are a promise; JSON keeps numbers as they came."""
    async with bench("postgres") as on:
        await on.store.write([replace(ROW, v={"power_w": 3, "energy_import_wh": "90071992547409931.5"})])
        database = on.store._url.path.strip("/")
        said = on.server.sql("SELECT tenant, meter, ts, gw, stream, seq, q, v, commodity FROM reading", database)
        assert said == f't|m|{T0}|gw-1|77|1|0|{{"power_w":3,"energy_import_wh":"90071992547409931.5"}}|electricity'


async def test_a_commit_is_on_disk_whatever_the_server_prefers(bench: Callable[[str], Any]) -> None:
    """A database with synchronous_commit off still makes our session wait for the disk."""
    async with bench("postgres") as on:
        database = on.store._url.path.strip("/")
        assert on.server.sql(f"ALTER DATABASE {database} SET synchronous_commit = off") is not None
        async with on.store._session() as connection:
            assert await connection.fetchval("SHOW synchronous_commit") == "on"


async def test_the_same_stream_comes_back(bench: Callable[[str], Any]) -> None:
    """All of 48 bits."""
    async with bench("postgres") as on:
        row = replace(ROW, stream=(1 << 48) - 1, seq=(1 << 63) - 1)
        await on.store.write([row])
        assert await on.store.latest("t") == [row]


async def test_numbers_beyond_a_column_are_rejected_alone(bench: Callable[[str], Any]) -> None:
    """A number that PostgreSQL cannot hold costs its own reading."""
    async with bench("postgres") as on:
        rows = [replace(ROW, ts=T0 + n) for n in range(5)]
        rows[3] = replace(rows[3], seq=1 << 63)
        assert await on.store.write(rows) == Stored(rejected=((3, "unstorable"),))
        assert await on.store.count() == 4


async def test_a_terminated_connection_is_made_anew(bench: Callable[[str], Any]) -> None:
    """An administrator's pg_terminate_backend costs one try."""
    async with bench("postgres") as on:
        assert await on.store.write([ROW]) == Stored()
        on.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'nabd'")
        await asyncio.sleep(0.2)
        verdict = await on.store.write([ROW])
        assert verdict == Stored() or isinstance(verdict, TryAgain)
        assert await on.store.write([ROW]) == Stored()


@pytest.mark.parametrize(
    ("database", "username", "hint"), [("nowhere", "nabd", "create the database"), ("postgres", "nobody", "user")]
)
async def test_what_a_person_must_mend_is_loud(postgres: Postgres, database: str, username: str, hint: str) -> None:
    """A wrong name rejects no reading: it waits, aloud."""
    store = PostgresStore(postgres.url(database), username)
    await store.open()
    verdict = await store.write([ROW])
    await store.close()
    assert isinstance(verdict, TryAgain)
    assert verdict.loud
    assert hint in verdict.why


async def test_a_user_without_rights_is_told(postgres: Postgres) -> None:
    """The table cannot be made, and the answer says what right is missing."""
    postgres.sql("CREATE ROLE guest LOGIN")
    postgres.sql("CREATE DATABASE locked")
    store = PostgresStore(postgres.url("locked"), "guest")
    await store.open()
    verdict = await store.write([ROW])
    await store.close()
    assert isinstance(verdict, TryAgain)
    assert verdict.loud
    assert "create and fill" in verdict.why


async def test_a_user_who_may_not_delete_is_told(bench: Callable[[str], Any]) -> None:
    """Readings are written all the same, and what thinning lacks has its hint."""
    async with bench("postgres") as on:
        await on.store.write([replace(ROW, ts=T0 + n) for n in range(3)])
        database = on.store._url.path.strip("/")
        assert (
            on.server.sql("CREATE ROLE writer LOGIN; GRANT SELECT, INSERT ON reading TO writer", database) is not None
        )
        store = PostgresStore(on.server.url(database), "writer")
        await store.open()
        refused = await store.thin(T0 + 900_000, 900_000)
        written = await store.write([replace(ROW, ts=T0 + 3)])
        await store.close()
        assert isinstance(refused, TryAgain)
        assert "delete from it" in refused.why
        assert written == Stored()


@pytest.mark.parametrize("piece", [2, 3, 50, 5000])
async def test_however_small_the_pieces_the_first_of_each_step_stays(bench: Callable[[str], Any], piece: int) -> None:
    """Pieces that end within a step, at its border, or hold many steps; held against the same, counted here."""
    async with bench("postgres") as on:
        dice, step = random.Random(piece), 1000
        times = sorted(dice.sample(range(T0, T0 + 40 * step), 300))
        await on.store.write([replace(ROW, ts=ts) for ts in times])
        before = T0 + 30 * step
        firsts = {ts // step: ts for ts in reversed(times) if ts < before}
        stay = sorted([*firsts.values(), *(ts for ts in times if ts >= before)])
        assert await thin(on.store._session, before + 999, step, piece) == len(times) - len(stay)
        assert [row.ts for row in await on.store.query("t", "m", 0, T0 * 2)] == stay


async def test_a_server_that_is_away_thins_nothing() -> None:
    """That passes, so it is tried again."""
    store = PostgresStore("postgresql+plain://127.0.0.1:9/nabd")
    await store.open()
    assert isinstance(await store.thin(T0, 900_000), TryAgain)


async def test_tls_is_wanted_unless_the_url_says_plain(postgres: Postgres) -> None:
    """A server without TLS gets no reading through postgresql://."""
    store = PostgresStore(postgres.url("postgres").replace("+plain", ""), "nabd")
    await store.open()
    verdict = await store.write([ROW])
    await store.close()
    assert isinstance(verdict, TryAgain)


async def test_a_server_that_is_away_is_tried_again() -> None:
    """No connection is no verdict on the readings, and a query says what to look at."""
    store = PostgresStore("postgresql+plain://127.0.0.1:9/nabd")
    await store.open()
    verdict = await store.write([ROW])
    assert isinstance(verdict, TryAgain)
    assert not verdict.loud
    with pytest.raises(StoreError, match="runs"):
        await store.latest("t")


async def test_pages_read_while_a_batch_is_written(bench: Callable[[str], Any]) -> None:
    """Questions and batches take turns on the one connection."""
    async with bench("postgres") as on:
        rows = [replace(ROW, ts=T0 + n) for n in range(1000)]
        answers = await asyncio.gather(on.store.write(rows), on.store.count(), on.store.latest("t"))
        assert answers[0] == Stored()
        assert await on.store.count() == 1000


async def test_a_missing_library_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver is an extra; without it the error holds the command."""
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(StoreError, match=r"nabd\[postgres\]"):
        await PostgresStore("postgresql://h/d").open()


def test_a_store_without_a_url_says_so() -> None:
    """The configuration's checks come first; the store does not rely on them."""
    with pytest.raises(StoreError, match="url"):
        from_config(StoreTable.model_construct(url=None))
