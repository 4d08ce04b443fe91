"""Keeping the file bounded: which blocks go first, and the ledger rows that name them.

1. Stored blocks go when they are older than `keep`, a few at a time, so that a clock that jumps a month deletes little.
2. Above the quota: stored before unsent, class 1 before class 0, oldest first; then chunks of held readings.
3. Freed pages are used again by later commits, so the file itself never grows beyond the quota.
"""

import sqlite3

from gateway.journal.job import Done, Job
from gateway.journal.ledger import Entry, loss_row, losses_of
from gateway.journal.runs import Run, count_of, from_text
from gateway.journal.tables import DAMAGED, STORED
from gateway.message import Loss

_FINISHED = (STORED, DAMAGED)
_BATCH = 64
_EXPIRE_AT_ONCE = 256
_ROOM = 512 * 1024
"""Bytes a full disk gets back at once: minutes of blocks at the reference load, so that it is not asked each time."""
_SLACK = 0.99
"""Eviction goes one per cent below the quota, so that not every commit at the edge of it has to choose again."""


def evict(db: sqlite3.Connection, quota: int, job: Job, done: Done, *, unsent: bool = True) -> None:
    """Expire, then evict down to the quota, inside the caller's transaction; without `unsent` stored blocks only."""
    newest = min((draft.block for window in job.windows for draft in window.drafts), default=job.next_block)
    (known,) = db.execute("SELECT CAST(min(block) AS INTEGER) FROM state").fetchone()
    if known is not None:  # later ones are replayed at the next start
        newest = min(newest, known + 1)
    if job.expire_before is not None:
        _expire(db, job.expire_before, newest)
    if used(db) <= quota:
        return
    runs: list[tuple[Run, int]] = []
    events = 0
    while used(db) > quota * _SLACK:
        rows = db.execute(
            "SELECT block, state, closed, events, seqs FROM block WHERE block < ? AND (? OR state IN (?, ?))"
            " ORDER BY state IN (?, ?) DESC, class DESC, block LIMIT ?",
            (newest, unsent, *_FINISHED, *_FINISHED, _BATCH),
        ).fetchall()
        if not rows:
            break
        for block, state, closed, alerts, seqs in rows:
            _drop(db, block)
            if state not in _FINISHED:
                done.gone.append(block)
                runs += [(run, closed) for run in _readable(seqs)]
                events += alerts
            if used(db) <= quota * _SLACK:
                break
    if unsent and used(db) > quota:
        runs += _drop_held(db, quota, done)
    _name(db, runs, events, done)


def make_room(db: sqlite3.Connection, job: Job, done: Done) -> None:
    """On a full disk: let go of what the store has, and of the rest only when memory fills too."""
    evict(db, used(db) - _ROOM, job, done, unsent=job.pressed)


def used(db: sqlite3.Connection) -> int:
    """Bytes of the file that hold something."""
    pages, free, size = (
        db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def insert_loss(db: sqlite3.Connection, loss: Loss, block: int | None) -> int:
    """Write a ledger row and count it; give its id."""
    cursor = db.execute("INSERT INTO loss (block, row) VALUES (?, ?)", (block, loss.model_dump_json(by_alias=True)))
    db.execute(
        "INSERT INTO tally VALUES (?1, ?2) ON CONFLICT (reason) DO UPDATE SET count = count + ?2",
        (loss.reason, loss.count if loss.count is not None else 1),
    )
    return int(cursor.lastrowid or 0)


def _expire(db: sqlite3.Connection, before: int, newest: int) -> None:
    query = "SELECT block FROM block WHERE state IN (?, ?) AND closed < ? AND block < ? ORDER BY block LIMIT ?"
    for (block,) in db.execute(query, (*_FINISHED, before, newest, _EXPIRE_AT_ONCE)).fetchall():
        _drop(db, block)


def _drop(db: sqlite3.Connection, block: int) -> None:
    db.execute("DELETE FROM payload WHERE block=?", (block,))
    db.execute("DELETE FROM block WHERE block=?", (block,))


def _drop_held(db: sqlite3.Connection, quota: int, done: Done) -> list[tuple[Run, int]]:
    runs: list[tuple[Run, int]] = []
    for chunk, released, seqs in db.execute("SELECT chunk, released, seqs FROM held ORDER BY chunk").fetchall():
        db.execute("DELETE FROM held WHERE chunk=?", (chunk,))
        done.held.append((bool(released), count_of(seqs)))
        runs += [] if released else [(run, 0) for run in _readable(seqs)]
        if used(db) <= quota * _SLACK:
            break
    return runs


def _name(db: sqlite3.Connection, runs: list[tuple[Run, int]], events: int, done: Done) -> None:
    losses = losses_of("evicted", runs)
    if events:
        losses.append(loss_row("evicted_events", count=events))
    done.evicted += losses
    done.waiting += [Entry(loss, insert_loss(db, loss, None)) for loss in losses]
    if done.gone:  # ledger rows those blocks carried have not arrived: they travel again
        gone = set(done.gone)
        carried = db.execute("SELECT id, block, row FROM loss WHERE block IS NOT NULL").fetchall()
        for number, _, row in (entry for entry in carried if entry[1] in gone):
            db.execute("UPDATE loss SET block=NULL WHERE id=?", (number,))
            done.waiting.append(Entry(Loss.model_validate_json(row), number))


def _readable(seqs: object) -> list[Run]:
    try:
        return from_text(str(seqs))
    except ValueError:
        return []
