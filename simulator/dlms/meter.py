"""The meter behind all links: who may come in and how, its keys and counters, and what it does wrong when told to."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from drivers.contract import Keys
from drivers.dlms.acse import Mechanism
from drivers.dlms.initiate import Conformance
from drivers.dlms.sealed import GENERAL_GLOBAL, Sealed
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
    """What the meter does wrong, once, with its next ciphered answer: each must be refused, and move no counter."""

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
        self._last: Sealed | None = None

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

    def seal(self, plain: bytes, tag: int, keys: Keys | None = None, control: int = 0x30) -> bytes:
        """Close an answer, or play the next trick with it."""
        trick = self.tricks.popleft() if self.tricks else None
        if trick is Trick.REPLAY and self._last:
            return bytes(self._last)
        counter, title = self.next_counter(), self.title
        if trick in (Trick.SAME_COUNTER, Trick.LOWER_COUNTER):
            self.counter -= 1
            counter -= 1 if trick is Trick.SAME_COUNTER else 2
        if trick is Trick.WRONG_TITLE:
            tag, title = GENERAL_GLOBAL, bytes(reversed(self.title))
        if trick is Trick.JUMP:
            self.counter -= 1
            counter += 1_000_000
        sealed = seal(plain, tag, title, counter, keys or self.keys, control)
        if trick is Trick.JUMP:
            return bytes(sealed)[:-1] + bytes((bytes(sealed)[-1] ^ 1,))
        if trick is None:
            self._last = sealed
        return bytes(sealed)
