"""What the one database thread does: commit, load, let go. Nothing here knows the event loop.

1. A commit is one transaction: what is new (`write.py`), then eviction down to the quota with the ledger rows that name
   it (`evict.py`). It is all on disk when `commit` returns.
2. When it raises, mostly nothing of it is; but a disk that fails in the last step leaves that open. The same job given
   again is then either found on disk, by the number of its commit, or done.
3. On a full disk the ballast makes room for one commit that lets stored blocks go.
"""

import contextlib
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gateway.journal import evict, schema, tables
from gateway.journal.ballast import Ballast
from gateway.journal.connection import Connection
from gateway.journal.errors import Damaged, Full, Unwritable
from gateway.journal.held import unpack
from gateway.journal.job import Chunk, Done, Job
from gateway.journal.ledger import Entry
from gateway.journal.runs import touches
from gateway.journal.window import checksum
from gateway.journal.write import write
from gateway.message import Loss

_SHARED_COMMITS = 6
"""Commits for which somebody may begin to look into the file: a minute with windows of ten seconds."""


class Database:
    """The open file; every method runs in the database thread."""

    def __init__(self, db: sqlite3.Connection, folder: Path, gw: str, quota: int | None) -> None:
        self._connection = Connection(db, folder)
        self._folder, self._gw = folder, gw
        self.meta = tables.read_meta(db)
        self.quota = self.meta.quota if quota is None else quota
        self._ballast = Ballast(folder)
        self._unsure: tuple[Job, tables.Meta, Done] | None = None
        self._shared_commits = 0

    def share(self) -> None:
        """Let others look into the file for the next few commits, or as long as they have it open by then."""
        with self._connection.use():
            self._connection.share()
        self._shared_commits = 0

    def commit(self, job: Job) -> Done:
        """Write everything of a job; raises Unwritable, or Damaged after marking the file as such.

        After Unwritable the same job must be given again: it may be on disk.
        """
        try:
            return self._commit_with_ballast(job)
        except Damaged:
            schema.mark_damaged(self._folder)
            raise

    def _commit_with_ballast(self, job: Job) -> Done:
        self._reclaim()
        try:
            done = self._commit(job)
        except Full:
            if not self._ballast.give_up():
                raise
            done = self._commit(job, full=True)
            self.rewind()
        if not self._ballast.keep():
            done.short = "the disk is full (free space on it)"
        return done

    def _commit(self, job: Job, *, full: bool = False) -> Done:
        for window in job.windows:
            for draft in window.drafts:
                draft.encode(self._gw, self.meta.stream)
        with self._connection.use() as db:
            if self._unsure is not None:
                again, meta, done = self._unsure
                if again is job and tables.read_meta(db) == meta:
                    self.meta, self._unsure = meta, None
                    return done
            done = Done()
            db.execute("BEGIN IMMEDIATE")
            done.ids = write(db, job)
            evict.evict(db, self.quota, job, done)
            if full:
                evict.make_room(db, job, done)
            meta = replace(
                self.meta, next_seq=job.next_seq, next_block=job.next_block, window=job.window, boot=job.boot,
                clean=job.clean, closed=(job.windows[-1].closed if job.windows else 0) or self.meta.closed,
                commits=self.meta.commits + 1,
            )  # fmt: skip
            tables.write_meta(db, meta)
            self._unsure = job, meta, done
            db.execute("COMMIT")
            self.meta, self._unsure = meta, None
            return done

    def _reclaim(self) -> None:
        """Every few commits, try to have a shared file for us alone again."""
        self._shared_commits += 1
        if self._connection.shared and self._shared_commits % _SHARED_COMMITS == 0:
            self._connection.reclaim()

    def rewind(self) -> None:
        """Bring what the log holds to its place, so that the next commits take no more space than the log has now."""
        with contextlib.suppress(Unwritable), self._connection.use() as db:
            db.execute("PRAGMA wal_checkpoint(RESTART)")

    def load(self, block: int) -> bytes | None:
        """Give a block's bytes when they are there and whole; raises Unwritable."""
        try:
            with self._connection.use() as db:
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
        with self._connection.use() as db:
            return db.execute(query, (tables.STORED, tables.DAMAGED)).fetchall()

    def holding(self, first: int, last: int) -> list[int]:
        """Give the stored blocks that hold any of these numbers, ascending."""
        try:
            with self._connection.use() as db:
                query = "SELECT block, seqs FROM block WHERE state=? ORDER BY block"
                rows = db.execute(query, (tables.STORED,)).fetchall()
        except Damaged:
            return []
        return [block for block, seqs in rows if touches(str(seqs), first, last)]

    def seqs(self, block: int) -> tuple[str, int]:
        """Give the runs of a block as text, and its close time."""
        try:
            with self._connection.use() as db:
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
        with self._connection.use() as db:
            rows = db.execute(query, (boot, 0 if unreleased else 1)).fetchall()
        return [
            Chunk(chunk, seqs, bool(released), unpack(chunk, crc, data)) for chunk, seqs, released, crc, data in rows
        ]

    def held(self) -> list[tuple[str, str, bool]]:
        """Give (boot, runs, released) of each chunk of held readings."""
        with self._connection.use() as db:
            return [(boot, seqs, bool(out)) for boot, seqs, out in db.execute("SELECT boot, seqs, released FROM held")]

    def forget_released(self, boot: str) -> None:
        """Delete released chunks of boots other than this one: no anchor will come for them."""
        with self._connection.use() as db:
            db.execute("DELETE FROM held WHERE released<>0 AND boot<>?", (boot,))

    def sizes(self) -> tuple[int, int]:
        """Bytes of the file and of its log; callable from any thread."""
        return self._connection.sizes()

    def close(self) -> None:
        """Let the file go; the log is merged into it."""
        self._connection.close()

    def states(self) -> dict[str, tuple[int, bytes]]:
        """Give of each meter the newest block its state knows, and the state; damaged ones are left out."""
        try:
            with self._connection.use() as db:
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
            with self._connection.use() as db:
                rows = db.execute(query, (block, newest)).fetchall()
        except Damaged:
            return []
        return [(number, data) for number, crc, data in rows if checksum(data, number) == crc]

    def ledger(self) -> tuple[list[Entry], dict[str, int]]:
        """Give the rows no block carries yet, and the counts by reason."""
        with self._connection.use() as db:
            rows = db.execute("SELECT id, row FROM loss WHERE block IS NULL ORDER BY id").fetchall()
            counts = dict(db.execute("SELECT reason, count FROM tally").fetchall())
        return [Entry(Loss.model_validate_json(row), number) for number, row in rows], counts
