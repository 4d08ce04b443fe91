"""Reads DLMS meters: over HDLC on a serial line or TCP, over the wrapper on TCP; asked, or as they push.

1. A meter that is asked is read in one conversation: link, association, registers in lists, release, DISC. The last
   words are sent on every way out, since a meter that waits for more refuses others for minutes.
2. Ciphered messages take their counters from `Bus.state`, which must outlive a crash (counters.py). Without that folder
   no ciphered meter is asked.
3. A meter that did not let us in is not asked again for `BARRED`, or until its configuration changes: most lock
   themselves after a few wrong passwords.
4. A meter without `[asking]` in its profile has the line to itself, and `read` gives its next push.
5. `history` reads rows of the load profile, each with its own time.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal, TypeVar

from drivers.contract import NO_KEYS, BootClock, Bus, DecodeError, DriverError, Meter, NoAnswer, Reading, Refused
from drivers.dlms.association import Association, CounterTooLow, Manner, NotAdmitted
from drivers.dlms.client import Client
from drivers.dlms.heard import Heard
from drivers.dlms.identity import OurCounters
from drivers.dlms.layout import Asking, Layout
from drivers.dlms.line import Line
from drivers.dlms.link import Link, Script
from drivers.dlms.listening import Listening
from drivers.dlms.reading import Known, Row, read_counter, read_history, read_nameplate, read_registers
from drivers.dlms.security import Unproven
from drivers.dlms.way import link_to
from drivers.link import is_tcp

T = TypeVar("T")

ANSWER = 3.0
"""Seconds one answer may take at least: meters that cipher need a second or two. A longer deadline counts instead."""

CONVERSATION = 300.0
"""Seconds of one conversation: a month of rows at 9600 baud takes three minutes."""

BARRED = 3_600_000
"""Milliseconds for which a meter that refused our keys is left alone."""

PUBLIC = 16
"""The client that every meter lets in, to read its counter and its name."""


def open_bus(bus: Bus, now: BootClock, random: Callable[[int], bytes] = secrets.token_bytes) -> "DlmsDriver":
    """Make the driver of one bus; `connect` opens it."""
    return DlmsDriver(bus, now, random)


class DlmsDriver:
    """One line or host with its meters, asked one after the other; a meter that pushes has its line to itself."""

    turns: Literal["asked", "pushed"] = "asked"

    def __init__(self, bus: Bus, now: BootClock, random: Callable[[int], bytes]) -> None:
        """Take the bus; nothing is opened."""
        self._now = now
        self._over_tcp = is_tcp(bus)
        self._line = Line(bus, now)
        self._busy = asyncio.Lock()
        self._ours = OurCounters(bus.state, random)
        self._heard = Heard(bus.state)
        # All by meter id, and so bounded by the configuration.
        self._known: dict[str, Known] = {}
        self._barred: dict[str, tuple[Meter, int, NotAdmitted]] = {}
        self._listening: dict[str, Listening] = {}
        self._learned: set[str] = set()
        self._left_out: Counter[str] = Counter()

    async def connect(self) -> None:
        """Open the bus; raises NotConnected."""
        await self.close()
        self._known.clear()
        await self._line.open()

    async def read(self, meter: Meter) -> Reading:
        """Read the meter's registers, or await its next push; raises DriverError with the meter's id."""
        try:
            async with self._busy:
                if meter.profile.layout.asking is None:
                    return await self._listen(meter)
                return await self._ask(meter)
        except DriverError as error:
            error.meter = meter.id
            raise

    def budget(self, meter: Meter) -> float:
        """Give the seconds one conversation may take, with the one that asks for a counter, or one wait for a push."""
        return max(2 * CONVERSATION, meter.deadline)

    async def nameplate(self, meter: Meter) -> Mapping[str, str]:
        """Ask for name, serial number and firmware; raises DriverError."""
        return await self._converse(meter, read_nameplate)

    async def history(self, meter: Meter, since_ms: int, until_ms: int) -> Sequence[Reading]:
        """Read the load profile between two moments, UTC in ms, oldest row first; raises DriverError.

        Nothing for a meter whose profile names no load profile, or that pushes.
        """
        layout: Layout = meter.profile.layout
        history = layout.history
        if history is None or layout.asking is None:
            return ()
        since, until = (datetime.fromtimestamp(at / 1000, UTC) for at in (since_ms, until_ms))
        known = self._known.setdefault(meter.id, Known())
        rows = await self._converse(
            meter, lambda client: read_history(client, layout, history, known, since, until)
        )  # fmt: skip
        for row in rows:
            self._left_out += row.said.left_out
        return [_past(meter, self._line.at, row) for row in rows if row.said.values]

    async def close(self) -> None:
        """Let the bus go; never raises."""
        self._line.close()
        for listening in self._listening.values():
            self._left_out += listening.counters
        self._listening.clear()
        self._heard.keep_all()

    def counters(self) -> Mapping[str, int]:
        """What was left out so far, by reason."""
        return sum((listening.counters for listening in self._listening.values()), self._left_out)

    # --- a meter that pushes -----------------------------------------------------------------------------------------

    async def _listen(self, meter: Meter) -> Reading:
        listening = self._listening.get(meter.id)
        if listening is None or listening.meter != meter or listening.pushed is not self._line.pushed:
            listening = Listening(meter, self._line.pushed, self._heard.of(meter.id))
            self._listening[meter.id] = listening
        try:
            return await listening.next()
        finally:
            self._heard.keep(meter.id)

    # --- a meter that is asked ---------------------------------------------------------------------------------------

    async def _ask(self, meter: Meter) -> Reading:
        layout: Layout = meter.profile.layout
        known = self._known.setdefault(meter.id, Known())
        said, told = await self._talk(meter, lambda client: read_registers(client, layout, known))
        self._left_out += said.left_out
        moment = told.moment if told else None
        meter_time = round(moment.timestamp() * 1000) if moment and moment.tzinfo else None
        status = ("clock_invalid",) if told and told.is_doubtful else ()
        return Reading(meter.id, self._line.at, said.values, status, meter_time=meter_time)

    async def _converse(self, meter: Meter, script: Callable[[Client], Script[T]]) -> T:
        try:
            async with self._busy:
                return await self._talk(meter, script)
        except DriverError as error:
            error.meter = meter.id
            raise

    async def _talk(self, meter: Meter, script: Callable[[Client], Script[T]]) -> T:
        """Have one conversation, unless the meter is barred; raises DriverError."""
        asking: Asking = meter.profile.layout.asking
        before, until, why = self._barred.get(meter.id, (None, 0, None))
        if why is not None and before == meter and self._now() < until:
            raise NotAdmitted(why.what, why.hint, code=why.code)
        manner = asking.manner_for(meter.keys)
        try:
            if asking.counter is not None and meter.keys.encryption and meter.id not in self._learned:
                await self._learn_counter(meter, asking)
            said = await self._session(meter, manner, script)
        except NotAdmitted as error:
            self._barred[meter.id] = meter, self._now() + BARRED, error
            raise
        except CounterTooLow as error:
            self._learned.discard(meter.id)
            if error.counter is not None:
                self._ours.rise(meter.keys, asking.title, error.counter)
            raise
        self._barred.pop(meter.id, None)
        return said

    async def _learn_counter(self, meter: Meter, asking: Asking) -> None:
        """Ask as the public client which counter of ours the meter has seen, and go on above it."""
        code = asking.counter or b""
        public = replace(meter, keys=NO_KEYS)
        seen = await self._session(public, Manner(), lambda client: read_counter(client, code), PUBLIC)
        self._ours.rise(meter.keys, asking.title, seen + 1)
        self._learned.add(meter.id)

    async def _session(
        self, meter: Meter, manner: Manner, script: Callable[[Client], Script[T]], client: int | None = None
    ) -> T:
        asking: Asking = meter.profile.layout.asking
        link = link_to(meter, asking, over_tcp=self._over_tcp, client=client)
        identity = self._ours.identity(meter.keys, asking.title)
        association = Association(link, manner, meter.keys, identity, self._heard.of(meter.id))
        try:
            async with asyncio.timeout(CONVERSATION):
                await self._line.ready(sign_on=asking.link == "mode-e")
                return await self._line.run(_conversation(link, association, script), max(meter.deadline, ANSWER))
        except TimeoutError:
            raise NoAnswer(f"no end within {CONVERSATION:g} s", "a faster line, or fewer rows?") from None
        except Unproven as error:
            self._left_out[error.reason] += 1
            raise
        finally:
            if last_words := link.goodbye():
                self._line.send(last_words)
            self._left_out += link.counters
            self._heard.keep(meter.id)


def _conversation(link: Link, association: Association, script: Callable[[Client], Script[T]]) -> Script[T]:
    """Open, ask, release and close; what goes wrong at the end is not worth a reading."""
    yield from link.open()
    yield from association.open()
    said = yield from script(Client(association))
    try:
        yield from association.release()
        yield from link.close()
    except (DecodeError, NoAnswer, Refused):
        pass
    return said


def _past(meter: Meter, at: int, row: Row) -> Reading:
    captured = round(row.at.timestamp() * 1000)
    return Reading(meter.id, at, row.said.values, ("clock_invalid",) if row.is_doubtful else (), captured=captured)
