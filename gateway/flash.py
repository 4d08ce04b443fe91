"""What this program writes to flash: cards wear out by it, so it is measured here and shown, not promised only.

1. The kernel counts what the process hands to disks.
2. The file system's own journal comes on top: each write changes a file, and ext4 writes that down seconds later, in
   a block that begins, one with the change and one that ends. Commits that come fast share these.
3. Mounted with a longer `commit` ext4 gathers more of these, which `advice` says to who checks a configuration.
"""

import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

from gateway.journal.stats import written_by_process

DAY = 86400.0
LIMIT = 1_000_000_000
"""Bytes a day from which it is told: a plain card takes 10 TB in its life, which are gone in 27 years at this rate."""
_EVERY = 900.0
_SOONEST = 60.0
"""Seconds after which a rate is told; a start writes more than a minute after it."""
_TOGETHER = 5.0
"""Seconds for which ext4 gathers changes, unless it is mounted with another `commit`."""
_BLOCKS = 3
_WORTH = 50_000_000
"""Bytes a day from which another way to mount is worth a word: a third of what readings themselves cost at most."""
_ADVISED = 60


class FlashMeter:
    """Keeps a sample each quarter-hour of the last day; `now` is monotonic seconds.

    `commits` counts the journal's, `block` is the size of the file system's blocks, `read` gives bytes we wrote.
    """

    def __init__(
        self, now: float, commits: Callable[[], int], block: int, read: Callable[[], int] = written_by_process
    ) -> None:
        """Begin to count."""
        self._read, self._commits, self._overhead = read, commits, _BLOCKS * block
        self._samples = deque([(now, read(), commits())], maxlen=int(DAY / _EVERY) + 1)

    def look(self, now: float) -> None:
        """Take a sample when it is time; call it as often as you like."""
        if now - self._samples[-1][0] >= _EVERY:
            self._samples.append((now, self._read(), self._commits()))

    def a_day(self, now: float) -> int | None:
        """Give bytes a day, from those of the last day or since the start; None in the first minute."""
        began, before, commits = self._samples[0]
        passed = now - began
        if passed < _SOONEST:
            return None
        times = min(self._commits() - commits, passed / _TOGETHER)
        return int((self._read() - before + times * self._overhead) / passed * DAY)

    def warning(self, now: float) -> str:
        """Say so when flash is written too much; the first quarter-hour says nothing about a day."""
        a_day = self.a_day(now)
        if a_day is None or a_day <= LIMIT or now - self._samples[0][0] < _EVERY:
            return ""
        return f"{a_day / 1e9:.1f} GB a day are written to flash (poll more seldom, or lengthen journal.window)"


def advice(folder: Path, window: float, mounts: str | None = None) -> str:
    """Say how a folder's disk should be mounted to spare flash, "" when that is well.

    `window` is the journal's, in seconds; `mounts` is the text of /proc/self/mounts unless given.
    """
    place, kind, options = _mount_of(folder, _read_mounts() if mounts is None else mounts)
    commit = next((option[7:] for option in options.split(",") if option.startswith("commit=")), "")
    seconds = float(commit) if commit.isdecimal() else _TOGETHER
    spared = (DAY / max(window, seconds) - DAY / max(window, _ADVISED)) * _BLOCKS * block_size(folder)
    if kind != "ext4" or spared < _WORTH:
        return ""
    often = f"{place} is mounted to write down changes of files each {seconds:.0f} s"
    return f"{often}: commit={_ADVISED} spares flash up to {spared / 1e6:.0f} MB a day (docs/reference/flash.md)"


def _mount_of(folder: Path, mounts: str) -> tuple[str, str, str]:
    """Give mount point, kind and options of a folder's file system; of two on one place the later counts."""
    found = ("", "", "")
    for row in mounts.splitlines():
        _, place, kind, options, *_ = [*row.split(), "", "", "", ""]
        if place and folder.is_relative_to(place) and len(place) >= len(found[0]):
            found = (place, kind, options)
    return found


def _read_mounts() -> str:
    try:
        return Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def block_size(folder: Path) -> int:
    """Give the bytes of a block of a folder's file system, those of a usual card when it cannot be asked."""
    try:
        return os.statvfs(folder).f_bsize
    except OSError:
        return 4096
