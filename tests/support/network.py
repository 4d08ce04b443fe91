"""Two network namespaces and the cable between them, which can be slow, lossy or silent: real TCP over a bad line.

Each side has its own interfaces and a tun device; this process carries their packets, so no kernel module for loss or
rate is needed. Only root may do that.

    with Sides() as sides:
        async with Cable(sides, rate=8000, loss=0.2):
            with sides.near:  # sockets and child processes made here live on that side
                ...
"""

import asyncio
import ctypes
import fcntl
import os
import random
import shutil
import socket
import struct
import subprocess
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
MTU = 1500
QUEUE = 50
"""Packets a cable holds in each direction before it drops what comes: a small router's queue."""

_libc = ctypes.CDLL(None, use_errno=True)


def missing() -> str:
    """Say what keeps this machine from having namespaces of its own, or ""."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun"
    return "" if shutil.which("ip") else "ip is not installed (apt install iproute2)"


class Side:
    """One namespace: `with side:` moves this thread into it; `tun` carries its packets."""

    def __init__(self, number: int) -> None:
        self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _check(_libc.unshare(CLONE_NEWNET))
        self._here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.tun, TUNSETIFF, struct.pack("16sH", b"line", IFF_TUN | IFF_NO_PI))
            self.ip("link", "set", "lo", "up")
            self.ip("link", "set", "line", "mtu", str(MTU), "up")
            self.address("add", f"10.77.0.{number}/24")
            self.address("add", f"fd77::{number}/64")
        finally:
            _check(_libc.setns(self._home, CLONE_NEWNET))

    def __enter__(self) -> Self:
        _check(_libc.setns(self._here, CLONE_NEWNET))
        return self

    def __exit__(self, *_: object) -> None:
        _check(_libc.setns(self._home, CLONE_NEWNET))

    def readdress(self, old: str, new: str = "") -> None:
        """Take an address away and give another, as a new network does."""
        with self:
            self.address("del", old)
            if new:
                self.address("add", new)

    def address(self, what: str, address: str) -> None:
        """Add or delete one; this thread must be on this side."""
        self.ip("address", what, address, "dev", "line", *(["nodad"] if ":" in address and what == "add" else []))

    def ip(self, *arguments: str) -> None:
        """Run `ip` where this thread is."""
        subprocess.run(["ip", *arguments], check=True)

    def close(self) -> None:
        """Let the namespace go; the kernel ends it with its last process."""
        for descriptor in (self.tun, self._here, self._home):
            os.close(descriptor)


class Sides:
    """The namespaces: `near` has 10.77.0.1 and fd77::1, `far` 10.77.0.2 and fd77::2."""

    def __enter__(self) -> Self:
        self.near, self.far = Side(1), Side(2)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.near.close()
        self.far.close()


class Cable:
    """Carries packets both ways: `rate` bytes a second (0: any), `loss` of them lost, none while `silent`."""

    def __init__(self, sides: Sides, *, rate: float = 0, loss: float = 0, seed: int = 1) -> None:
        self.rate, self.loss, self.silent = rate, loss, False
        self.abandoned: set[bytes] = set()
        """IPv4 addresses that nobody routes any more: an end that lost one would still take packets for old sockets."""
        self.offered = 0
        """Bytes that the near side gave to the cable, headers and lost ones included."""
        self._dice = random.Random(seed)
        self._near, self._far = sides.near.tun, sides.far.tun
        self._queues: dict[int, deque[bytes]] = {self._near: deque(), self._far: deque()}

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._near, self._take, self._near, self._far)
        loop.add_reader(self._far, self._take, self._far, self._near)
        return self

    async def __aexit__(self, *_: object) -> None:
        for end in (self._near, self._far):
            asyncio.get_running_loop().remove_reader(end)
        self._queues.clear()

    def abandon(self, address: str) -> None:
        """Carry nothing from or to this IPv4 address any more."""
        self.abandoned.add(socket.inet_aton(address))

    def _take(self, source: int, goal: int) -> None:
        packet = os.read(source, MTU)
        self.offered += len(packet) if source == self._near else 0
        if packet[12:16] in self.abandoned or packet[16:20] in self.abandoned:
            return
        if self.silent or self._dice.random() < self.loss or len(self._queues[goal]) >= QUEUE:
            return
        if not self.rate:
            os.write(goal, packet)
            return
        self._queues[goal].append(packet)
        if len(self._queues[goal]) == 1:
            self._next(goal)

    def _next(self, goal: int) -> None:
        """Have the first packet of the queue take its time on the line."""
        asyncio.get_running_loop().call_later(len(self._queues[goal][0]) / self.rate, self._arrive, goal)

    def _arrive(self, goal: int) -> None:
        if not self._queues:
            return
        packet = self._queues[goal].popleft()
        if not self.silent:
            os.write(goal, packet)
        if self._queues[goal]:
            self._next(goal)


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
