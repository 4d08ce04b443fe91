"""Records what a file system tells its disk: `recorder.py IMAGE MOUNTPOINT LOG` offers IMAGE, from memory, by FUSE.

In MOUNTPOINT stand two files: `disk.img`, to be put on a loop device, and `mark`, into which programs write what they
can prove. LOG gets one record after another in the order things happened, as `records` reads them:

    W OFFSET DATA    the disk was told to write
    F                the disk was told to keep all that it had been told (flush)
    A TEXT           a program wrote TEXT into `mark`
"""

import errno
import stat
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mfusepy

_HEAD = struct.Struct("<cQI")
SECTOR = 512
Record = tuple[bytes, int, bytes]
"""Kind, offset, data."""


class Recorder(mfusepy.Operations):  # type: ignore[misc]
    """The two files; one thread, so that one order rules them all."""

    use_ns = True

    def __init__(self, image: Path, log: Path) -> None:
        """Load the image; open the log."""
        self._disk = bytearray(image.read_bytes())
        self._log = log.open("wb", buffering=1 << 20)

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:  # noqa: ARG002  the library's names
        """Say what there is."""
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o700, "st_nlink": 2}
        if path not in ("/disk.img", "/mark"):
            raise mfusepy.FuseOSError(errno.ENOENT)
        size = len(self._disk) if path == "/disk.img" else 0
        return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_size": size}

    def readdir(self, path: str, fh: int) -> list[str]:  # noqa: ARG002
        """List both files."""
        return [".", "..", "disk.img", "mark"]

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:  # noqa: ARG002
        """Read the disk."""
        return bytes(self._disk[offset : offset + size]) if path == "/disk.img" else b""

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:  # noqa: ARG002
        """Write to the disk, or take a mark."""
        if path == "/disk.img":
            self._disk[offset : offset + len(data)] = data
            self._record(b"W", offset, data)
        else:
            self._record(b"A", 0, data)
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:  # noqa: ARG002
        """Do nothing: neither file has an end to move."""
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:  # noqa: ARG002
        """Take a flush."""
        if path == "/disk.img":
            self._record(b"F", 0, b"")
        return 0

    def destroy(self, path: str) -> None:  # noqa: ARG002
        """Finish the log."""
        self._log.close()

    def _record(self, kind: bytes, offset: int, data: bytes) -> None:
        self._log.write(_HEAD.pack(kind, offset, len(data)) + data)


def records(log: Path) -> Iterator[Record]:
    """Give what a recorder wrote."""
    with log.open("rb") as file:
        while head := file.read(_HEAD.size):
            kind, offset, length = _HEAD.unpack(head)
            yield kind, offset, file.read(length)


if __name__ == "__main__":
    mfusepy.FUSE(Recorder(Path(sys.argv[1]), Path(sys.argv[3])), sys.argv[2], foreground=True, nothreads=True)
