"""Invocation counters that are never used twice: reserved in blocks, on disk before the first one of a block is used.

1. A counter belongs to a key and our system title. Two meters with one key share one counter.
2. `count` gives the next number. When a block is used up, the file says where the next one ends before any of its
   numbers is given; so whatever was given before a crash lies below what the file says, and the rest of a block is
   skipped.
3. A file says when it was written. One that the disk says was written or put there at another time came back from a
   copy, and may be old: then numbers go on far above it.
4. A meter that has seen a higher number than ours, of another reader or before a lost disk, moves ours above it.

A copy of a whole disk cannot be told from the disk itself; the meter's own no (4) is the guard there.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from drivers.contract import Refused
from drivers.dlms.security import HIGHEST_COUNTER

BLOCK = 1000
"""Numbers reserved at once: a meter read each ten seconds writes its file some fifty times a day."""

RESTORED = 1 << 20
"""Numbers skipped over after a copy came back: more than a month of readings each ten seconds uses."""

SETTLED = 30 * 10**9
"""Nanoseconds a slow card may take from a file's first byte to its place. Nobody uses up a block within that time."""


class Counters:
    """The next number of each key, kept in a folder; many processes may use one folder."""

    def __init__(self, folder: Path, block: int = BLOCK) -> None:
        self._folder = folder
        self._block = block
        # By file name: the next number and the first one that is not reserved. Bounded by the keys configured.
        self._ranges: dict[str, tuple[int, int]] = {}

    def count(self, key: bytes, title: bytes) -> int:
        """Give a number that was never given; raises Refused when it cannot be kept or all are used up."""
        name = _name(key, title)
        number, end = self._ranges.get(name, (0, 0))
        if number >= end:
            number, end = self._reserve(name, 0)
        self._ranges[name] = number + 1, end
        return number

    def rise(self, key: bytes, title: bytes, least: int) -> None:
        """Give no number below `least` from now on; raises Refused."""
        name = _name(key, title)
        number, end = self._ranges.get(name, (0, 0))
        if number < least:
            self._ranges[name] = self._reserve(name, least) if least >= end else (least, end)

    def _reserve(self, name: str, least: int) -> tuple[int, int]:
        try:
            with self._locked():
                first = max(self._read(name), least)
                end = first + self._block
                if end > HIGHEST_COUNTER:
                    raise Refused("the key's counter is used up", "ask the grid operator for a new key")
                self._write(name, end)
        except OSError as error:
            hint = "without it a key would be used twice with one counter: is the disk full, or read-only?"
            raise Refused(f"{self._folder}: {error.strerror}", hint) from error
        return first, end

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes out while a block is reserved."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
            os.fsync(folder)
        finally:
            os.close(folder)

    def _read(self, name: str) -> int:
        """Give where the last block ended; 0 for a key never used. Raises Refused for a file that says nothing."""
        path = self._folder / name
        try:
            text, status = path.read_text("ascii"), path.stat()
        except FileNotFoundError:
            return 0
        try:
            end, written = map(int, text.split())
        except ValueError:
            hint = "write the highest number used and a 0 into it, or ask for a new key"
            raise Refused(f"{path} holds no counter", hint) from None
        # A copy that keeps the time of writing cannot keep the time of its own making.
        is_ours = all(abs(time - written) < SETTLED for time in (status.st_mtime_ns, status.st_ctime_ns))
        return end if is_ours else end + RESTORED

    def _write(self, name: str, end: int) -> None:
        """Replace the file, and have it on disk."""
        new = self._folder / f"{name}.new"
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            written = os.fstat(file).st_mtime_ns
            os.write(file, f"{end} {written}\n".encode("ascii"))
            os.utime(file, ns=(written, written))
            os.fsync(file)
        finally:
            os.close(file)
        new.replace(self._folder / name)


def _name(key: bytes, title: bytes) -> str:
    """Name a counter's file; a digest tells nothing of the key."""
    return f"counter-{sha256(b'nabd counter' + key + title).hexdigest()[:16]}"
