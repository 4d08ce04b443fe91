"""A folder on a disk that fails on request: `faulty.py FOLDER MOUNTPOINT` shows FOLDER by FUSE.

What is written into MOUNTPOINT/fault says how it fails from now on:

    nothing       it works
    read-only     every change is refused with EROFS, as after the kernel remounted a failing card
    sync          syncing fails with EIO; what was written before can still be read, as Linux has it
    once          the next sync fails with EIO, all later ones work
    slow          syncing takes 200 ms
"""

import errno
import os
import sys
import time
from pathlib import Path
from typing import Any

import mfusepy

CHANGES = os.O_WRONLY | os.O_RDWR
SLOW = 0.2


class Faulty(mfusepy.Operations):  # type: ignore[misc]
    """Passes everything on, but for the fault of the moment."""

    use_ns = True

    def __init__(self, folder: Path) -> None:
        """Show this folder."""
        self._folder, self._fault = folder, "nothing"

    def _at(self, path: str) -> str:
        return f"{self._folder}{path}"

    def _change(self) -> None:
        if self._fault == "read-only":
            raise mfusepy.FuseOSError(errno.EROFS)

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:  # noqa: ARG002  the library's names
        """Give a file's state."""
        if path == "/fault":
            return {"st_mode": 0o100600, "st_nlink": 1, "st_size": 0}
        state = os.lstat(self._at(path))
        names = ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size", "st_ino")
        times = {f"st_{name}": getattr(state, f"st_{name}_ns") for name in ("atime", "mtime", "ctime")}
        return {name: getattr(state, name) for name in names} | times

    def readdir(self, path: str, fh: int) -> list[str]:  # noqa: ARG002
        """List a folder."""
        return [".", "..", *os.listdir(self._at(path))]  # noqa: PTH208  text, as the library wants it

    def statfs(self, path: str) -> dict[str, int]:
        """Say how much space there is."""
        state = os.statvfs(self._at(path))
        names = ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_frsize", "f_files", "f_ffree", "f_namemax")
        return {name: getattr(state, name) for name in names}

    def open(self, path: str, flags: int) -> int:
        """Open a file."""
        if path == "/fault":
            return 0
        if flags & CHANGES:
            self._change()
        return os.open(self._at(path), flags & ~(os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW))

    def create(self, path: str, mode: int, fi: Any = None) -> int:  # noqa: ARG002
        """Make a file."""
        self._change()
        return os.open(self._at(path), os.O_RDWR | os.O_CREAT, mode)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        """Read."""
        return b"" if path == "/fault" else os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        """Write, or take the next fault."""
        if path == "/fault":
            self._fault = data.decode().strip()
            return len(data)
        self._change()
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        """Cut a file."""
        if path != "/fault":
            self._change()
            os.truncate(self._at(path) if fh is None else fh, length)
        return 0

    def fallocate(self, path: str, mode: int, offset: int, size: int, fh: int) -> int:  # noqa: ARG002
        """Lay down space."""
        self._change()
        os.posix_fallocate(fh, offset, size)
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:  # noqa: ARG002
        """Sync, or fail to."""
        fault = self._fault
        if fault == "once":
            self._fault = "nothing"
        if fault in ("sync", "once"):
            raise mfusepy.FuseOSError(errno.EIO)
        if fault == "slow":
            time.sleep(SLOW)
        os.fsync(fh)
        return 0

    def release(self, path: str, fh: int) -> int:
        """Close."""
        if path != "/fault":
            os.close(fh)
        return 0

    def unlink(self, path: str) -> int:
        """Remove a file."""
        self._change()
        Path(self._at(path)).unlink()
        return 0

    def rename(self, old: str, new: str) -> int:
        """Rename."""
        self._change()
        Path(self._at(old)).rename(self._at(new))
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        """Make a folder."""
        self._change()
        Path(self._at(path)).mkdir(mode)
        return 0

    def chmod(self, path: str, mode: int, fh: int | None = None) -> int:  # noqa: ARG002
        """Change who may."""
        self._change()
        Path(self._at(path)).chmod(mode)
        return 0

    def utimens(self, path: str, times: Any = None, fh: int | None = None) -> int:  # noqa: ARG002
        """Set times."""
        self._change()
        os.utime(self._at(path), ns=times)
        return 0


if __name__ == "__main__":
    mfusepy.FUSE(Faulty(Path(sys.argv[1])), sys.argv[2], foreground=True, nothreads=True)
