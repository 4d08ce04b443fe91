"""The open window, mirrored on tmpfs record by record, so that a crash of the process loses nothing.

1. One file a window, made when the window opens and removed once its commit is on disk: while the process lives there
   is always one, so a missing file means that the memory it lay in is gone (a power cut).
2. A file is a header (which stream, which window) and records of length, CRC, kind and bytes, each one `write`.
3. A tail that was cut or fails its CRC ends the file: what stands before it is true.

On a shared tmpfs others may make files too; only files of our own user are read, and no link is followed.
"""

import os
import stat
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

READING, EVENT, LOSS = 1, 2, 3

_MAGIC = b"nabd-mirror-1\n"
_HEAD = struct.Struct("<14s12sQ")
_RECORD = struct.Struct("<IIB")
_LARGEST = 1024 * 1024
"""No record is larger: a reading has at most 200 values. A greater length is damage, not data."""


class Mirror:
    """Appends records of the open window; without a folder it does nothing."""

    def __init__(self, folder: Path | None, tag: str, stream: str) -> None:
        self._folder, self._tag, self._stream = folder, tag, stream
        self._fd = -1
        self._path: Path | None = None
        self.broken = 0

    def begin(self, window: int) -> Path | None:
        """Open the file of a new window; give the path of the one before, to be removed after its commit."""
        before, self._path = self._path, None
        self.end()
        if self._folder is not None:
            path = self._folder / f"nabd-{self._tag}-{window:016d}"
            try:
                self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
                os.write(self._fd, _HEAD.pack(_MAGIC, self._stream.encode(), window))
            except OSError:
                self._fail()
            self._path = path
        return before

    def append(self, kind: int, data: bytes) -> None:
        """Write one record; a mirror that cannot is counted as broken and rests until the next window."""
        if self._fd < 0:
            return
        record = _RECORD.pack(len(data), zlib.crc32(data, kind), kind) + data
        try:
            if os.write(self._fd, record) == len(record):
                return
        except OSError:
            pass
        self._fail()

    def end(self) -> None:
        """Close the file and leave it where it is."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def remove(self) -> None:
        """Close and remove the file of a window that holds nothing."""
        self.end()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None

    def _fail(self) -> None:
        self.end()
        self.broken += 1


@dataclass(frozen=True, slots=True)
class Found:
    """A mirror file as a crash left it; `torn` when its tail was cut."""

    path: Path
    stream: str
    window: int
    records: list[tuple[int, bytes]]
    torn: bool


def tag_of(journal: Path) -> str:
    """Name a journal, by its folder, in the names of its mirror's files: others may mirror theirs beside it."""
    return f"{zlib.crc32(os.fsencode(journal.resolve())):08x}"


def files(folder: Path, tag: str) -> list[Path]:
    """List the mirror's files of one journal, oldest window first."""
    return sorted(folder.glob(f"nabd-{tag}-*"))


def find(folder: Path | None, tag: str) -> list[Found]:
    """Read all mirror files of this journal, oldest window first."""
    if folder is None or not folder.is_dir():
        return []
    found = [_read(path) for path in files(folder, tag)]
    return [file for file in found if file is not None]


def _read(path: Path) -> Found | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if status.st_uid != os.geteuid() or not stat.S_ISREG(status.st_mode):
            return None
        data = file.read()
    if len(data) < _HEAD.size or not data.startswith(_MAGIC):
        return Found(path, "", 0, [], torn=True)
    _, stream, window = _HEAD.unpack_from(data)
    records, torn = _records(data)
    return Found(path, stream.decode("ascii", "replace"), window, records, torn)


def _records(data: bytes) -> tuple[list[tuple[int, bytes]], bool]:
    records: list[tuple[int, bytes]] = []
    at = _HEAD.size
    while at < len(data):
        if at + _RECORD.size > len(data):
            return records, True
        length, crc, kind = _RECORD.unpack_from(data, at)
        body = data[at + _RECORD.size : at + _RECORD.size + length]
        if length > _LARGEST or len(body) != length or zlib.crc32(body, kind) != crc:
            return records, True
        records.append((kind, body))
        at += _RECORD.size + length
    return records, False
