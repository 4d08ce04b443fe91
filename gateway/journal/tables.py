"""The journal's tables, and the one row that says where it stands.

    meta      one row: stream, the next numbers, the last window, boot, whether it was closed in order, quota, commits
    block     one narrow row a block, so that opening reads little; payload has the bytes
    held      readings without a time yet, one chunk a window
    loss      the ledger; tally counts it by reason for ever
    state     what the alert engine remembers of each meter, and the newest block it knows

Pages of 1 KiB: a commit touches a handful of rows, and each touched page is written twice (log, then file).
"""

import sqlite3
import zlib
from dataclasses import dataclass

VERSION = 2
PENDING, STORED, DAMAGED = 0x2B, 0x54, 0x4D
"""Several bits apart: a flipped bit never makes an unsent block look stored. What is none of them counts as pending."""

META = """CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), stream TEXT NOT NULL, next_seq TEXT NOT NULL,
  next_block INTEGER NOT NULL, window INTEGER NOT NULL, closed INTEGER NOT NULL, boot TEXT NOT NULL,
  clean INTEGER NOT NULL, quota INTEGER NOT NULL, commits INTEGER NOT NULL, crc INTEGER NOT NULL)"""
STATE = "CREATE TABLE state (meter TEXT PRIMARY KEY, block INTEGER NOT NULL, crc INTEGER NOT NULL, bytes BLOB NOT NULL)"
TABLES = [
    META,
    """CREATE TABLE block (block INTEGER PRIMARY KEY, class INTEGER NOT NULL, state INTEGER NOT NULL, closed INTEGER NOT NULL,
  size INTEGER NOT NULL, events INTEGER NOT NULL, seqs TEXT NOT NULL)""",  # noqa: E501  as the first files have it
    "CREATE TABLE payload (block INTEGER PRIMARY KEY, crc INTEGER NOT NULL, bytes BLOB NOT NULL)",
    """CREATE TABLE held (chunk INTEGER PRIMARY KEY, boot TEXT NOT NULL, released INTEGER NOT NULL, seqs TEXT NOT NULL,
  crc INTEGER NOT NULL, bytes BLOB NOT NULL)""",
    "CREATE TABLE loss (id INTEGER PRIMARY KEY, block INTEGER, row TEXT NOT NULL)",
    "CREATE TABLE tally (reason TEXT PRIMARY KEY, count INTEGER NOT NULL)",
    STATE,
]
"""As text that is never laid out anew: a file whose own text differs is damaged."""


@dataclass(frozen=True, slots=True)
class Meta:
    """The one row of `meta`.

    `closed` is the newest window's close time, `clean` whether the end was in order, `commits` how many there were.
    """

    stream: str
    next_seq: int
    next_block: int
    window: int
    closed: int
    boot: str
    clean: bool
    quota: int
    commits: int


def are_ours(db: sqlite3.Connection) -> bool:
    """Say whether the tables are as they were made."""
    return {sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")} == set(TABLES)


def read_meta(db: sqlite3.Connection) -> Meta:
    """Read the one row back; raises ValueError when it was damaged."""
    row = db.execute(
        "SELECT stream, next_seq, next_block, window, closed, boot, clean, quota, commits, crc FROM meta"
    ).fetchone()
    if row is None:
        raise ValueError("there is no meta row")
    meta = Meta(row[0], int(row[1]), row[2], row[3], row[4], row[5], bool(row[6]), row[7], row[8])
    if _checksum(meta) != row[9]:
        raise ValueError("the meta row fails its checksum")
    return meta


def write_meta(db: sqlite3.Connection, meta: Meta) -> None:
    """Write the one row; next_seq as text, because SQLite's integers end at 2^63."""
    values = (
        meta.stream, str(meta.next_seq), meta.next_block, meta.window, meta.closed, meta.boot, meta.clean, meta.quota,
        meta.commits,
    )  # fmt: skip
    db.execute("REPLACE INTO meta VALUES (1,?,?,?,?,?,?,?,?,?,?)", (*values, _checksum(meta)))


def _checksum(meta: Meta) -> int:
    return zlib.crc32(repr(meta).encode())
