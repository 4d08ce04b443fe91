"""Files of earlier versions become files of this one, in one transaction: all rows are kept, or nothing is changed.

    1    the first
    2    `state` for the alert engine; `meta` counts commits, so that one whose end is unknown can be recognized

A file of a later version is refused where it is found (`schema.py`).
"""

import sqlite3
import zlib

from gateway.journal.tables import META, STATE, VERSION, Meta, write_meta


def migrate(db: sqlite3.Connection, version: int) -> None:
    """Bring an open file from `version` to the present one; raises sqlite3.Error, ValueError when it is damaged."""
    if version == VERSION:
        return
    if version not in _STEPS:
        raise ValueError("no version wrote this file")
    db.execute("BEGIN IMMEDIATE")
    for step in range(version, VERSION):
        _STEPS[step](db)
    db.execute(f"PRAGMA user_version={VERSION}")
    db.execute("COMMIT")


def _from_1(db: sqlite3.Connection) -> None:
    columns = "stream, next_seq, next_block, window, closed, boot, clean, quota"
    row = db.execute(f"SELECT {columns}, crc FROM meta").fetchone()  # noqa: S608  our own names
    if row is None:
        raise ValueError("there is no meta row")
    stream, seq, block, window, closed, boot, clean, quota, crc = row
    old = (
        f"Meta(stream={stream!r}, next_seq={int(seq)!r}, next_block={block!r}, window={window!r}, closed={closed!r},"
        f" boot={boot!r}, clean={bool(clean)!r}, quota={quota!r})"
    )
    if zlib.crc32(old.encode()) != crc:
        raise ValueError("the meta row fails its checksum")
    db.execute("DROP TABLE meta")
    db.execute(META)
    db.execute(STATE.replace("TABLE", "TABLE IF NOT EXISTS", 1))  # the youngest files of version 1 had one
    write_meta(db, Meta(stream, int(seq), block, window, closed, boot, bool(clean), quota, 0))


_STEPS = {1: _from_1}
