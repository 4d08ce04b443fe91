"""The file of one meter's count: opened once, written with each pulse, brought to the disk at the end."""

import contextlib
import os
import re
from pathlib import Path

from drivers.pulse import slots
from drivers.pulse.count import Total

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


class Keeper:
    """A count that outlives the process; without a folder it lives in memory only.

    A full or broken disk costs nothing but what a power cut then loses; `failed` counts the writes that were refused.
    """

    def __init__(self, folder: Path | None, meter: str) -> None:
        """Read what was kept of this meter."""
        self.failed = 0
        self.total, self._generation, self._file = Total(), 0, -1
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"pulse-{_UNSAFE.sub('_', meter)}"
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self.total, self._generation = slots.newest(os.pread(self._file, slots.SIZE, 0))
        except OSError:
            self.failed += 1

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever kept of this meter."""
        return self._generation == 0 and self.total == Total()

    def keep(self, total: Total) -> None:
        """Write a new count."""
        self.total = total
        if self._file < 0:
            return
        self._generation += 1
        try:
            os.pwrite(self._file, slots.encode(total, self._generation), slots.place(self._generation))
        except OSError:
            self.failed += 1

    def close(self) -> None:
        """Bring the count to the disk and let the file go; never raises."""
        if self._file >= 0:
            with contextlib.suppress(OSError):
                os.fsync(self._file)
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = -1
