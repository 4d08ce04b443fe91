"""What the one database thread does: commit, load, let go. Nothing here knows the event loop.

A commit is one transaction: closed windows, marks (stored, quarantined), ledger rows, then eviction down to the quota
with the ledger rows that name it. It is all on disk when `commit` returns, or nothing of it is.
"""

import contextlib
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gateway.journal import evict, schema
from gateway.journal.errors import Damaged, Unwritable
from gateway.journal.ledger import Entry
from gateway.journal.runs import runs_of, to_text, touches
from gateway.journal.window import Closed, checksum
from gateway.message import Loss

_LEDGER_ROWS = 10_000
"""Rows of the ledger kept in the file after they travelled: a megabyte; counts by reason stay for ever."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Held readings of one window; `released` once sent without a time, `lines` is their JSON, None when damaged."""

    number: int
    seqs: str
    released: bool
    lines: bytes | None


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """What the alert engine remembers of meters, up to and including `block`; `all` when of every meter there is."""

    block: int
    all: bool
    rows: Mapping[str, bytes]


@dataclass(slots=True)
class Job:
    """One commit; `now` is UTC ms for the age of stored blocks, None when none may expire."""

    windows: list[Closed]
    stored: list[int]
    damaged: list[int]
    ledger: list[tuple[Entry, int | None]]
    next_seq: int
    next_block: int
    window: int
    boot: str
    clean: bool
    expire_before: int | None = None
    states: Sequence[States] = ()


@dataclass(slots=True)
class Done:
    """What a commit did.

    `ids` are those of the ledger rows, `gone` evicted unsent blocks, `evicted` the rows that name them, `waiting` all
    rows that need a block, `held` (released, how many readings) of each chunk that was evicted.
    """

    ids: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    waiting: list[Entry] = field(default_factory=list)
    evicted: list[Loss] = field(default_factory=list)
    held: list[tuple[bool, int]] = field(default_factory=list)


