"""One SQLite file on a thread of its own: what it refuses is a StoreError with a hint, never SQLite's own."""

from pathlib import Path

import pytest

from gateway.store.contract import StoreError
from gateway.store.database import Database


async def test_a_read_that_fails_is_a_store_error(tmp_path: Path) -> None:
    """Whoever asks a table that is not there, or a file that is no database any more, gets one kind of error."""
    database = Database(tmp_path / "hub.sqlite", [["CREATE TABLE t (n INTEGER)"]])
    await database.open()
    try:
        with pytest.raises(StoreError, match="no such table"):
            await database.read(lambda c: c.execute("SELECT * FROM missing").fetchall())
        assert await database.read(lambda c: c.execute("SELECT * FROM t").fetchall()) == []
    finally:
        await database.close()
