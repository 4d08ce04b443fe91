"""What IEC 62056-21 meters and their readers say to one another, and the bytes that a reader sends."""

from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Literal

SOH, STX, ETX, EOT, ACK, NAK = b"\x01", b"\x02", b"\x03", b"\x04", b"\x06", b"\x15"
BAD_PARITY = b"\xff"
"""What a character with the wrong parity is replaced by: no text of seven bits holds it."""

SPEEDS = {"0": 300, "1": 600, "2": 1200, "3": 2400, "4": 4800, "5": 9600, "6": 19200}
"""The speed a meter offers, by the character of mode C."""

SPEEDS_B = {"A": 600, "B": 1200, "C": 2400, "D": 4800, "E": 9600, "F": 19200}
"""The speed a meter goes on with by itself, by the character of mode B."""

Bcc = Literal["required", "absent", "ignored"]
"""required: a right check character, or nothing · absent: the list ends at `!` and every line must read · ignored: a
wrong or missing one is accepted, and the block says so"""

Check = Literal["right", "wrong", "absent"]


@dataclass(frozen=True, slots=True)
class Identification:
    """How a meter names itself; `speed` is one character, `type` what its maker wrote, escapes included."""

    maker: str
    speed: str
    type: str

    @property
    def mode(self) -> Literal["A", "B", "C"]:
        """The mode that the speed's character stands for; any other character means A."""
        return "C" if self.speed in SPEEDS else "B" if self.speed in SPEEDS_B else "A"

    @property
    def baud(self) -> int | None:
        """The speed offered; None in mode A."""
        return SPEEDS.get(self.speed) or SPEEDS_B.get(self.speed)

    @property
    def is_fast(self) -> bool:
        """Whether the meter reacts within 20 ms instead of 200: its maker's third letter is small."""
        return self.maker[2].islower()


@dataclass(frozen=True, slots=True)
class DataSet:
    """One value as on the wire; an empty `address` continues the data set before."""

    address: str
    value: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Data sets that came together; `check` says what proves them, `partial` that more blocks follow."""

    sets: tuple[DataSet, ...]
    check: Check
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command of programming mode, such as P0, a request for the password, or B0, the end."""

    code: str
    sets: tuple[DataSet, ...] = ()


@dataclass(frozen=True, slots=True)
class Signal:
    """One ACK, or one NAK where `right` is False."""

    right: bool


@dataclass(frozen=True, slots=True)
class Damaged:
    """A message that broke on its way: `bad_bcc`, `bad_parity`, `malformed`, `cut` or `too_long`."""

    reason: str


Message = Identification | Block | Command | Signal | Damaged


@dataclass(frozen=True, slots=True)
class ReadOut:
    """A meter's whole list."""

    identification: Identification
    block: Block


# --- what a reader sends ---------------------------------------------------------------------------------------------


def check_character(data: bytes) -> int:
    """Give the BCC of what follows SOH or STX, ETX included."""
    return reduce(xor, data, 0)


def sign_on(address: str = "") -> bytes:
    """Ask the meter of this device address to name itself; any meter without one."""
    return f"/?{address}!\r\n".encode("ascii")


def option(protocol: str, speed: str, mode: str) -> bytes:
    """Accept what a meter offers: protocol 0, 2 for HDLC; its speed's character; mode 0 list, 1 programming, 2 HDLC."""
    return ACK + f"{protocol}{speed}{mode}\r\n".encode("ascii")


def command(code: str, body: bytes | None = None) -> bytes:
    """Make a command: `command("P1", b"(secret)")`, `command("R5", b"1.8.0()")`."""
    data = code.encode("ascii") + (b"" if body is None else STX + body) + ETX
    return SOH + data + bytes((check_character(data),))


BREAK = command("B0")
"""Ends a session: the meter falls back to its first speed."""
