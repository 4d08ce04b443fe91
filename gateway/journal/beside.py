"""Journals found beside this one, whose unsent readings it takes in under numbers of its own, a few at a time.

1. A copy that was laid in the journal's place and set aside (`identity.py`).
2. The one in memory that stood in while the disk refused (`stand_in.py`).

The file goes only once all of it is committed here. A crash in between brings some of it twice; in the store a
reading's key is meter and time, so that changes nothing.
"""

import contextlib
from pathlib import Path

from gateway.journal import schema
from gateway.journal.salvage import Records, Salvage

COPIED = f"{schema.NAME}.copied"


class Beside:
    """One such journal; all but `remove` may be slow and belongs to the database thread."""

    def __init__(self, path: Path, *, whole_folder: bool = False) -> None:
        """`whole_folder` says that its folder holds nothing else and goes with it."""
        self.path, self._whole_folder = path, whole_folder
        self._salvage: Salvage | None = None

    def next(self) -> list[Records]:
        """Give the next blocks as records; none at the end."""
        if self._salvage is None:
            self._salvage = Salvage(self.path)
        return self._salvage.next()

    def remove(self) -> None:
        """Let it go, since all of it is here."""
        if self._whole_folder:
            from shutil import rmtree  # noqa: PLC0415  wanted once in a gateway's life, if at all

            rmtree(self.path.parent, ignore_errors=True)
            return
        for tail in ("-wal", "-shm", ""):
            with contextlib.suppress(OSError):
                self.path.with_name(self.path.name + tail).unlink(missing_ok=True)


def set_copy_aside(folder: Path) -> Path:
    """Rename the journal in `folder` and its log; give the new name. Raises OSError."""
    path = folder / schema.NAME
    taken = {file.name for file in copies(folder)}
    aside = next(folder / name for number in range(1, len(taken) + 2) if (name := f"{COPIED}-{number}") not in taken)
    wal = path.with_name(path.name + "-wal")
    if wal.exists():
        wal.rename(aside.with_name(aside.name + "-wal"))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    path.rename(aside)
    schema.sync_folder(folder)
    return aside


def copies(folder: Path) -> list[Path]:
    """Give the copies that were set aside and are not taken in yet."""
    return sorted(folder.glob(f"{COPIED}-*[0-9]"))
