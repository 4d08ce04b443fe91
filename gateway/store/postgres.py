"""The series store in PostgreSQL, through asyncpg: the table `reading`, one row a reading.

1. The connection is made at the first use and again after any failure, so a server that is away shows as TryAgain.
2. A batch is one statement: columns as arrays, unnested, inserted where their key is free. Its COMMIT is on disk when
   `write` returns, whatever the server's default, since the session asks for it.
3. What the server can never take (a NUL in a text, a number beyond its column) is found by halving the batch.
4. Old readings are thinned in small pieces (`postgres_thinning.py`); a batch waits for one piece at most.

`ts` is UTC ms, as in every store: `to_timestamp(ts / 1000.0)` makes a timestamptz of it. With TimescaleDB the table may
be turned into a hypertable by `ts`; nothing here changes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from gateway.config.customers import StoreTable
from gateway.config.secret import SecretFile
from gateway.store import postgres_thinning
from gateway.store.contract import Row, Stored, StoreError, TryAgain, Verdict
from gateway.tls import client_side

COLUMNS = "tenant, meter, ts, gw, stream, seq, q, v, commodity"
_TABLE = """CREATE TABLE IF NOT EXISTS reading (
    tenant text NOT NULL, meter text NOT NULL, ts bigint NOT NULL, gw text NOT NULL, stream bigint NOT NULL,
    seq bigint NOT NULL, q smallint NOT NULL, v json NOT NULL, commodity text NOT NULL,
    PRIMARY KEY (tenant, meter, ts))"""
_ROWS = """unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::smallint[],
    $8::json[], $9::text[])"""
_INSERT = f"INSERT INTO reading ({COLUMNS}) SELECT * FROM {_ROWS} ON CONFLICT DO NOTHING"  # noqa: S608
_QUERY = f"SELECT {COLUMNS} FROM reading WHERE tenant = $1 AND meter = $2 AND ts >= $3 AND ts < $4 ORDER BY ts"  # noqa: S608
# Skips from meter to meter through the key's index, where DISTINCT ON would read every row.
_LATEST = f"""WITH RECURSIVE newest AS (
    (SELECT {COLUMNS} FROM reading WHERE tenant = $1 ORDER BY meter, ts DESC LIMIT 1)
    UNION ALL
    SELECT next.* FROM newest, LATERAL (
        SELECT {COLUMNS} FROM reading WHERE tenant = $1 AND meter > newest.meter ORDER BY meter, ts DESC LIMIT 1) next
    ) SELECT * FROM newest"""  # noqa: S608

_HINTS = {
    "28": "the user or the password is wrong: mend username or password_file in [store]",
    "3D": "create the database, or mend url in [store]",
    "42": "let the user of [store] create and fill the table reading, and delete from it",
    "53": "free some space on the server, or let it have more connections",
    "25": "the url leads to a standby: give that of the primary",
}
"""What a person must do, by the class of the SQLSTATE. All others pass by themselves: restarts, locks, timeouts."""
_BAD_DATA = "22"


def from_config(config: StoreTable) -> "PostgresStore":
    """Make the store that `[store]` describes; raises StoreError where it says too little."""
    if config.url is None:
        raise StoreError("a PostgreSQL store needs its url", 'write url = "postgresql://host/database" in [store]')
    return PostgresStore(config.url, config.username, config.password_file, config.ca_file)


class PostgresStore:
    """Keeps readings in a database; durable when `write` returns."""

    def __init__(
        self,
        url: str,
        username: str | None = None,
        password: SecretFile | None = None,
        ca_file: Path | None = None,
        *,
        timeout: float = 10.0,
    ) -> None:
        """`postgresql://` is TLS with a certificate that is checked, `postgresql+plain://` is none.

        `timeout` in seconds holds for connecting and for one statement.
        """
        self._url, self._username, self._password, self._ca_file = urlsplit(url), username, password, ca_file
        self._timeout = timeout
        self._connection: Any = None
        self._turn = asyncio.Lock()  # a connection carries one statement at a time; pages read while a batch is written

    async def open(self) -> None:
        """Look for the library and the password; raises StoreError. A server that is away shows at the first write."""
        try:
            import asyncpg  # noqa: F401, PLC0415  an extra
        except ImportError as error:
            raise StoreError("asyncpg is not installed", "pip install 'nabd[postgres]'") from error
        self._secret = self._password.read().reveal() if self._password else None

    async def close(self) -> None:
        """Let the connection go."""
        async with self._turn:
            await self._let_go()

    async def write(self, rows: Sequence[Row]) -> Verdict:
        """Take a batch; readings that PostgreSQL will never take come back as rejected."""
        rejected: list[tuple[int, str]] = []
        try:
            await self._offer(list(enumerate(rows)), rejected)
        except _NotNow as not_now:
            return not_now.verdict
        return Stored(rejected=tuple(sorted(rejected)))

    async def query(self, tenant: str, meter: str, start: int, end: int) -> list[Row]:
        """Give one meter's readings with start <= ts < end, by time."""
        return await self._read(lambda c: c.fetch(_QUERY, tenant, meter, start, end))

    async def latest(self, tenant: str) -> list[Row]:
        """Give the newest reading of each meter."""
        return await self._read(lambda c: c.fetch(_LATEST, tenant))

    async def count(self) -> int:
        """How many readings there are in all; PostgreSQL counts them one by one."""
        try:
            async with self._session() as connection:
                return int(await connection.fetchval("SELECT count(*) FROM reading"))
        except _NotNow as not_now:
            raise StoreError(not_now.verdict.why, "look whether it runs") from not_now

    async def thin(self, before: int, step: int) -> int | TryAgain:
        """Keep of readings before a moment only the first of each step, both in ms; gives how many went."""
        try:
            return await postgres_thinning.thin(self._session, before, step)
        except _NotNow as not_now:
            return not_now.verdict

    async def forget(self) -> TryAgain | None:
        """Do nothing: what is deleted leaves the server's files by its own autovacuum, and its log as that turns."""
        return None

    async def _read(self, ask: Callable[[Any], Any]) -> list[Row]:
        try:
            async with self._session() as connection:
                found = await ask(connection)
        except _NotNow as not_now:
            raise StoreError(not_now.verdict.why, "look whether it runs") from not_now
        return [
            Row(r["tenant"], r["gw"], r["meter"], r["ts"], r["stream"], r["seq"], r["q"], orjson.loads(r["v"]),
                r["commodity"])
            for r in found
        ]  # fmt: skip

    async def _offer(self, rows: list[tuple[int, Row]], rejected: list[tuple[int, str]]) -> None:
        """Insert rows; halve what is refused until each bad one stands alone. Raises _NotNow."""
        if not rows:
            return
        try:
            async with self._session() as connection:
                await connection.execute(_INSERT, *_columns([row for _, row in rows]))
        except _Refused:
            if len(rows) == 1:
                rejected.append((rows[0][0], "unstorable"))
                return
            half = len(rows) // 2
            await self._offer(rows[:half], rejected)
            await self._offer(rows[half:], rejected)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Any]:
        """Lend the connection; turns what goes wrong into _NotNow or _Refused, and lets a doubtful connection go."""
        import asyncpg  # noqa: PLC0415

        async with self._turn:
            try:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await self._connect()
                yield self._connection
            except (OverflowError, asyncpg.exceptions.DataError) as error:
                raise _Refused from error
            except asyncpg.PostgresError as error:
                if (error.sqlstate or "").startswith(_BAD_DATA):
                    raise _Refused from error
                await self._let_go()
                raise _NotNow(_verdict(error)) from error
            except (asyncpg.InterfaceError, OSError, TimeoutError) as error:
                await self._let_go()
                why = f"PostgreSQL cannot be reached: {str(error) or type(error).__name__}"
                raise _NotNow(TryAgain(why)) from error
            except BaseException:
                await self._let_go()  # cancelled half way: what the connection still says is nobody's answer
                raise

    async def _connect(self) -> Any:
        import asyncpg  # noqa: PLC0415

        connection = await asyncpg.connect(
            host=self._url.hostname,
            port=self._url.port or 5432,
            database=self._url.path.strip("/"),
            ssl=False if self._url.scheme.endswith("+plain") else client_side(self._ca_file),
            user=self._username,
            password=self._secret,
            timeout=self._timeout,
            command_timeout=self._timeout,
            server_settings={"synchronous_commit": "on", "application_name": "nabd"},
        )
        try:
            await _want_fsync(connection)
            # Asked first, since CREATE TABLE wants rights that a table made by somebody else does not need.
            if await connection.fetchval("SELECT to_regclass('reading')") is None:
                await connection.execute(_TABLE)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


