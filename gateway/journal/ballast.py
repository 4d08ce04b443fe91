"""A reserve on the disk, so that a full one can still be written to long enough to make room.

SQLite needs space even to delete. So a file of zeros lies beside the journal. When the disk is full it is given up, the
commit that needs room deletes what the store already has, and the file is laid down again as soon as there is space.
"""

import contextlib
import os
from pathlib import Path

NAME = "journal.ballast"
SIZE = 2 * 1024 * 1024
"""Holds a whole log of a megabyte, which a checkpoint may have to write once more, and a commit with many deletions."""


class Ballast:
    """One file in the journal's folder; `held` says whether it lies there whole."""

    def __init__(self, folder: Path) -> None:
        """Look; `keep` lays it down."""
        self._path = folder / NAME
        self.held = self._size() >= SIZE

    def keep(self) -> bool:
        """Lay it down if there is space; say whether it is there."""
        if not self.held:
            try:
                fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                with contextlib.closing(os.fdopen(fd, "rb", buffering=0)):
                    os.posix_fallocate(fd, 0, SIZE)
                self.held = True
            except OSError:  # a part of it would only take space from the journal
                self._empty()
        return self.held

    def give_up(self) -> bool:
        """Free its space, for good by the time this returns; False when there was none."""
        had = self._size() > 0
        self._empty()
        return had

    def _empty(self) -> None:
        self.held = False
        with contextlib.suppress(OSError):
            fd = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
            with contextlib.closing(os.fdopen(fd, "wb", buffering=0)):
                os.ftruncate(fd, 0)
                os.fsync(fd)  # freed blocks are free once the file system has committed

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0
