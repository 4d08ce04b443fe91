"""The hub's own database: what a gateway says beside its readings, and the proof that none is missing.

1. `write` takes what one or more blocks said in one transaction: losses, untimed readings, events, and the ranges of
   sequence numbers now at the store. Each row is named by its block and place, so a block sent again changes nothing.
2. `missing` is exact: the numbers up to the highest one stored, less those stored, less those a loss row names.
3. `enrol` keeps which gateway a meter belongs to: the first that announces it, until it no longer does.
4. Payloads nobody can use become dead letters, a bounded number of them.

The SQL stands in `hubdb_sql.py`.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from gateway import hubdb_sql as sql
from gateway.message import Loss, MeterInfo, UntimedRow
from gateway.ranges import Range, gaps, merge, runs, size
from gateway.store.contract import TryAgain
from gateway.store.database import Database

FIRST_SEQ = 1
"""A journal numbers its readings from here."""
PAYLOAD_LIMIT = 64 * 1024
"""Bytes of a dead letter that are kept: an honest block is never larger."""
DEAD_LETTERS = 1000
"""So many dead letters are kept: 64 MB at the very most, and more than a person will ever read."""
NAME_LIMIT = 64
"""Bytes of Correlation Data kept as they came; ours have under 40, a longer one is kept as its hash."""


@dataclass(frozen=True, slots=True)
class BlockRecord:
    """What one block leaves here; `seqs` numbers the readings, timed or not, that are at the store."""

    tenant: str
    gw: str
    stream: int
    block: int
    closed: int
    seqs: Sequence[int] = ()
    losses: Sequence[Loss] = ()
    untimed: Sequence[UntimedRow] = ()
    events: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message nobody could use; `at` in UTC ms, `count` says how often the same one came."""

    reason: str
    topic: str
    correlation: bytes | None
    payload: bytes = field(repr=False)
    at: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Recorded:
    """A batch is on disk; `duplicates` of its readings had been recorded before."""

    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as a gateway sent it; `id` grows with each and never changes."""

    id: int
    tenant: str
    gw: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class KnownLoss:
    """A row of a gateway's ledger, as `message.Loss` has it."""

    tenant: str
    gw: str
    reason: str
    first: int | None
    last: int | None
    count: int | None
    meter: str | None
    since: int | None
    until: int | None
    scheduled: int | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Readings of one stream that are neither stored nor named by a loss."""

    tenant: str
    gw: str
    stream: int
    missing: Sequence[Range]


@dataclass(frozen=True, slots=True)
class EnrolledMeter:
    """A meter, its gateway, and what that says about it."""

    meter: str
    gw: str
    commodity: str
    info: MeterInfo


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The outcome of a birth document: meters refused belong to another gateway."""

    refused: tuple[str, ...] = ()


class HubDatabase:
    """Keeps its tables in `path`; every write is durable when it returns."""

    def __init__(self, path: Path, *, dead_letters: int = DEAD_LETTERS) -> None:
        """Keep the newest `dead_letters` of them."""
        self._database = Database(path, sql.STEPS)
        self._limit = dead_letters
        self._owners: dict[tuple[str, str], str] = {}

    @property
    def file(self) -> Database:
        """The SQLite file itself, for the parts that keep tables of their own in it."""
        return self._database

    async def open(self) -> None:
        """Make ready; raises StoreError, also for a file of a newer Nabd."""
        await self._database.open()
        self._owners = await self._database.read(_owners)

    async def close(self) -> None:
        """Let the file go."""
        await self._database.close()

    async def write(self, blocks: Sequence[BlockRecord], letters: Sequence[DeadLetter] = ()) -> Recorded | TryAgain:
        """Record blocks and dead letters, all or nothing."""

        def work(connection: sqlite3.Connection) -> Recorded:
            duplicates = sum(_record(connection, block) for block in blocks)
            self._bury(connection, letters)
            return Recorded(duplicates)

        return await self._database.write(work)

    async def enrol(self, tenant: str, gw: str, meters: Sequence[MeterInfo]) -> Enrolled | TryAgain:
        """Take a gateway's birth document: its meters are these, and those it no longer names are free."""

        def work(connection: sqlite3.Connection) -> tuple[Enrolled, dict[tuple[str, str], str]]:
            return _enrol(connection, tenant, gw, meters), _owners(connection)

        done = await self._database.write(work)
        if isinstance(done, TryAgain):
            return done
        enrolled, self._owners = done
        return enrolled

    def owner(self, tenant: str, meter: str) -> str | None:
        """Name the gateway a meter belongs to, from memory; None while nobody announced it."""
        return self._owners.get((tenant, meter))

    async def missing(self, tenant: str, stream: int) -> list[Range]:
        """Give the ranges of seq that are neither stored nor named by a loss, up to the highest stored."""
        return await self._database.read(lambda c: _missing(c, tenant, stream))

    async def gaps(self) -> list[Gap]:
        """Give what is missing of every stream; a backlog on its way looks like that too."""
        return await self._database.read(_all_gaps)

    async def losses(self, tenant: str | None = None, limit: int = 1000) -> list[KnownLoss]:
        """Give the newest rows of the ledger, of one tenant or of all, oldest first."""
        found = await self._database.read(lambda c: c.execute(sql.LOSSES, (tenant, tenant, limit)).fetchall())
        return [KnownLoss(owner, gw, **orjson.loads(body)) for owner, gw, body in reversed(found)]

    async def untimed(self, tenant: str, stream: int) -> list[UntimedRow]:
        """Give the untimed readings of a stream by seq."""
        return await self._database.read(
            lambda c: [UntimedRow.model_validate_json(body) for (body,) in c.execute(sql.UNTIMED, (tenant, stream))]
        )

    async def events(self, after: int = 0, limit: int = 100) -> list[StoredEvent]:
        """Give events with an id above `after`, oldest first."""
        return await self._database.read(
            lambda c: [
                StoredEvent(id_, tenant, gw, orjson.loads(body))
                for id_, tenant, gw, body in c.execute(sql.EVENTS, (after, limit))
            ]
        )

    async def meters(self, tenant: str) -> list[EnrolledMeter]:
        """Give the meters of a tenant by id."""
        return await self._database.read(
            lambda c: [
                EnrolledMeter(meter, gw, commodity, MeterInfo.model_validate_json(info))
                for meter, gw, commodity, info in c.execute(sql.METERS, (tenant,))
            ]
        )

    async def dead_letters(self) -> list[DeadLetter]:
        """Give the dead letters that are kept, oldest first."""
        return await self._database.read(lambda c: [DeadLetter(*row) for row in c.execute(sql.LETTERS)])

    async def dropped_letters(self) -> int:
        """Count the dead letters that made room for newer ones."""
        return await self._database.read(lambda c: int(c.execute(sql.DROPPED).fetchone()[0]))

    def _bury(self, connection: sqlite3.Connection, letters: Sequence[DeadLetter]) -> None:
        if not letters:
            return
        connection.executemany(sql.ADD_LETTER, map(_letter, letters))
        (kept,) = connection.execute(sql.COUNT_LETTERS).fetchone()
        if kept > self._limit:
            connection.execute(sql.DROP_LETTERS, (kept - self._limit,))
            connection.execute(sql.COUNT_DROPPED, (kept - self._limit,))