class Database:
    """The open file; every method runs in the database thread."""

    def __init__(self, db: sqlite3.Connection, folder: Path, gw: str, quota: int | None) -> None:
        self._db: sqlite3.Connection | None = db
        self._folder, self._gw = folder, gw
        self.meta = schema.read_meta(db)
        self.quota = self.meta.quota if quota is None else quota

    def commit(self, job: Job) -> Done:
        """Write everything of a job, or nothing; raises Unwritable, or Damaged after marking the file as such."""
        try:
            return self._commit(job)
        except Damaged:
            schema.mark_damaged(self._folder)
            raise

    def _commit(self, job: Job) -> Done:
        for window in job.windows:
            for draft in window.drafts:
                draft.encode(self._gw, self.meta.stream)
        with self._guard() as db:
            done = Done()
            db.execute("BEGIN IMMEDIATE")
            for window in job.windows:
                self._write(db, window, job.boot)
            self._mark(db, job)
            for states in job.states:
                _keep(db, states)
            done.ids = [_record(db, entry, block) for entry, block in job.ledger]
            evict.evict(db, self.quota, job, done)
            meta = replace(
                self.meta, next_seq=job.next_seq, next_block=job.next_block, window=job.window, boot=job.boot,
                clean=job.clean, closed=(job.windows[-1].closed if job.windows else 0) or self.meta.closed,
            )  # fmt: skip
            schema.write_meta(db, meta)
            db.execute("COMMIT")
            self.meta = meta
            return done

    def load(self, block: int) -> bytes | None:
        """Give a block's bytes when they are there and whole; raises Unwritable."""
        try:
            with self._guard() as db:
                row = db.execute("SELECT crc, bytes FROM payload WHERE block=?", (block,)).fetchone()
        except Damaged:  # of this block's pages; the others may be well
            return None
        if row is None or not isinstance(row[1], bytes) or checksum(row[1], block) != row[0]:
            return None
        return row[1]

    def index(self) -> list[tuple[int, int, int]]:
        """Give (block, size, closed) of every block that is not stored, ascending."""
        query = (
            "SELECT block, coalesce(CAST(size AS INTEGER) & 0x7fffffff, 0), coalesce(CAST(closed AS INTEGER), 0)"
            " FROM block WHERE state NOT IN (?, ?) OR state IS NULL ORDER BY block"
        )
        with self._guard() as db:
            return db.execute(query, (schema.STORED, schema.DAMAGED)).fetchall()

    def holding(self, first: int, last: int) -> list[int]:
        """Give the stored blocks that hold any of these numbers, ascending."""
        try:
            with self._guard() as db:
                query = "SELECT block, seqs FROM block WHERE state=? ORDER BY block"
                rows = db.execute(query, (schema.STORED,)).fetchall()
        except Damaged:
            return []
        return [block for block, seqs in rows if touches(str(seqs), first, last)]

    def seqs(self, block: int) -> tuple[str, int]:
        """Give the runs of a block as text, and its close time."""
        try:
            with self._guard() as db:
                row = db.execute("SELECT seqs, CAST(closed AS INTEGER) FROM block WHERE block=?", (block,)).fetchone()
        except Damaged:
            row = None
        return (str(row[0]), row[1] or 0) if row else ("", 0)

    def chunks(self, boot: str, unreleased: bool, exclude: Sequence[int]) -> list[Chunk]:
        """Give up to 16 chunks of held readings of one boot, oldest first."""
        marks = ",".join(str(int(chunk)) for chunk in exclude)
        query = (
            f"SELECT chunk, seqs, released, crc, bytes FROM held WHERE chunk NOT IN ({marks})"  # noqa: S608  integers
            " AND boot=? AND released<=? ORDER BY chunk LIMIT 16"
        )
        with self._guard() as db:
            rows = db.execute(query, (boot, 0 if unreleased else 1)).fetchall()
        return [
            Chunk(chunk, seqs, bool(released), _unpack(chunk, crc, data)) for chunk, seqs, released, crc, data in rows
        ]

    def held(self) -> list[tuple[str, str, bool]]:
        """Give (boot, runs, released) of each chunk of held readings."""
        with self._guard() as db:
            return [(boot, seqs, bool(out)) for boot, seqs, out in db.execute("SELECT boot, seqs, released FROM held")]

    def forget_released(self, boot: str) -> None:
        """Delete released chunks of boots other than this one: no anchor will come for them."""
        with self._guard() as db:
            db.execute("DELETE FROM held WHERE released<>0 AND boot<>?", (boot,))

    def file_size(self) -> int:
        """Bytes of the file and its log; callable from any thread."""
        path = self._folder / schema.NAME
        sizes = 0
        for name in (path, path.with_name(path.name + "-wal")):
            with contextlib.suppress(OSError):
                sizes += name.stat().st_size
        return sizes

    def close(self) -> None:
        """Let the file go; the log is merged into it."""
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    @contextlib.contextmanager
    def _guard(self) -> Iterator[sqlite3.Connection]:
        """Turn SQLite's errors into ours; after one the connection is opened anew, since its state is unknown."""
        try:
            if self._db is None:
                self._db = schema.connect(self._folder / schema.NAME)
            yield self._db
        except sqlite3.Error as error:
            self.close()
            if schema.is_damage(error):
                raise Damaged(str(error), "restart: the file is set aside and a new one begun") from error
            raise Unwritable(str(error), "free space on the disk or make it writable") from error
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _write(db: sqlite3.Connection, window: Closed, boot: str) -> None:
        for draft in window.drafts:
            seqs, events = to_text(draft.runs), len(draft.events)
            db.execute(
                "INSERT OR REPLACE INTO block VALUES (?,?,?,?,?,?,?)",
                (draft.block, draft.cls, schema.PENDING, draft.closed, len(draft.payload), events, seqs),
            )
            db.execute(
                "INSERT OR REPLACE INTO payload VALUES (?,?,?)",
                (draft.block, checksum(draft.payload, draft.block), draft.payload),
            )
        if window.held.rows:
            data = zlib.compress(b"\n".join(window.held.rows))
            chunk = db.execute("SELECT coalesce(max(chunk),0)+1 FROM held").fetchone()[0]
            seqs = to_text(runs_of(window.held.seqs))
            db.execute("INSERT INTO held VALUES (?,?,0,?,?,?)", (chunk, boot, seqs, checksum(data, chunk), data))
        db.executemany("DELETE FROM held WHERE chunk=?", [(chunk,) for chunk in window.drop])
        db.executemany("UPDATE held SET released=1 WHERE chunk=?", [(chunk,) for chunk in window.release])

    @staticmethod
    def _mark(db: sqlite3.Connection, job: Job) -> None:
        marks = [(schema.STORED, block) for block in job.stored] + [(schema.DAMAGED, block) for block in job.damaged]
        db.executemany("UPDATE block SET state=? WHERE block=?", marks)

    def states(self) -> dict[str, tuple[int, bytes]]:
        """Give of each meter the newest block its state knows, and the state; damaged ones are left out."""
        try:
            with self._guard() as db:
                rows = db.execute("SELECT meter, block, crc, bytes FROM state").fetchall()
        except Damaged:
            return {}
        return {
            meter: (block, data)
            for meter, block, crc, data in rows
            if isinstance(data, bytes) and checksum(data, block) == crc
        }

    def after(self, block: int, newest: int) -> list[tuple[int, bytes]]:
        """Give up to 64 blocks above `block`, stored or not, ascending, of the `newest` ones there are."""
        query = (
            "SELECT block, crc, bytes FROM payload WHERE block > max(?, (SELECT max(block) FROM payload) - ?)"
            " ORDER BY block LIMIT 64"
        )
        try:
            with self._guard() as db:
                rows = db.execute(query, (block, newest)).fetchall()
        except Damaged:
            return []
        return [(number, data) for number, crc, data in rows if checksum(data, number) == crc]

    def ledger(self) -> tuple[list[Entry], dict[str, int]]:
        """Give the rows no block carries yet, and the counts by reason."""
        with self._guard() as db:
            rows = db.execute("SELECT id, row FROM loss WHERE block IS NULL ORDER BY id").fetchall()
            counts = dict(db.execute("SELECT reason, count FROM tally").fetchall())
        return [Entry(Loss.model_validate_json(row), number) for number, row in rows], counts


def _record(db: sqlite3.Connection, entry: Entry, block: int | None) -> int:
    if entry.id is not None:
        db.execute("UPDATE loss SET block=? WHERE id=?", (block, entry.id))
        return entry.id
    number = evict.insert_loss(db, entry.loss, block)
    db.execute("DELETE FROM loss WHERE id <= ? AND block IS NOT NULL", (number - _LEDGER_ROWS,))
    return number


def _keep(db: sqlite3.Connection, states: States) -> None:
    if states.all:
        db.execute("DELETE FROM state")
    rows = [(meter, states.block, checksum(data, states.block), data) for meter, data in states.rows.items()]
    db.executemany("INSERT OR REPLACE INTO state VALUES (?,?,?,?)", rows)


def _unpack(chunk: int, crc: int, data: object) -> bytes | None:
    if not isinstance(data, bytes) or checksum(data, chunk) != crc:
        return None
    return zlib.decompress(data)
