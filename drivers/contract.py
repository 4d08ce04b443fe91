"""The contract of every driver: what a meter is, what it says, and what may go wrong.

    DriverError               something between us and one meter
    ├── NotConnected          the link is gone: connect again
    ├── NoAnswer              the meter stayed silent within its deadline: try later
    ├── Refused               the meter understood and said no: asking again changes nothing
    └── DecodeError           bytes arrived that mean nothing: one telegram is lost, go on

The branches answer one question, what the caller does next. A driver never sleeps, retries or logs, and it only reads.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from drivers.profiles import Profile

Number = int | float | Decimal
"""A value at the meter's own resolution; a Decimal where a float could not hold it."""

BootClock = Callable[[], int]
"""Gives milliseconds since the board started, running on through suspend and every change of the wall clock."""


@dataclass(frozen=True, slots=True)
class Bus:
    """One wire: where it is and how bytes are framed on it.

    `where` is a serial device (`/dev/ttyUSB0`), a URL (`tcp://host:port`; `rtu+tcp://host:port` for Modbus RTU frames
    through a transparent gateway) or `capture:PATH`, a recording. `baud` and `framing` (data bits, parity, stop bits)
    are the protocol's usual ones when None. `in_flight` is how many requests a host may have open at once. `state` is a
    folder that outlives a restart, for drivers that count by themselves; None where nothing is to be kept. Every
    `drivers/<protocol>/driver.py` has `open_bus(bus: Bus, now: BootClock) -> Driver`.
    """

    name: str
    where: str
    baud: int | None = None
    framing: str | None = None
    in_flight: int = 1
    state: Path | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    """A meter's secrets, shown nowhere: what its telegrams are ciphered and signed with, and what it asks of a reader.

    `encryption` and `authentication` are 16 bytes (32 for AES-256), `password` is as long as the meter wants it.
    """

    encryption: bytes | None = field(default=None, repr=False)
    authentication: bytes | None = field(default=None, repr=False)
    password: bytes | None = field(default=None, repr=False)


NO_KEYS = Keys()


@dataclass(frozen=True, slots=True)
class Meter:
    """One meter as its driver must know it.

    `address` is the protocol's own: a Modbus unit, a P1 channel, or None where a bus has one meter only. `deadline` is
    how long one answer may take, in seconds.
    """

    id: str
    profile: "Profile"
    address: int | str | None = None
    deadline: float = 1.0
    keys: Keys = NO_KEYS


@dataclass(frozen=True, slots=True)
class Reading:
    """What one meter said at one moment, however many values that were.

    `at` is the boot clock in ms at the telegram's last byte. `captured` is the meter's own UTC time in ms, only for
    values that carry one (a gas sub-meter's hourly register); it then is the time of the reading. `meter_time` is the
    meter's clock in UTC ms, where a telegram shows it. `values` is keyed by quantity and unit (`energy_import_wh`, see
    quantities.py); a value the meter marks as absent is missing, never a number. `status` holds words of
    `quantities.FLAGS`.
    """

    meter: str
    at: int
    values: Mapping[str, Number]
    status: tuple[str, ...] = ()
    captured: int | None = None
    meter_time: int | None = None


class Driver(Protocol):
    """Owns one bus: a serial line or one host.

    Called by one task a bus when `turns` is "asked" (a request, then its answer), by one task a meter when it is
    "pushed" (meters that talk by themselves). `connect` may be called again after `close` or `NotConnected`.
    """

    turns: Literal["asked", "pushed"]

    async def connect(self) -> None:
        """Open the bus; raises NotConnected."""

    async def read(self, meter: Meter) -> Reading:
        """Ask a polled meter within its deadline, or await what a pushing one says next; raises DriverError."""

    async def close(self) -> None:
        """Let the bus go; never raises."""

    def counters(self) -> Mapping[str, int]:
        """What was rejected so far, by reason (`bad_crc`, `foreign_frame`, …)."""


@runtime_checkable
class HasHistory(Protocol):
    """A driver whose meters remember: their load profiles fill the gaps that an outage left."""

    async def history(self, meter: Meter, since_ms: int, until_ms: int) -> Sequence[Reading]:
        """Read what was between two moments, UTC in ms, oldest first, each `captured` at its own time.

        Nothing for a meter without a load profile. Asked once for each gap, between two turns; raises DriverError.
        """


@runtime_checkable
class HasNameplate(Protocol):
    """A driver whose meters say what they are."""

    async def nameplate(self, meter: Meter) -> Mapping[str, str]:
        """Ask for maker, model, serial number: whatever the profile names; raises DriverError."""


@runtime_checkable
class HasBudget(Protocol):
    """A driver whose readings may take long: lists at 300 baud, many telegrams of one meter."""

    def budget(self, meter: Meter) -> float:
        """Give the seconds one reading may take."""


@dataclass
class DriverError(Exception):
    """The root: what was being done, to which meter or line, and what an installer can do about it."""

    what: str
    hint: str = ""
    meter: str | None = field(default=None, kw_only=True)

    def __str__(self) -> str:
        """One line for people: meter, cause, hint."""
        where = f"{self.meter}: " if self.meter else ""
        return f"{where}{self.what}" + (f" ({self.hint})" if self.hint else "")


class NotConnected(DriverError):  # noqa: N818  the field's word, not a suffix
    """The link is closed or broke: call `connect` again, later."""


class NoAnswer(DriverError):  # noqa: N818
    """Nothing that belongs to our request arrived within the deadline."""


@dataclass
class Refused(DriverError):  # noqa: N818
    """The meter answered with an exception; `code` is the protocol's own number."""

    code: int = 0


class DecodeError(DriverError):
    """Bytes that cannot be what they claim; the only error a codec raises."""