def _record(connection: sqlite3.Connection, block: BlockRecord) -> int:
    """Write what a block says and give the number of its readings that were recorded before."""
    name = (block.tenant, block.gw, block.stream, block.block)
    connection.executemany(
        sql.ADD_LOSS, [(*name, n, loss.first, loss.last, _json(loss)) for n, loss in enumerate(block.losses)]
    )
    connection.executemany(sql.ADD_EVENT, [(*name, n, block.closed, body) for n, body in enumerate(block.events)])
    connection.executemany(sql.ADD_UNTIMED, [(*name[:3], row.seq, _json(row)) for row in block.untimed])
    new = sum(_cover(connection, name[:3], run) for run in runs(block.seqs))
    return len(block.seqs) - new


def _cover(connection: sqlite3.Connection, name: tuple[str, str, int], run: Range) -> int:
    """Add a range to those stored and give how many of its numbers are new."""
    first, last = run
    near: list[Range] = connection.execute(sql.NEAR, (*name, first - 1, last + 1)).fetchall()
    if any(low <= first and last <= high for low, high in near):
        return 0
    joined = merge([*near, run])[0]
    if near:
        connection.execute(sql.UNCOVER, (*name, joined[0], joined[1]))
    connection.execute(sql.COVER, (*name, *joined))
    return size([joined]) - size(near)


def _missing(connection: sqlite3.Connection, tenant: str, stream: int) -> list[Range]:
    lost: list[Range] = connection.execute(sql.LOST_RANGES, (tenant, stream)).fetchall()
    covered: dict[str, list[Range]] = {}
    for gw, first, last in connection.execute(sql.COVERED, (tenant, stream)):
        covered.setdefault(gw, []).append((first, last))
    return merge(
        gap for ranges in covered.values() for gap in gaps([*ranges, *lost], FIRST_SEQ, max(last for _, last in ranges))
    )


def _all_gaps(connection: sqlite3.Connection) -> list[Gap]:
    covered: dict[tuple[str, str, int], list[Range]] = {}
    for tenant, gw, stream, first, last in connection.execute(sql.UNEVEN):
        covered.setdefault((tenant, gw, stream), []).append((first, last))
    found = []
    for (tenant, gw, stream), ranges in covered.items():
        lost: list[Range] = connection.execute(sql.LOST_RANGES, (tenant, stream)).fetchall()
        if missing := gaps([*ranges, *lost], FIRST_SEQ, max(last for _, last in ranges)):
            found.append(Gap(tenant, gw, stream, missing))
    return found


def _enrol(connection: sqlite3.Connection, tenant: str, gw: str, meters: Sequence[MeterInfo]) -> Enrolled:
    named = {meter.id for meter in meters}
    held = {meter for (meter,) in connection.execute(sql.HELD, (tenant, gw))}
    connection.executemany(sql.RELEASE, [(tenant, meter) for meter in held - named])
    connection.executemany(sql.ENROL, [(tenant, meter.id, gw, meter.commodity, _json(meter)) for meter in meters])
    held = {meter for (meter,) in connection.execute(sql.HELD, (tenant, gw))}
    return Enrolled(tuple(sorted(named - held)))


def _owners(connection: sqlite3.Connection) -> dict[tuple[str, str], str]:
    return {(tenant, meter): gw for tenant, meter, gw in connection.execute(sql.OWNERS)}


def _json(model: Loss | UntimedRow | MeterInfo) -> bytes:
    return model.model_dump_json().encode()


def _letter(letter: DeadLetter) -> tuple[str, str, bytes, bytes | None, bytes, int, int]:
    """Bound a letter, and name it by its Correlation Data or, without one, by its payload."""
    name = letter.correlation or letter.payload
    key = name if len(name) <= NAME_LIMIT else blake2b(name, digest_size=16).digest()
    kept = replace(letter, topic=letter.topic[:256], payload=letter.payload[:PAYLOAD_LIMIT])
    correlation = letter.correlation[:NAME_LIMIT] if letter.correlation is not None else None
    return (kept.reason, kept.topic, key, correlation, kept.payload, kept.at, kept.count)
