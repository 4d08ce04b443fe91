"""Which committed blocks wait for their stored ack: three parallel arrays, 20 bytes a block, so weeks fit in memory."""

from array import array
from bisect import bisect_left
from collections.abc import Sequence


class Pending:
    """Block numbers in ascending order, with size and close time of each."""

    def __init__(self) -> None:
        self._blocks, self._sizes, self._closed = array("q"), array("I"), array("q")
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._blocks)

    def __contains__(self, block: int) -> bool:
        at = bisect_left(self._blocks, block)
        return at < len(self._blocks) and self._blocks[at] == block

    @property
    def blocks(self) -> Sequence[int]:
        """The numbers; a live view."""
        return self._blocks

    @property
    def oldest(self) -> int | None:
        """Close time of the oldest one, UTC ms."""
        return self._closed[0] if self._closed else None

    def add(self, block: int, size: int, closed: int) -> None:
        """Take a block in; nearly always at the end."""
        at = bisect_left(self._blocks, block)
        if at < len(self._blocks) and self._blocks[at] == block:
            return
        self._blocks.insert(at, block)
        self._sizes.insert(at, size)
        self._closed.insert(at, closed)
        self.bytes += size

    def remove(self, block: int) -> bool:
        """Let a block go; False when it was not there."""
        at = bisect_left(self._blocks, block)
        if at >= len(self._blocks) or self._blocks[at] != block:
            return False
        self._blocks.pop(at)
        self._closed.pop(at)
        self.bytes -= self._sizes.pop(at)
        return True
