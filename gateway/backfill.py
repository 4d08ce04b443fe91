"""Fills what an outage left open with the rows that meters kept themselves, each once, and never in a reading's way.

1. A gap is a time of more than two intervals without a reading, whoever was away: the meter, its bus, the board. It
   begins with the meter's last reading, after a restart the one that the check remembers; `gaps.py` keeps it.
2. Between two turns of its bus a gap is filled by a piece, at most a day, oldest first: while no meter is due for as
   long as its last piece took; a bus that is never so idle gives a piece a minute. One that takes long makes the next
   ones shorter.
3. What a meter gives outside the piece is left out: the rest was read live, or filled before.
4. A failure is tried again, later each time, and given up when the meter refuses.

A row's time is the meter's. One whose clock is wrong is not asked, for its rows would lie where they do not belong.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from drivers.contract import DriverError, HasHistory, Meter, NotConnected, Reading, Refused
from gateway.gaps import Filling, Gaps, Silence
from gateway.intake import METER_CLOCK_LIMIT_MS, ProfileRow
from gateway.turn import Turn

INTERVALS = 2.5
"""Intervals without a reading that make a gap: two, and half of one for readings that come late."""
LEAST_MS = 60_000
"""No shorter gap is asked for: load profiles have a row a minute at the finest."""
HOUR_MS = 3_600_000
PIECE = 60.0
"""Seconds a piece may take: no more than the watch over a bus allows for."""
SLOW = 5.0
"""Seconds after which a piece was too long for the meters that wait beside it."""
PATIENCE = 60.0
"""Seconds without an idle moment after which a bus gives a piece all the same."""
FIRST_PAUSE, LAST_PAUSE = 60.0, 21_600.0
TRIES, REFUSALS = 12, 3
"""Failures after which a gap is given up: after a day; a meter may refuse once because somebody else reads it."""


class Backfill:
    """Fills the gaps of one gateway's meters; each bus calls `heard` and `fill` between its turns, `run` is a task.

    `offset` gives UTC minus boot clock in ms, None while nobody knows; `before` is when each meter was last read before
    this start (UTC ms); `flush` brings what was taken into the journal and raises JournalError.
    """

    def __init__(
        self,
        offset: Callable[[], int | None],
        file: Path,
        flush: Callable[[], Awaitable[None]],
        before: dict[str, int],
    ) -> None:
        """Go on with the gaps of the file."""
        self.before = before
        self.backfilled = 0
        self.left_out: Counter[str] = Counter()
        self._offset, self._gaps = offset, Gaps(offset, file, flush)
        self._heard: dict[str, Reading] = {}

    def heard(self, reading: Reading, every: float) -> None:
        """Note a live reading of a meter that is read `every` so many seconds."""
        last, self._heard[reading.meter] = self._heard.get(reading.meter), reading
        least = max(INTERVALS * every * 1000, LEAST_MS)
        if last is not None:
            if reading.at - last.at > least:
                self._gaps.note(Silence(reading.meter, least, last.at, reading.at))
        elif (before := self.before.pop(reading.meter, None)) is not None:
            self._gaps.note(Silence(reading.meter, least, 0, reading.at, before))

    async def fill(self, driver: HasHistory, turns: Sequence[Turn], take: Callable[[Reading], None]) -> bool:
        """Fill a piece of a gap of one of these meters, when it is time; say whether anything was asked.

        `turns` begins with the next one. Raises NotConnected.
        """
        if not self._gaps.open and not self._gaps.silences:
            return False
        self._gaps.place()
        now = asyncio.get_running_loop().time()
        found = self._next(turns, now)
        if found is None:
            return False
        try:
            await self._piece(*found, driver, take)
        finally:  # the bus has given its piece: all its gaps wait anew
            ids, now = {turn.meter.id for turn in turns}, asyncio.get_running_loop().time()
            for filling in self._gaps.open:
                if filling.gap.meter in ids:
                    filling.due = max(filling.due, now)
        return True

    def forget(self, meter: Meter, instead: Meter | None) -> None:
        """Let go of a meter that went, unless the one `instead` of it is the same, described otherwise."""
        if instead and (instead.address, instead.profile) == (meter.address, meter.profile):
            return
        self._heard.pop(meter.id, None)
        self.before.pop(meter.id, None)
        self._gaps.forget(meter.id)

    async def run(self) -> None:
        """Keep the file of gaps as it should be, for ever."""
        await self._gaps.run()

    @property
    def unfilled(self) -> Mapping[str, int]:
        """Gaps that stay so, by reason."""
        return self._gaps.unfilled

    @property
    def error(self) -> str:
        """What is wrong with the file of gaps, "" when all is well."""
        return self._gaps.error

    def status(self) -> dict[str, Any]:
        """Say how it goes; `gaps` are still open, `unfilled` counts those that stay so."""
        return {
            "backfilled": self.backfilled,
            "gaps": len(self._gaps),
            "unfilled": dict(self.unfilled),
            "left_out": dict(self.left_out),
            "error": self.error,
        }

    def _next(self, turns: Sequence[Turn], now: float) -> tuple[Filling, Turn] | None:
        """Choose the oldest gap of a meter that answers and whose bus has time for it."""
        idle = turns[0].due - now if turns else 0.0
        answering = {turn.meter.id: turn for turn in turns if turn.meter.id in self._heard and not turn.failing}
        for filling in self._gaps.open:
            turn = answering.get(filling.gap.meter)
            if turn and filling.due <= now and (idle > filling.took or now - filling.due >= PATIENCE):
                return filling, turn
        return None

    async def _piece(self, filling: Filling, turn: Turn, driver: HasHistory, take: Callable[[Reading], None]) -> None:
        gap, loop = filling.gap, asyncio.get_running_loop()
        if self._has_wrong_clock(gap.meter):
            self._gaps.end(filling, "meter_clock")
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
        last, offset = self._heard[meter], self._offset()
        if last.meter_time is None or offset is None:
            return False
        return abs(last.meter_time - last.at - offset) > METER_CLOCK_LIMIT_MS

    def _take(self, filling: Filling, rows: Sequence[Reading], until: int, take: Callable[[Reading], None]) -> None:
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
            self._gaps.shorten(filling, until + 1)
        else:
            self._gaps.end(filling, "" if filling.rows else "no_rows")

    def _failed(self, filling: Filling, reason: str, tries: int = TRIES) -> None:
        """Try again later, or give the gap up."""
        filling.tries += 1
        if filling.tries >= tries:
            self._gaps.end(filling, reason)
        pause = min(FIRST_PAUSE * 2 ** (filling.tries - 1), LAST_PAUSE)
        filling.due = asyncio.get_running_loop().time() + pause


def last_readings(check: Mapping[str, Mapping[str, Sequence[Any]]]) -> dict[str, int]:
    """Give when each meter was last read (UTC ms), from a check's snapshot; those that count nothing are missing."""
    return {meter: max(row[2] for row in rows.values()) for meter, rows in check.items() if rows}
