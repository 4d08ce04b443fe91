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
_LEAST = 512 * 1024
"""Less would not carry a commit, and only take space from the log."""


class Ballast:
    """One file in the journal's folder; `held` says whether it lies there whole."""

    def __init__(self, folder: Path) -> None:
        """Look; `keep` lays it down."""
        self._path = folder / NAME
        self.held = self._size() >= SIZE

    def keep(self) -> bool:
        """Lay it down as far as there is space; say whether all of it is there."""
        size = SIZE
        while not self.held and size > max(self._size(), _LEAST - 1):
            self.held = self._grow(size) and size == SIZE
            size //= 2
        return self.held

    def _grow(self, size: int) -> bool:
        before = self._size()
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            os.posix_fallocate(fd, 0, size)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(fd, before)  # a failed attempt may have taken a part
            return False
        finally:
            os.close(fd)
        return True

    def give_up(self) -> bool:
        """Free its space, for good by the time this returns; False when there was none."""
        had, self.held = self._size() > 0, False
        with contextlib.suppress(OSError), self._path.open("r+b", buffering=0) as file:
            file.truncate(0)
            os.fsync(file.fileno())  # freed blocks are free once the file system has committed
        return had

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0
