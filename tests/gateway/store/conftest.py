"""The stores under test: each kind on its real server where there is one, opened, and killed on request."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.store.contract import Row, Store
from gateway.store.influx import InfluxStore
from gateway.store.postgres import PostgresStore
from gateway.store.sqlite import SQLiteStore
from gateway.store.victoria import VictoriaStore
from tests.conftest import skip_or_fail
from tests.support.fake_influx import FakeInflux
from tests.support.influx_shim import InfluxShim
from tests.support.servers import Influx1, Postgres, StoreServer, Victoria

_number = itertools.count()


class SettledVictoria(VictoriaStore):
    """Makes what was written visible before it reads, for the server itself takes a second or two."""

    def __init__(self, server: Victoria, **options: Any) -> None:
        super().__init__(server.url, **options)
        self._server = server

    async def _read(self, *arguments: Any) -> bytes:
        self._server.flush()
        return await super()._read(*arguments)


@dataclass
class Bench:
    """A store on its server: `server` is None where the store is a file or a script; `door` stands before an engine."""

    kind: str
    store: Store
    server: StoreServer | None = None
    durable_after: float = 0.0
    door: InfluxShim | None = None


def running(kind: type[StoreServer]) -> Any:
    """Make a server that is installed, or skip aloud."""
    if kind.program() is None:
        skip_or_fail(f"{kind.package} is not installed (apt install {kind.package})")
    return kind()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Give a PostgreSQL that all tests share; each takes a database of its own."""
    with running(Postgres) as server:
        yield server


@pytest.fixture(scope="session")
def influx1() -> Iterator[Influx1]:
    """Give an InfluxDB 1.x that all tests share."""
    with running(Influx1) as server:
        yield server


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """Give the file of the token that the fake wants."""
    file = tmp_path / "token"
    file.write_text("secret\n", encoding="utf-8")
    return file


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path, token: Path) -> Callable[[str], Any]:
    """Give a callable that opens a store of a kind, as an asynchronous context manager."""

    @asynccontextmanager
    async def sqlite() -> AsyncIterator[Bench]:
        yield Bench("sqlite", SQLiteStore(tmp_path / "deep" / "series.db"))

    @asynccontextmanager
    async def postgresql() -> AsyncIterator[Bench]:
        server: Postgres = request.getfixturevalue("postgres")
        database = f"nabd_{next(_number)}"
        assert server.sql(f"CREATE DATABASE {database}") is not None
        yield Bench("postgres", PostgresStore(server.url(database), "nabd"), server)

    @asynccontextmanager
    async def influx() -> AsyncIterator[Bench]:
        async with FakeInflux() as server:
            yield Bench("influx", InfluxStore(server.url, server.org, server.bucket, token))
            assert server.violations == []

    @asynccontextmanager
    async def influx_engine() -> AsyncIterator[Bench]:
        engine: Influx1 = request.getfixturevalue("influx1")
        async with InfluxShim(bucket=f"b{next(_number)}", engine=engine) as server:
            server.make_bucket()
            yield Bench("influx-engine", InfluxStore(server.url, server.org, server.bucket, token), engine, door=server)
            assert server.violations == []

    @asynccontextmanager
    async def victoria() -> AsyncIterator[Bench]:
        with running(Victoria) as server:
            yield Bench("victoria", SettledVictoria(server), server, 30.0)

    kinds: dict[str, Callable[[], AbstractAsyncContextManager[Bench]]] = {
        "sqlite": sqlite,
        "postgres": postgresql,
        "influx": influx,
        "influx-engine": influx_engine,
        "victoria": victoria,
    }

    @asynccontextmanager
    async def opened(kind: str) -> AsyncIterator[Bench]:
        async with kinds[kind]() as made:
            await made.store.open()
            try:
                yield made
            finally:
                await made.store.close()

    return opened


KINDS = ["sqlite", "postgres", "influx", "influx-engine", "victoria"]


@pytest.fixture(params=KINDS)
async def on(request: pytest.FixtureRequest, bench: Callable[[str], Any]) -> AsyncIterator[Bench]:
    """Give each kind of store in turn."""
    async with bench(request.param) as made:
        yield made


@pytest.fixture
def store(on: Bench) -> Store:
    """Give the open store alone; rows carry stream 0, which not every kind keeps."""
    return on.store


@pytest.fixture
def unkeepable() -> Callable[[Row], Row]:
    """Give a callable that spoils a reading so that no server's format can carry it."""

    def spoil(row: Row) -> Row:
        return Row(row.tenant, row.gw, row.meter + "\0", row.ts, row.stream, row.seq, row.q, row.v, row.commodity)

    return spoil
