"""Erases files: what they held is overwritten, their names go, and the disk is told which blocks are free.

Overwriting reaches what a file holds now. What it held before, and copies that a card makes on its own, only the disk
itself can forget: `trim` asks it to. docs/reference/factory-reset.md says what may remain.
"""

import os
import stat
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

CHUNK = 1 << 20


def erase(path: Path) -> Iterator[Path]:
    """Erase a file, or a folder with all in it, and give each path that is gone; raises OSError."""
    if path.is_dir() and not path.is_symlink():
        for inner in sorted(path.iterdir()):
            yield from erase(inner)
        path.rmdir()
    else:
        _overwrite(path)
        path.unlink()
    _sync(path.parent)
    yield path


def _overwrite(path: Path) -> None:
    """Write zeros over a plain file of ours; a link or another name of the same file leads to what is not ours."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        return
    fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for at in range(0, found.st_size, CHUNK):
            os.pwrite(fd, bytes(min(CHUNK, found.st_size - at)), at)
        os.fsync(fd)
    finally:
        os.close(fd)


def trim(folders: Sequence[Path]) -> list[str]:
    """Tell the disks of these folders which blocks are free; gives why it could not be told of some."""
    disks = {mount_of(folder) for folder in folders}
    return [f"{disk}: {why}" for disk in sorted(disks) if (why := _trim(disk))]


def mount_of(folder: Path) -> Path:
    """Give the place where a folder's file system is mounted."""
    folder = folder.resolve()
    while not folder.is_dir() or not os.path.ismount(folder):
        folder = folder.parent
    return folder


def _trim(disk: Path) -> str:
    try:
        done = subprocess.run(["fstrim", str(disk)], capture_output=True, text=True, timeout=600, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.strip().rpartition(": ")[2] or "it refused"


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
