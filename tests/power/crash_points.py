"""Every state in which a power cut may leave a disk, made from a recording of what the disk was told.

A disk keeps what it was told before the last flush. Of what came after it may have kept anything, in any order, in
pieces of a sector: so each crash point is the state at the last flush, and of each later write nothing, all of it, or
any of its sectors.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.power.recorder import SECTOR, Record


@dataclass
class Recording:
    """A disk as it was at first, and what it was told since; marks lie between."""

    base: Path
    log: list[Record]

    @property
    def begun(self) -> int:
        """Index of the first record after the writer's start."""
        return next(index for index, (kind, _, data) in enumerate(self.log) if kind == b"A" and data == b"begin\n")


KEPT = (0.0, 0.5, 1.0)
"""How likely a sector written after the last flush survives, per crash point: none, any, all."""


def images(base: Path, log: Sequence[Record], points: Sequence[int], out: Path, dice: random.Random) -> Iterator[int]:
    """For each index of the log, ascending, write the disk as a cut just then may leave it; give the index."""
    state, unsure, at = bytearray(base.read_bytes()), list[tuple[int, bytes]](), 0
    for point in points:
        for kind, offset, data in log[at:point]:
            if kind == b"W":
                unsure.append((offset, data))
            elif kind == b"F":
                _apply(state, unsure)
                unsure.clear()
        at = point
        torn = bytearray(state)
        _apply(torn, _survivors(unsure, dice))
        out.unlink(missing_ok=True)  # whoever still has the disk before mounted writes into that one
        out.write_bytes(torn)
        yield point


def _apply(state: bytearray, writes: Sequence[tuple[int, bytes]]) -> None:
    for offset, data in writes:
        state[offset : offset + len(data)] = data


def _survivors(writes: Sequence[tuple[int, bytes]], dice: random.Random) -> list[tuple[int, bytes]]:
    survivors = []
    for offset, data in writes:
        likely = dice.choice(KEPT)
        survivors += [
            (offset + start, data[start : start + SECTOR])
            for start in range(0, len(data), SECTOR)
            if dice.random() < likely
        ]
    return survivors
