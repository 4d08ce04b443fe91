"""What stands at the two ends of a simulated wire, and all that is put between them.

    client ))) wire ── Paced ── Faulty ── a meter's server

Each of them is a `Server`: it opens a session for a client, with the way back to that client in hand. What changes the
bytes in between (pace, faults) is a server around a server, so a wire knows nothing of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Send = Callable[[bytes], None]
"""The way back to the client: takes bytes at once, and never blocks."""


class Session(Protocol):
    """One client's conversation."""

    def feed(self, data: bytes) -> None:
        """Take bytes of the client."""

    def close(self) -> None:
        """The client is gone."""


class Server(Protocol):
    """Answers clients, or talks to them by itself."""

    def open(self, send: Send) -> Session:
        """Begin a conversation."""


@dataclass
class SimulatorError(Exception):
    """A scenario that cannot be served; `hint` says what to change."""

    what: str
    hint: str = ""

    def __str__(self) -> str:
        """One line for people."""
        return self.what + (f" ({self.hint})" if self.hint else "")
