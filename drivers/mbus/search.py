"""Finds every meter of a bus, by primary addresses or by secondary ones, to which several answer at once. No I/O.

1. A secondary address is eight digits, maker, version and medium. A probe leaves parts open: an `F` stands for any
   digit, `FFFF` for any maker, `FF` for any version or medium.
2. All meters that a probe fits answer together. One answer can be read: a meter is found. None: nobody is there. What
   cannot be read is several at once: the next digit is asked in turn, 0 to 9.
3. Meters with equal digits differ in medium, version or maker; those are asked last.

    search = Search()
    while (probe := search.next()) is not None:
        search.heard(await select_and_read(probe))      # Found, "silence" or "collision"
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from drivers.mbus.telegram import Identity, code_of

DIGITS = 8
_DECIMAL = "0123456789"
_ANY_DIGITS, _ANY_MAKER, _ANY_BYTE = "F" * DIGITS, 0xFFFF, 0xFF

MEDIA = range(0x40)
"""Media asked one by one where digits alone do not tell two meters apart."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A secondary address with parts left open."""

    digits: str = _ANY_DIGITS
    maker: int = _ANY_MAKER
    version: int = _ANY_BYTE
    medium: int = _ANY_BYTE

    @classmethod
    def of(cls, identity: Identity) -> "Probe":
        """Name exactly one meter."""
        return cls(identity.number, code_of(identity.manufacturer), identity.version, identity.medium)

    def __bytes__(self) -> bytes:
        """Give the eight bytes that select."""
        number = bytes.fromhex(self.digits)[::-1]
        return number + self.maker.to_bytes(2, "little") + bytes((self.version, self.medium))

    def fits(self, identity: Identity) -> bool:
        """Tell whether a meter answers to this probe."""
        return (
            all(mine in ("F", theirs) for mine, theirs in zip(self.digits, identity.number, strict=True))
            and self.maker in (_ANY_MAKER, code_of(identity.manufacturer))
            and self.version in (_ANY_BYTE, identity.version)
            and self.medium in (_ANY_BYTE, identity.medium)
        )


Outcome = Identity | Literal["silence", "collision"]


@dataclass
class Search:
    """Which probe comes next; `found` are the meters so far, `unresolved` the probes nobody could tell apart."""

    within: Probe = field(default_factory=Probe)
    found: list[Identity] = field(default_factory=list)
    unresolved: list[Probe] = field(default_factory=list)
    asked: int = 0

    def __post_init__(self) -> None:
        self._open = [self.within]

    def next(self) -> Probe | None:
        """Give the next probe; None when all is known."""
        return self._open[-1] if self._open else None

    @property
    def left(self) -> int:
        """How many probes wait, at least."""
        return len(self._open)

    def heard(self, outcome: Outcome) -> None:
        """Take in what the last probe brought."""
        probe = self._open.pop()
        self.asked += 1
        if isinstance(outcome, Identity):
            if outcome not in self.found:
                self.found.append(outcome)
        elif outcome == "collision":
            self._open += reversed(_narrower(probe) or self._give_up(probe))

    def _give_up(self, probe: Probe) -> list[Probe]:
        self.unresolved.append(probe)
        return []


@dataclass
class PrimaryScan:
    """Asks one primary address after the other; `found` says who answers, None where a meter does not say.

    At a `shared` address several meters answer at once: a search by secondary addresses tells them apart.
    """

    addresses: Sequence[int] = range(251)
    found: dict[int, Identity | None] = field(default_factory=dict)
    shared: list[int] = field(default_factory=list)
    asked: int = 0

    def next(self) -> int | None:
        """Give the next address; None when all were asked."""
        return self.addresses[self.asked] if self.asked < len(self.addresses) else None

    def heard(self, outcome: Outcome | None) -> None:
        """Take in what the last address brought; None is an answer that names nobody."""
        address = self.addresses[self.asked]
        self.asked += 1
        if outcome == "collision":
            self.shared.append(address)
        elif outcome is None or isinstance(outcome, Identity):
            self.found[address] = outcome


def _narrower(probe: Probe) -> list[Probe]:
    """Fix one more part; nothing when all are fixed that can be."""
    at = probe.digits.find("F")
    if at >= 0:
        return [replace(probe, digits=probe.digits[:at] + digit + probe.digits[at + 1 :]) for digit in _DECIMAL]
    if probe.medium == _ANY_BYTE:
        return [replace(probe, medium=medium) for medium in MEDIA]
    if probe.version == _ANY_BYTE:
        return [replace(probe, version=version) for version in range(_ANY_BYTE)]
    return []
