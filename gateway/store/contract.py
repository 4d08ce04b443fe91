"""What a series store must do, whichever it is.

    write(rows)  ->  Stored      they are taken; durable now, or after `durable_after` seconds; some may be rejected
                     TryAgain    nothing is promised; send all of them again, not before `after` seconds

The key of a reading is (tenant, meter, ts). Readings are never rewritten, so writing one again changes nothing. The
store never retries, sleeps or counts: the collector does.

Old readings go in one of two ways, and a store says by its methods which is its own: it thins them when it is told to
(`Thins`), or its server lets them go by a rule that its operator sets (`Expires`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Row:
    """One reading as a store keeps it: `ts` in UTC ms, `stream` as an integer, `v` keyed by quantity and unit."""

    tenant: str
    gw: str
    meter: str
    ts: int
    stream: int
    seq: int
    q: int
    v: Mapping[str, int | float | str]
    commodity: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """The rows are taken, but for those in `rejected`: (index into the batch, reason such as `type_conflict`)."""

    durable_after: float = 0.0
    rejected: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The store cannot take them now; `why` is for people, `loud` means a person must act (a wrong token)."""

    why: str
    after: float = 1.0
    loud: bool = False


Verdict = Stored | TryAgain


class Store(Protocol):
    """A series store; reusable after `close`, used by one collector task at a time."""

    async def open(self) -> None:
        """Make ready; raises StoreError with a hint when a person must act first."""

    async def write(self, rows: Sequence[Row]) -> Verdict:
        """Take a batch."""

    async def query(self, tenant: str, meter: str, start: int, end: int) -> list[Row]:
        """Give one meter's readings with start <= ts < end, by time."""

    async def latest(self, tenant: str) -> list[Row]:
        """Give the newest reading of each meter."""

    async def count(self) -> int:
        """How many readings there are in all."""

    async def close(self) -> None:
        """Let go of files and connections."""


@runtime_checkable
class Thins(Protocol):
    """A store that can let go of readings."""

    async def thin(self, before: int, step: int) -> int | TryAgain:
        """Keep of readings before a moment only the first of each step, both in ms; gives how many went.

        New readings are taken in between. A step that is not over before that moment stays whole. Raises StoreError.
        """

    async def forget(self) -> TryAgain | None:
        """Let go of what copies still hold of them; raises StoreError."""


@runtime_checkable
class Expires(Protocol):
    """A store whose server lets readings go by a rule of its own."""

    async def outlast(self, keep: float) -> str:
        """Say that readings stay longer than `keep` seconds and what to type; "" where not. Raises StoreError."""


@dataclass
class StoreError(Exception):
    """A store that cannot be used until somebody does what `hint` says."""

    what: str
    hint: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.what} ({self.hint})"
