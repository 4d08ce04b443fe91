"""Gaps: times without a reading whose rows a meter may still have, each kept in a file until the journal has them.

1. Readings name their moments on the boot clock: a silence between two of them becomes a gap once its UTC is known.
2. A gap is at most 31 days long, and no part of it is another gap's.
3. Open gaps are kept in a file, each until the journal has its rows. A crash between the two has them asked for again:
   they then replace themselves in the store.
4. `unfilled` counts those that were given up, by reason.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from gateway import durable
from gateway.journal import JournalError
from gateway.message import Id

LONGEST_MS = 31 * 86_400_000
"""What is older is left to the meter: few remember more."""
NEAR_MS = 1_000
"""A row so near to a reading is that reading."""
DAY_MS = 86_400_000
MOST = 256
"""Gaps kept: a few for each meter of a large bus. Beyond it the shortest goes, for it lacks the fewest rows."""
FILE_LIMIT = 64 * 1024
"""Bytes of the file: 256 gaps take half of it."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A meter's rows to ask for, from `since` to `until`, both included, UTC ms."""

    meter: Id
    since: int
    until: Annotated[int, Field(le=1 << 53)]


_GAPS = TypeAdapter(list[Gap], config=ConfigDict(defer_build=True))


@dataclass(slots=True)
class Filling:
    """A gap and how its filling goes; `due` and `took` are seconds, the first on the loop's clock."""

    gap: Gap
    due: float
    took: float = 0.0
    step: int = DAY_MS
    tries: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Silence:
    """Two moments (boot ms) between which a meter was not heard; `utc` stands for the first, from before the start."""

    meter: str
    least: float
    since: int
    until: int
    utc: int | None = None


class Gaps:
    """The gaps of one gateway's meters, in the order in which they were found; `run` keeps their file.

    `offset` gives UTC minus boot clock in ms, None while nobody knows; `flush` brings what was taken into the journal
    and raises JournalError. Its length counts silences too.
    """

    def __init__(self, offset: Callable[[], int | None], file: Path, flush: Callable[[], Awaitable[None]]) -> None:
        """Go on with the gaps of the file; one that is no such file is told of and written anew."""
        self.open: list[Filling] = []
        self.silences: list[Silence] = []
        self.unfilled: Counter[str] = Counter()
        self.error = ""
        self._offset, self._file, self._flush = offset, file, flush
        self._changed = asyncio.Event()
        try:
            with file.open("rb") as kept:
                gaps = _GAPS.validate_json(kept.read(FILE_LIMIT))
        except FileNotFoundError:
            return
        except (OSError, ValidationError) as error:
            self.error = f"open gaps are forgotten: {type(error).__name__} of {file.name}"
            return
        self.open = [Filling(gap, 0.0) for gap in gaps[:MOST]]

    def __len__(self) -> int:
        return len(self.open) + len(self.silences)

    def note(self, silence: Silence) -> None:
        """Take a silence in, unless there are too many."""
        if len(self.silences) < MOST:
            self.silences.append(silence)
        else:
            self.unfilled["too_many"] += 1

    def place(self) -> None:
        """Give every silence its UTC, if that is known by now."""
        offset = self._offset()
        if offset is None or not self.silences:
            return
        for silence in self.silences:
            until = silence.until + offset
            since = silence.since + offset if silence.utc is None else silence.utc
            if until - since > silence.least:
                self._add(Gap(silence.meter, since + NEAR_MS, until - NEAR_MS))
        self.silences.clear()
        self._changed.set()

    def _add(self, gap: Gap) -> None:
        """Add a gap, without what is too old or another gap has."""
        oldest = gap.until - LONGEST_MS + 1
        for filling in [filling for filling in self.open if filling.gap.until < oldest]:
            self.end(filling, "too_old")
        if gap.since < oldest:
            self.unfilled["too_old"] += 1
        ends = [filling.gap.until + 1 for filling in self.open if filling.gap.meter == gap.meter]
        since = max(gap.since, oldest, *ends)
        if since <= gap.until:
            self.open.append(Filling(Gap(gap.meter, since, gap.until), asyncio.get_running_loop().time()))
        if len(self.open) > MOST:
            shortest = min(self.open, key=lambda filling: filling.gap.until - filling.gap.since)
            self.end(shortest, "too_many")

    def shorten(self, filling: Filling, since: int) -> None:
        """Go on with a gap from here; what lies before is filled."""
        filling.gap = Gap(filling.gap.meter, since, filling.gap.until)
        self._changed.set()

    def end(self, filling: Filling, reason: str) -> None:
        """Have a gap no more; with a reason it stays unfilled."""
        if filling not in self.open:  # its meter went while a piece was under way
            return
        if reason:
            self.unfilled[reason] += 1
        self.open.remove(filling)
        self._changed.set()

    def forget(self, meter: str) -> None:
        """Let go of a meter's gaps."""
        self.silences = [silence for silence in self.silences if silence.meter != meter]
        for filling in [filling for filling in self.open if filling.gap.meter == meter]:
            self.end(filling, "meter_changed")

    async def run(self) -> None:
        """Keep the file as it should be, for ever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            body = _GAPS.dump_json([filling.gap for filling in self.open])
            try:
                await self._flush()  # a gap must not leave the file before its rows are safe
                await asyncio.to_thread(durable.replace, self._file, body)
                self.error = ""
            except (JournalError, OSError) as error:
                self.error = f"open gaps cannot be kept: {error}"