async def _want_fsync(connection: Any) -> None:
    """Raise _NotNow where the server does not keep what it has committed over a power cut."""
    if await connection.fetchval("SHOW fsync") != "on":
        why = "PostgreSQL runs with fsync off (set it to on, or a power cut loses readings)"
        raise _NotNow(TryAgain(why, 30.0, loud=True))


class _Refused(Exception):  # noqa: N818
    """These rows will never be taken as they are."""


class _NotNow(Exception):  # noqa: N818
    """Nothing is promised for the whole batch."""

    def __init__(self, verdict: TryAgain) -> None:
        super().__init__(verdict.why)
        self.verdict = verdict


def _columns(rows: Sequence[Row]) -> list[list[Any]]:
    """Turn rows into the arrays of `_ROWS`."""
    return [
        [row.tenant for row in rows],
        [row.meter for row in rows],
        [row.ts for row in rows],
        [row.gw for row in rows],
        [row.stream for row in rows],
        [row.seq for row in rows],
        [row.q for row in rows],
        [orjson.dumps(row.v).decode() for row in rows],
        [row.commodity for row in rows],
    ]


def _verdict(error: Any) -> TryAgain:
    hint = _HINTS.get((error.sqlstate or "")[:2])
    why = f"PostgreSQL answered {error.sqlstate}: {str(error)[:200]}"
    return TryAgain(f"{why} ({hint})", 5.0, loud=True) if hint else TryAgain(why)
