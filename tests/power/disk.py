"""A disk of our own: an ext4 image on a loop device, whose power can be cut between any two instructions.

1. `Disk.make` formats an image file and mounts it; `unmount` and `mount` come and go like a card in its slot.
2. `cut` is EXT4_IOC_SHUTDOWN without flushing: what was not synced is gone, as after a power cut, and every later
   access fails. Only root may do all this.
"""

import contextlib
import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SHUTDOWN = (2 << 30) | (4 << 16) | (ord("X") << 8) | 125
"""EXT4_IOC_SHUTDOWN: read, 4 bytes, type X, number 125."""
NO_LOG_FLUSH = 2
SECTOR = 512


def missing() -> str:
    """Say why this machine cannot mount disks of its own, "" when it can."""
    if os.geteuid() != 0:
        return "loop mounts need root"
    if not Path("/dev/loop-control").exists():
        return "this kernel has no loop devices"
    tools = [name for name in ("mkfs.ext4", "losetup", "mount", "umount") if which(name) is None]
    return f"not installed: {', '.join(tools)}" if tools else ""


def which(name: str) -> str | None:
    """Find a program, also where only root looks."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def sh(*words: str) -> str:
    """Run one command and give what it prints."""
    program = which(words[0]) or words[0]
    done = subprocess.run([program, *words[1:]], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


@dataclass
class Disk:
    """An ext4 image and where it is mounted; `device` is the loop device while it is."""

    image: Path
    path: Path
    options: str = ""
    device: str = ""

    @classmethod
    def make(cls, image: Path, path: Path, megabytes: int, *, options: str = "", block: int = 1024) -> "Disk":
        """Make an image of so many MB, and mount it; `block` is the size of ext4's blocks."""
        with image.open("wb") as file:
            file.truncate(megabytes * 1024 * 1024)
        format_image(image, block)
        path.mkdir(exist_ok=True)
        disk = cls(image, path, options)
        disk.mount()
        os.sync()  # else the fresh file system itself is torn by the first cut
        return disk

    def mount(self) -> None:
        """Attach the image and mount it; ext4 replays its own journal now."""
        self.device = sh("losetup", "--find", "--show", str(self.image))
        try:
            mount(self.device, self.path, self.options)
        except OSError:
            self._detach()
            raise

    def cut(self) -> float:
        """Cut the power; give the monotonic time just before."""
        fd = os.open(self.path, os.O_RDONLY)
        try:
            now = time.monotonic()
            fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(fd)
        return now

    def unmount(self) -> None:
        """Take the disk away; whoever uses it must be gone."""
        for pause in (0.01, 0.05, 0.2, 1.0):  # a killed process takes a moment to let go
            with contextlib.suppress(OSError):
                sh("umount", str(self.path))
                break
            time.sleep(pause)
        else:
            sh("umount", "--lazy", str(self.path))
        self._detach()

    def go(self) -> None:
        """Take the disk away for good, if it is still there."""
        if self.device:
            with contextlib.suppress(OSError):
                self.unmount()

    def written(self) -> int:
        """Bytes the device has taken so far."""
        fields = Path(f"/sys/block/{Path(self.device).name}/stat").read_text(encoding="ascii").split()
        return int(fields[6]) * SECTOR

    def _detach(self) -> None:
        device, self.device = self.device, ""
        if device:
            with contextlib.suppress(OSError):
                sh("losetup", "--detach", device)


def format_image(image: Path, block: int = 1024) -> None:
    """Make an ext4 file system in a file; small, and all of it at once, so that nothing is written behind our back.

    Blocks of 1 KB are what a disk of few megabytes has by default, a card has 4 KB.
    """
    sh("mkfs.ext4", "-q", "-F", "-b", str(block), "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))


def mount(device: str, path: Path, options: str = "") -> None:
    """Mount by the system call itself: the program costs a fork, and reads options of its own back."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(device.encode(), os.fsencode(path), b"ext4", 0, options.encode()):
        raise OSError(ctypes.get_errno(), f"mount {device} at {path}")


@contextlib.contextmanager
def made(image: Path, path: Path, megabytes: int, *, options: str = "", block: int = 1024) -> Iterator[Disk]:
    """Have a disk while the block runs."""
    disk = Disk.make(image, path, megabytes, options=options, block=block)
    try:
        yield disk
    finally:
        disk.go()
