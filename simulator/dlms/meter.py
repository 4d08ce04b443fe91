"""The meter behind all links: who may come in and how, its keys and counters, and what it does wrong when told to."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from drivers.contract import Keys
from drivers.dlms.acse import Mechanism
from drivers.dlms.initiate import Conformance
from drivers.dlms.notices import ExceptionResponse
from drivers.dlms.sealed import GENERAL_GLOBAL
from drivers.dlms.security import Received, seal
from simulator.dlms.cosem import DATA, Cosem, Objects, six, uint32, when_asked

TRIES = 3
LOCK = 60.0
"""Seconds for which a meter answers nobody who must prove himself, after so many wrong proofs in a row."""

OFFERED = (
    Conformance.GET
    | Conformance.ACTION
    | Conformance.SELECTIVE_ACCESS
    | Conformance.LISTS
    | Conformance.BLOCKS_WITH_GET
    | Conformance.GENERAL_PROTECTION
    | Conformance.GENERAL_BLOCK_TRANSFER
)


_COUNTING_SINCE = 1_767_225_600
_COUNTS = 16


def counter_at(time: float) -> int:
    """Give an invocation counter above all that a meter used before: real ones keep theirs, this one has a clock.

    Sixteen numbers a second since 2026 last for eight years; no client here asks that fast for long.
    """
    return max(int((time - _COUNTING_SINCE) * _COUNTS), 1) & 0x7FFF_FFFF


@dataclass(frozen=True, slots=True)
class Admission:
    """How a client must come: what it proves, and whether all its messages are ciphered."""

    mechanism: Mechanism = Mechanism.NONE
    ciphered: bool = False


PUBLIC = 16
CLIENTS: Mapping[int, Admission] = MappingProxyType({
    PUBLIC: Admission(),
    2: Admission(Mechanism.LOW),
    3: Admission(Mechanism.LOW, ciphered=True),
    1: Admission(Mechanism.HIGH_GMAC, ciphered=True),
})  # fmt: skip
"""By client address: the public client, and three that must prove themselves."""


class Trick(StrEnum):
    """What the meter does wrong, once, with its next ciphered answer; the client must refuse each but the exception."""

    REPLAY = "an old good message again"
    SAME_COUNTER = "another message with the last one's counter"
    LOWER_COUNTER = "another message with a counter before the last one's"
    WRONG_TITLE = "in the name of another meter"
    JUMP = "a counter far ahead, with a wrong tag"
    EXCEPTION = "an exception instead"


@dataclass
class DlmsMeter:
    """One meter. `dice` gives random bytes for challenges, `now` a unix time, `counter` the next invocation's number.

    `heard` are the counters of its clients; both outlive associations, and would outlive a restart of a real meter.
    """

    title: bytes
    things: tuple[Cosem, ...]
    keys: Keys
    now: Callable[[], float]
    dice: Callable[[int], bytes]
    clients: Mapping[int, Admission] = field(default_factory=lambda: CLIENTS)
    offered: Conformance = OFFERED
    longest: int = 1024
    counter: int = 1
    tricks: deque[Trick] = field(default_factory=deque)
    heard: Received = field(default_factory=Received)
    rejected: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counter = Cosem(
            DATA, six("0-0:43.1.0"), {2: when_asked(lambda: uint32(max([0, *self.heard.highest.values()])))}
        )
        self.objects = Objects((*self.things, counter))
        self._wrong_proofs = 0
        self._locked_until = 0.0
        self._last = b""

    # --- the lock ----------------------------------------------------------------------------------------------------

    @property
    def is_locked(self) -> bool:
        """Whether nobody may prove himself for now."""
        return self.now() < self._locked_until

    def proof_was(self, *, right: bool) -> None:
        """Count wrong proofs, and lock the meter after too many."""
        self._wrong_proofs = 0 if right else self._wrong_proofs + 1
        if self._wrong_proofs >= TRIES:
            self._wrong_proofs, self._locked_until = 0, self.now() + LOCK

    def reject(self, reason: str) -> None:
        """Count a message that was not taken."""
        self.rejected[reason] = self.rejected.get(reason, 0) + 1

    # --- ciphering ---------------------------------------------------------------------------------------------------

    def next_counter(self) -> int:
        """Give a counter, once."""
        self.counter += 1
        return self.counter - 1

    def seal(self, plain: bytes, tag: int, keys: Keys | None = None) -> bytes:
        """Close a message."""
        return bytes(seal(plain, tag, self.title, self.next_counter(), keys or self.keys))

    def seal_answer(self, plain: bytes, tag: int, keys: Keys | None = None) -> bytes:
        """Close an answer to a request, or play the next trick instead; no trick uses a counter up."""
        trick = self.tricks.popleft() if self.tricks else None
        if trick is None:
            self._last = self.seal(plain, tag, keys)
            return self._last
        if trick is Trick.REPLAY:
            return self._last
        if trick is Trick.EXCEPTION:
            return bytes(ExceptionResponse(1, 1))
        if trick is Trick.WRONG_TITLE:
            return bytes(seal(plain, GENERAL_GLOBAL, bytes(reversed(self.title)), self.counter, self.keys))
        away = {Trick.SAME_COUNTER: -1, Trick.LOWER_COUNTER: -2, Trick.JUMP: 1_000_000}[trick]
        sealed = bytes(seal(plain, tag, self.title, self.counter + away, keys or self.keys))
        return sealed[:-1] + bytes((sealed[-1] ^ 1,)) if trick is Trick.JUMP else sealed
