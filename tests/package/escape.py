"""Runs as a service of Nabd and tries to get out; writes to its own folder what became of each try."""

import ctypes
import json
import mmap
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH = 16
CLONE_NEWUSER = 0x10000000
SCHED_FIFO = 1


def _called(result: int) -> None:
    """Raise what a call of libc reports."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _write(path: str) -> None:
    Path(path).write_text("escaped")


def _others() -> None:
    """Look for processes of other users."""
    seen = [path for path in Path("/proc").glob("[0-9]*") if path.stat().st_uid != os.getuid()]
    if not seen:
        raise PermissionError(1, "no other process can be seen")


def _setuid_file() -> None:
    path = Path("/var/lib/nabd/suid")
    path.touch()
    path.chmod(0o4755)


WAYS: dict[str, Callable[[], object]] = {
    "write /etc": lambda: _write("/etc/escaped"),
    "write its configuration": lambda: _write("/etc/nabd/escaped"),
    "write its own program": lambda: _write("/opt/nabd/escaped"),
    "write /usr": lambda: _write("/usr/bin/escaped"),
    "see /home": lambda: list(Path("/root").iterdir()),
    "raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "packet socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0),
    "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    "mount": lambda: _called(LIBC.mount(b"none", b"/tmp", b"tmpfs", 0, None)),
    "trace another": lambda: _called(LIBC.ptrace(PTRACE_ATTACH, 1, None, None)),
    "memory to write and execute": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
    "new namespace": lambda: _called(LIBC.unshare(CLONE_NEWUSER)),
    "be root": lambda: os.setuid(0),
    "real-time priority": lambda: os.sched_setscheduler(0, SCHED_FIFO, os.sched_param(1)),
    "setuid file": _setuid_file,
    "other processes": _others,
    "raw disk": lambda: os.open("/dev/vda", os.O_RDONLY),
    "kernel's settings": lambda: _write("/proc/sys/kernel/hostname"),
    "control groups": lambda: Path("/sys/fs/cgroup/escaped").mkdir(),
    "its own folder": lambda: _write("/var/lib/nabd/allowed"),
}


def _try(way: Callable[[], object]) -> str:
    try:
        way()
    except OSError as error:
        return f"denied: {error}"
    return "allowed"


if __name__ == "__main__":
    Path("/var/lib/nabd/escape.json").write_text(json.dumps({name: _try(way) for name, way in WAYS.items()}))
