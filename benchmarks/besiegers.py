"""Those who besiege a page: `python -m benchmarks.besiegers PORT MANNER SOURCES COUNT`, until they are killed.

Each of COUNT connections is opened again as soon as it is closed, from one of SOURCES addresses of this machine.
MANNER says what a connection does: `idle` nothing, `slow` a byte of a request each second, `post` a body of a gigabyte,
`bomb` headers without end, `range` asks for many ranges, `flood` asks the whole question and begins anew.

A line goes out each second: connections that are open, and how many were opened so far.
"""

import contextlib
import errno
import itertools
import select
import socket
import sys
import time
from dataclasses import dataclass

EVERY = 1.0
AT_ONCE = 64
"""Connections opened between two looks at those that are open."""
BIND_WITHOUT_PORT = 24
"""Linux's IP_BIND_ADDRESS_NO_PORT: the port is chosen when the other end is known, so there are as many for each."""
HEAD = b"HTTP/1.1\r\nhost: 127.0.0.1\r\n"
RANGES = b"range: bytes=" + b"0-9," * 3000


@dataclass(frozen=True)
class Manner:
    """What a connection says at first, and then again each second, or as fast as it is taken."""

    first: bytes = b""
    more: bytes = b""
    eager: bool = False


MANNERS = {
    "idle": Manner(),
    "slow": Manner(b"GET / " + HEAD + b"x: ", b"y"),
    "post": Manner(b"POST /leave " + HEAD + b"content-length: 1000000000\r\n\r\n", b"z" * 65536, eager=True),
    "bomb": Manner(b"GET / " + HEAD, b"x: " + b"y" * 8000 + b"\r\n", eager=True),
    "range": Manner(b"GET /static/nabd.css " + HEAD + RANGES + b"\r\n\r\n"),
    "flood": Manner(b"GET / " + HEAD + b"connection: close\r\n\r\n"),
}


class Besiegers:
    """All connections of one program, without a thread or a task for each."""

    def __init__(self, port: int, manner: Manner, sources: int, count: int) -> None:
        self.opened = 0
        self._port, self._manner, self._count = port, manner, count
        self._sources = itertools.cycle([f"127.{1 + n // 250}.{n % 250}.77" for n in range(sources)])
        self._poll, self._fresh, self._open = select.epoll(), dict[int, socket.socket](), dict[int, socket.socket]()

    def run(self) -> None:
        """Besiege for ever."""
        tell = time.monotonic() + EVERY
        while True:
            for _ in range(min(AT_ONCE, self._count - len(self._open) - len(self._fresh))):
                self._dial()
            for number, events in self._poll.poll(0.02):
                self._meet(number, events)
            if time.monotonic() > tell:
                tell += EVERY
                for sock in list(self._open.values()):
                    self._say(sock, self._manner.more)
                print(len(self._open), self.opened, flush=True)

    def _dial(self) -> None:
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, BIND_WITHOUT_PORT, 1)
        sock.bind((next(self._sources), 0))
        if sock.connect_ex(("127.0.0.1", self._port)) not in (0, errno.EINPROGRESS):
            sock.close()
            return
        self._fresh[sock.fileno()] = sock
        self._poll.register(sock.fileno(), select.EPOLLOUT | select.EPOLLRDHUP)

    def _meet(self, number: int, events: int) -> None:
        if events & (select.EPOLLERR | select.EPOLLHUP | select.EPOLLRDHUP):
            (self._fresh.pop(number, None) or self._open.pop(number)).close()
            return
        sock = self._fresh.pop(number, None)
        if sock is not None:
            self.opened += 1
            self._open[number] = sock
            self._say(sock, self._manner.first)
            wanted = select.EPOLLIN | select.EPOLLRDHUP | (select.EPOLLOUT if self._manner.eager else 0)
            self._poll.modify(number, wanted)
            return
        sock = self._open[number]
        with contextlib.suppress(OSError):
            if events & select.EPOLLIN:
                sock.recv(65536)
        if events & select.EPOLLOUT:
            self._say(sock, self._manner.more)

    def _say(self, sock: socket.socket, words: bytes) -> None:
        with contextlib.suppress(OSError):
            sock.send(words)


if __name__ == "__main__":
    Besiegers(int(sys.argv[1]), MANNERS[sys.argv[2]], int(sys.argv[3]), int(sys.argv[4])).run()
