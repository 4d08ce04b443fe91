"""What one commit writes: closed windows, marks, the engine's states, rows of the ledger. Inside its transaction."""

import sqlite3

from gateway.journal import evict
from gateway.journal.held import pack
from gateway.journal.job import Job, States
from gateway.journal.ledger import Entry
from gateway.journal.runs import runs_of, to_text
from gateway.journal.tables import DAMAGED, PENDING, STORED
from gateway.journal.window import Closed, checksum

_LEDGER_ROWS = 10_000
"""Rows of the ledger kept in the file after they travelled: a megabyte; counts by reason stay for ever."""


def write(db: sqlite3.Connection, job: Job) -> list[int]:
    """Write all of a job; give the ids of its ledger rows."""
    for window in job.windows:
        _window(db, window, job.boot)
    _mark(db, job)
    for states in job.states:
        _keep(db, states)
    return [_record(db, entry, block) for entry, block in job.ledger]


def _window(db: sqlite3.Connection, window: Closed, boot: str) -> None:
    for draft in window.drafts:
        seqs, events = to_text(draft.runs), len(draft.events)
        db.execute(
            "INSERT OR REPLACE INTO block VALUES (?,?,?,?,?,?,?)",
            (draft.block, draft.cls, PENDING, draft.closed, len(draft.payload), events, seqs),
        )
        db.execute(
            "INSERT OR REPLACE INTO payload VALUES (?,?,?)",
            (draft.block, checksum(draft.payload, draft.block), draft.payload),
        )
    if window.held.rows:
        data = pack(window.held.rows)
        chunk = db.execute("SELECT coalesce(max(chunk),0)+1 FROM held").fetchone()[0]
        seqs = to_text(runs_of(window.held.seqs))
        db.execute("INSERT INTO held VALUES (?,?,0,?,?,?)", (chunk, boot, seqs, checksum(data, chunk), data))
    db.executemany("DELETE FROM held WHERE chunk=?", [(chunk,) for chunk in window.drop])
    db.executemany("UPDATE held SET released=1 WHERE chunk=?", [(chunk,) for chunk in window.release])


def _mark(db: sqlite3.Connection, job: Job) -> None:
    marks = [(STORED, block) for block in job.stored] + [(DAMAGED, block) for block in job.damaged]
    db.executemany("UPDATE block SET state=? WHERE block=?", marks)


def _keep(db: sqlite3.Connection, states: States) -> None:
    if states.all:
        db.execute("DELETE FROM state")
    rows = [(meter, states.block, checksum(data, states.block), data) for meter, data in states.rows.items()]
    db.executemany("INSERT OR REPLACE INTO state VALUES (?,?,?,?)", rows)


def _record(db: sqlite3.Connection, entry: Entry, block: int | None) -> int:
    if entry.id is not None:
        db.execute("UPDATE loss SET block=? WHERE id=?", (block, entry.id))
        return entry.id
    number = evict.insert_loss(db, entry.loss, block)
    db.execute("DELETE FROM loss WHERE id <= ? AND block IS NOT NULL", (number - _LEDGER_ROWS,))
    return number
