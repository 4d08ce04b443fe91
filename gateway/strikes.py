"""What speaks against a block: refusals, and connections that died while it alone was on its way. No I/O, no time.

A broker says that it will not have a block by a reason code, or simply by hanging up. Three strikes set a block aside:
it stays in the journal and is tried again ever more seldom, and it is counted under what speaks against it.
"""

from collections import Counter
from collections.abc import Collection

ENOUGH = 3
HUNG_UP = "connection_lost"
REASONS = {0x87: "not_authorized", 0x90: "topic_refused", 0x95: "too_large", 0x99: "payload_refused"}
PASSING = frozenset({0x93, 0x96, 0x97})
"""Codes that speak of the moment, not of the block: too much at once, too many messages, a quota used up."""


def reason_of(code: int) -> str:
    """Name what a refusal speaks of, or "" when it is not the block."""
    return "" if code in PASSING else REASONS.get(code, f"refused_0x{code:02x}")


class Strikes:
    """Counts strikes by block; a block that was never refused is not in here."""

    def __init__(self) -> None:
        """Nothing is known against any block."""
        self._counts: dict[int, int] = {}
        self._reasons: dict[int, str] = {}

    def __bool__(self) -> bool:
        """Whether anything speaks against any block."""
        return bool(self._counts)

    @property
    def quarantined(self) -> dict[str, int]:
        """How many blocks are set aside, by reason."""
        return dict(Counter(self._reasons[block] for block, count in self._counts.items() if count >= ENOUGH))

    def against(self, block: int, reason: str) -> int:
        """Note a strike and give how many there are."""
        self._counts[block] = self._counts.get(block, 0) + 1
        self._reasons[block] = reason
        return self._counts[block]

    def hung_up(self, block: int) -> bool:
        """Whether the last that spoke against the block was the end of a connection."""
        return self._reasons.get(block) == HUNG_UP

    def acquit(self, block: int) -> Collection[int]:
        """The broker took it, or nobody needs it: give the other blocks against which the same speaks."""
        if self._counts.pop(block, None) is None:
            return ()
        reason = self._reasons.pop(block)
        return [other for other, held in self._reasons.items() if held == reason]
