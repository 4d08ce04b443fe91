"""Fills what an outage left open with the rows that meters kept themselves, each once, and never in a reading's way.

1. A gap is a time of more than two intervals without a reading, whoever was away: the meter, its bus, the board. It
   begins with the meter's last reading, after a restart the one that the check remembers, and is at most 31 days long.
2. Readings name their moments on the boot clock; a gap gets its UTC when the gateway knows it.
3. Between two turns of its bus a gap is filled by a piece, at most a day, oldest first: while no meter is due for as
   long as its last piece took; a bus that is never so idle gives a piece a minute. One that takes long makes the next
   ones shorter.
4. What a meter gives outside the piece is left out: the rest was read live, or filled before.
5. A failure is tried again, later each time, and given up when the meter refuses. `unfilled` counts gaps by reason.
6. Open gaps are kept in a file, each until the journal has its rows. A crash between the two has them asked for again:
   they then replace themselves in the store.

A row's time is the meter's. One whose clock is wrong is not asked, for its rows would lie where they do not belong.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from drivers.contract import DriverError, HasHistory, Meter, NotConnected, Reading, Refused
from gateway import durable
from gateway.intake import METER_CLOCK_LIMIT_MS, ProfileRow
from gateway.journal import JournalError
from gateway.message import Id
from gateway.turn import Turn

INTERVALS = 2.5
"""Intervals without a reading that make a gap: two, and half of one for readings that come late."""
LEAST_MS = 60_000
"""No shorter gap is asked for: load profiles have a row a minute at the finest."""
LONGEST_MS = 31 * 86_400_000
"""What is older is left to the meter: few remember more."""
NEAR_MS = 1_000
"""A row so near to a reading is that reading."""
DAY_MS, HOUR_MS = 86_400_000, 3_600_000
PIECE = 60.0
"""Seconds a piece may take: no more than the watch over a bus allows for."""
SLOW = 5.0
"""Seconds after which a piece was too long for the meters that wait beside it."""
PATIENCE = 60.0
"""Seconds without an idle moment after which a bus gives a piece all the same."""
FIRST_PAUSE, LAST_PAUSE = 60.0, 21_600.0
TRIES, REFUSALS = 12, 3
"""Failures after which a gap is given up: after a day; a meter may refuse once because somebody else reads it."""
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
class _Open:
    """A gap and how its filling goes; `due` and `took` are seconds, the first on the loop's clock."""

    gap: Gap
    due: float
    took: float = 0.0
    step: int = DAY_MS
    tries: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class _Silence:
    """Two moments (boot ms) between which a meter was not heard; `utc` stands for the first, from before the start."""

    meter: str
    least: float
    since: int
    until: int
    utc: int | None = None


