"""The ledger: every loss is a row with a reason; it travels to the hub in the next block and stays in the file.

A row is an `Entry` while it is in memory: `id` once it is in the file, `block` once a block carries it. Rows of a block
that was itself evicted wait again.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.journal.runs import Run
from gateway.message import Loss

_AT_ONCE = 200
"""Rows a block carries at most: about 24 KB of JSON, so that losses never crowd out readings."""


@dataclass(slots=True, eq=False)
class Entry:
    """One row of the ledger on its way; `window` is set when it is mirrored and must be committed with that window."""

    loss: Loss
    id: int | None = None
    block: int | None = None
    window: int = 0


class Ledger:
    """Rows that wait for a block, rows that wait for the disk, and counts by reason."""

    def __init__(self) -> None:
        self._waiting: deque[Entry] = deque()
        self._unsaved: list[Entry] = []
        self.counts: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, loss: Loss, window: int = 0) -> None:
        """Take a new loss in."""
        entry = Entry(loss, window=window)
        self._waiting.append(entry)
        self._unsaved.append(entry)
        self.count(loss)

    def restore(self, waiting: Iterable[Entry], counts: Mapping[str, int]) -> None:
        """Go on from what the file says."""
        self._waiting.extend(waiting)
        self.counts.update(counts)

    def take(self) -> list[Entry]:
        """Give the rows the next block carries; they count as unsaved until its commit."""
        taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_ONCE))]
        self._unsaved += [entry for entry in taken if entry.id is not None]
        return taken

    def give_back(self, entries: Sequence[Entry]) -> None:
        """Let rows wait again whose block will never be written."""
        for entry in entries:
            entry.block = None
        self._waiting.extendleft(reversed(entries))

    def unsaved(self, window: int) -> list[tuple[Entry, int | None]]:
        """What a commit up to `window` must write: each row with the block that carries it by now."""
        return [(entry, entry.block) for entry in self._unsaved if entry.window <= window]

    def saved(self, written: Sequence[tuple[Entry, int | None]], ids: Sequence[int]) -> None:
        """Take the ids of what a commit wrote and forget it, but for rows a block took up meanwhile."""
        for (entry, _), number in zip(written, ids, strict=True):
            entry.id = number
        done = {id(entry) for entry, block in written if entry.block == block}
        self._unsaved = [entry for entry in self._unsaved if id(entry) not in done]

    def evicted(self, losses: Iterable[Loss], waiting: Iterable[Entry]) -> None:
        """Count what a commit evicted; `waiting` are its rows, in the file already, that need a block."""
        for loss in losses:
            self.count(loss)
        self._waiting.extend(waiting)

    def count(self, loss: Loss) -> None:
        """Count by reason: readings where their number is known, else the row."""
        self.counts[loss.reason] += loss.count if loss.count is not None else 1


def loss_row(
    reason: str,
    *,
    first: int | None = None,
    last: int | None = None,
    count: int | None = None,
    meter: str | None = None,
    since: int | None = None,
    until: int | None = None,
    scheduled: int | None = None,
) -> Loss:
    """Make a row by the names our code uses; on the wire `since` and `until` are `from` and `to`."""
    return Loss.model_validate(
        {
            "reason": reason,
            "first": first,
            "last": last,
            "count": count,
            "meter": meter,
            "from": since,
            "to": until,
            "scheduled": scheduled,
        }
    )


def losses_of(reason: str, runs: Iterable[tuple[Run, int]]) -> list[Loss]:
    """Make exact rows from (run, close time of its block), adjacent runs joined."""
    rows: list[list[int]] = []
    for (first, last), closed in sorted(runs):
        if rows and first == rows[-1][1] + 1:
            rows[-1][1] = last
            rows[-1][3] = max(rows[-1][3], closed)
        else:
            rows.append([first, last, closed, closed])
    return [
        loss_row(reason, first=first, last=last, count=last - first + 1, since=since, until=until)
        for first, last, since, until in rows
    ]
