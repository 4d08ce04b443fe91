"""A disk that takes 200 ms to sync, by FUSE: `python -m benchmarks.slow_disk FOLDER MOUNTPOINT` shows FOLDER."""

import os
import sys
from pathlib import Path

import mfusepy

from tests.power.faulty import Faulty


class SlowDisk(Faulty):
    """A whole edge lives on it, with the socket that it answers on."""

    def mknod(self, path: str, mode: int, dev: int) -> int:
        """Make the socket."""
        os.mknod(self._at(path), mode, dev)
        return 0


if __name__ == "__main__":
    disk = SlowDisk(Path(sys.argv[1]))
    disk.write("/fault", b"slow", 0, 0)
    mfusepy.FUSE(disk, sys.argv[2], foreground=True, nothreads=True)