@dataclass(slots=True)
class Backfill:
    """The gaps of one gateway's meters; `run` keeps their file, each bus calls `heard` and `fill` between its turns.

    `offset` gives UTC minus boot clock in ms, None while nobody knows; `before` is when each meter was last read before
    this start (UTC ms); `flush` brings what was taken into the journal and raises JournalError.
    """

    offset: Callable[[], int | None]
    file: Path
    flush: Callable[[], Awaitable[None]]
    before: dict[str, int]
    backfilled: int = 0
    unfilled: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    error: str = ""
    _open: list[_Open] = field(default_factory=list)
    _heard: dict[str, Reading] = field(default_factory=dict)
    _silences: list[_Silence] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Go on with the gaps of the file; one that is no such file is told of and written anew."""
        try:
            with self.file.open("rb") as file:
                gaps = _GAPS.validate_json(file.read(FILE_LIMIT))
        except FileNotFoundError:
            return
        except (OSError, ValidationError) as error:
            self.error = f"open gaps are forgotten: {type(error).__name__} of {self.file.name}"
            return
        self._open = [_Open(gap, 0.0) for gap in gaps[:MOST]]

    def heard(self, reading: Reading, every: float) -> None:
        """Note a live reading of a meter that is read `every` so many seconds."""
        last, self._heard[reading.meter] = self._heard.get(reading.meter), reading
        least = max(INTERVALS * every * 1000, LEAST_MS)
        if last is not None:
            if reading.at - last.at > least:
                self._note(_Silence(reading.meter, least, last.at, reading.at))
        elif (before := self.before.pop(reading.meter, None)) is not None:
            self._note(_Silence(reading.meter, least, 0, reading.at, before))

    async def fill(self, driver: HasHistory, turns: Sequence[Turn], take: Callable[[Reading], None]) -> bool:
        """Fill a piece of a gap of one of these meters, when it is time; say whether anything was asked.

        `turns` begins with the next one. Raises NotConnected.
        """
        if not self._open and not self._silences:
            return False
        self._place()
        now = asyncio.get_running_loop().time()
        found = self._next(turns, now)
        if found is None:
            return False
        try:
            await self._piece(*found, driver, take)
        finally:  # the bus has given its piece: all its gaps wait anew
            ids, now = {turn.meter.id for turn in turns}, asyncio.get_running_loop().time()
            for filling in self._open:
                if filling.gap.meter in ids:
                    filling.due = max(filling.due, now)
        return True

    def forget(self, meter: Meter, instead: Meter | None) -> None:
        """Let go of a meter that went, unless the one `instead` of it is the same, described otherwise."""
        if instead and (instead.address, instead.profile) == (meter.address, meter.profile):
            return
        self._heard.pop(meter.id, None)
        self.before.pop(meter.id, None)
        self._silences = [silence for silence in self._silences if silence.meter != meter.id]
        for filling in [filling for filling in self._open if filling.gap.meter == meter.id]:
            self._end(filling, "meter_changed")

    async def run(self) -> None:
        """Keep the file as it should be, for ever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            body = _GAPS.dump_json([filling.gap for filling in self._open])
            try:
                await self.flush()  # a gap must not leave the file before its rows are safe
                await asyncio.to_thread(durable.replace, self.file, body)
                self.error = ""
            except (JournalError, OSError) as error:
                self.error = f"open gaps cannot be kept: {error}"

    def status(self) -> dict[str, Any]:
        """Say how it goes; `gaps` are still open, `unfilled` counts those that stay so."""
        return {
            "backfilled": self.backfilled,
            "gaps": len(self._open) + len(self._silences),
            "unfilled": dict(self.unfilled),
            "left_out": dict(self.left_out),
            "error": self.error,
        }

    # --- finding gaps ------------------------------------------------------------------------------------------------

    def _note(self, silence: _Silence) -> None:
        if len(self._silences) < MOST:
            self._silences.append(silence)
        else:
            self.unfilled["too_many"] += 1

    def _place(self) -> None:
        """Give every silence its UTC, if that is known by now."""
        offset = self.offset()
        if offset is None or not self._silences:
            return
        for silence in self._silences:
            until = silence.until + offset
            since = silence.since + offset if silence.utc is None else silence.utc
            if until - since > silence.least:
                self._add(Gap(silence.meter, since + NEAR_MS, until - NEAR_MS))
        self._silences.clear()
        self._changed.set()

    def _add(self, gap: Gap) -> None:
        """Add a gap, without what is too old or another gap has."""
        oldest = gap.until - LONGEST_MS + 1
        for filling in [filling for filling in self._open if filling.gap.until < oldest]:
            self._end(filling, "too_old")
        if gap.since < oldest:
            self.unfilled["too_old"] += 1
        ends = [filling.gap.until + 1 for filling in self._open if filling.gap.meter == gap.meter]
        since = max(gap.since, oldest, *ends)
        if since <= gap.until:
            self._open.append(_Open(Gap(gap.meter, since, gap.until), asyncio.get_running_loop().time()))
        if len(self._open) > MOST:
            shortest = min(self._open, key=lambda filling: filling.gap.until - filling.gap.since)
            self._end(shortest, "too_many")

    # --- filling them ------------------------------------------------------------------------------------------------

    def _next(self, turns: Sequence[Turn], now: float) -> tuple[_Open, Turn] | None:
        """Choose the oldest gap of a meter that answers and whose bus has time for it."""
        idle = turns[0].due - now if turns else 0.0
        answering = {turn.meter.id: turn for turn in turns if turn.meter.id in self._heard and not turn.failing}
        for filling in self._open:
            turn = answering.get(filling.gap.meter)
            if turn and filling.due <= now and (idle > filling.took or now - filling.due >= PATIENCE):
                return filling, turn
        return None

    async def _piece(self, filling: _Open, turn: Turn, driver: HasHistory, take: Callable[[Reading], None]) -> None:
        gap, loop = filling.gap, asyncio.get_running_loop()
        if self._has_wrong_clock(gap.meter):
            self._end(filling, "meter_clock")
            return
        until, begun = min(gap.since + filling.step - 1, gap.until), loop.time()
        try:
            async with asyncio.timeout(PIECE):
                rows = await driver.history(turn.meter, gap.since, until)
        except NotConnected:
            self._failed(filling, "not_connected")
            raise
        except Refused:
            self._failed(filling, "refused", REFUSALS)
        except TimeoutError:
            self._failed(filling, "too_slow")
        except DriverError:
            self._failed(filling, "unread")
        except Exception:  # noqa: BLE001  a driver's bug must cost this gap only, and be seen
            self._failed(filling, "crash")
        else:
            if not turn.gone:
                self._take(filling, rows, until, take)
        filling.took = loop.time() - begun
        if filling.took > SLOW:
            half = max((until - gap.since) // 2, HOUR_MS)
            filling.took, filling.step = filling.took * half / (until - gap.since + 1), half

    def _has_wrong_clock(self, meter: str) -> bool:
        last, offset = self._heard[meter], self.offset()
        if last.meter_time is None or offset is None:
            return False
        return abs(last.meter_time - last.at - offset) > METER_CLOCK_LIMIT_MS

    def _take(self, filling: _Open, rows: Sequence[Reading], until: int, take: Callable[[Reading], None]) -> None:
        """Hand on what belongs to the piece, and go on behind it."""
        gap, newest = filling.gap, filling.gap.since - 1
        for row in rows:
            if row.captured is None or not newest < row.captured <= until:
                self.left_out["outside"] += 1
                continue
            newest = row.captured
            take(ProfileRow(row.meter, row.at, row.values, row.status, row.captured, row.meter_time))
            self.backfilled += 1
            filling.rows += 1
        filling.tries = 0
        if until < gap.until:
            filling.gap = Gap(gap.meter, until + 1, gap.until)
            self._changed.set()
        else:
            self._end(filling, "" if filling.rows else "no_rows")

    def _failed(self, filling: _Open, reason: str, tries: int = TRIES) -> None:
        """Try again later, or give the gap up."""
        filling.tries += 1
        if filling.tries >= tries:
            self._end(filling, reason)
        pause = min(FIRST_PAUSE * 2 ** (filling.tries - 1), LAST_PAUSE)
        filling.due = asyncio.get_running_loop().time() + pause

    def _end(self, filling: _Open, reason: str) -> None:
        """Have a gap no more; with a reason it stays unfilled."""
        if filling not in self._open:  # its meter went while a piece was under way
            return
        if reason:
            self.unfilled[reason] += 1
        self._open.remove(filling)
        self._changed.set()


def last_readings(check: Mapping[str, Mapping[str, Sequence[Any]]]) -> dict[str, int]:
    """Give when each meter was last read (UTC ms), from a check's snapshot; those that count nothing are missing."""
    return {meter: max(row[2] for row in rows.values()) for meter, rows in check.items() if rows}
