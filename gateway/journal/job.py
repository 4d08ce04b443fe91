"""What the event loop and the database thread hand each other: a commit and what it did, chunks of held readings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.journal.ledger import Entry
from gateway.journal.window import Closed
from gateway.message import Loss


@dataclass(frozen=True, slots=True)
class Chunk:
    """Held readings of one window; `released` once sent without a time, `lines` is their JSON, None when damaged."""

    number: int
    seqs: str
    released: bool
    lines: bytes | None


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """What the alert engine remembers of meters, up to and including `block`; `all` when of every meter there is."""

    block: int
    all: bool
    rows: Mapping[str, bytes]


@dataclass(slots=True, eq=False)
class Job:
    """One commit; stored blocks closed before `expire_before` (UTC ms) may go. `pressed` when memory fills up too."""

    windows: list[Closed]
    stored: list[int]
    damaged: list[int]
    ledger: list[tuple[Entry, int | None]]
    next_seq: int
    next_block: int
    window: int
    boot: str
    clean: bool
    expire_before: int | None = None
    states: Sequence[States] = ()
    pressed: bool = False


@dataclass(slots=True)
class Done:
    """What a commit did.

    `ids` are those of the ledger rows, `gone` evicted unsent blocks, `evicted` the rows that name them, `waiting` all
    rows that need a block, `held` (released, how many readings) of each chunk that was evicted, `short` says that the
    disk is full although the commit found room.
    """

    ids: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    waiting: list[Entry] = field(default_factory=list)
    evicted: list[Loss] = field(default_factory=list)
    held: list[tuple[bool, int]] = field(default_factory=list)
    short: str = ""
