"""What carries messages between a client and a meter, as scripts that another part runs.

A script is a generator: it yields bytes to send and is sent what came after them, within the time a meter has for an
answer; nothing for silence. So links know no clock and no socket, and tests play the meter.
"""

from collections import Counter
from collections.abc import Generator
from typing import Protocol, TypeVar

T = TypeVar("T")

Script = Generator[bytes, bytes, T]


class Link(Protocol):
    """Carries messages: HDLC on serial lines and TCP, the wrapper on TCP."""

    def open(self) -> Script[None]:
        """Open the link; raises NoAnswer or Refused."""

    def ask(self, message: bytes) -> Script[bytes]:
        """Send one message and give the answer; raises NoAnswer, DecodeError."""

    def close(self) -> Script[None]:
        """End the link, if it is open."""

    def goodbye(self) -> bytes:
        """Give what ends the link at once, for those who cannot await an answer; nothing when it is not open."""

    @property
    def counters(self) -> Counter[str]:
        """What was of no use, by reason."""
