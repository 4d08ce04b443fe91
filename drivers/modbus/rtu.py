"""One Modbus RTU line, serial or through a transparent TCP gateway: one request at a time, silence before each.

1. Before a request the line must have been silent for 3.5 characters (1.75 ms above 19200 baud). Between received bytes
   nothing is enforced: USB adapters deliver in chunks.
2. `RtuSearch` finds the answer in what arrives. The deadline starts when the request has left the wire, and the
   answer's own time on the wire is added to it: a meter at 1200 baud is not late because it is slow.
3. After a timeout the answer may still come, and RTU answers carry no number. So the same unit is not asked again
   until as much time again has passed, and nobody is for `LATE`; what arrives meanwhile is dropped.
4. When the whole answer came with a wrong CRC, the wait ends after a short silence instead of the full deadline.
5. A line that never falls silent, or pours out more than any meter would, is in quarantine: nothing is read from it for
   a while, and requests fail at once, so that it costs neither time nor memory.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from drivers.contract import BootClock, DecodeError, DriverError, NoAnswer, NotConnected, Refused
from drivers.link import Line
from drivers.modbus.codec import Read, RtuSearch, rtu_length, rtu_request
from drivers.modbus.plan import Wire
from drivers.modbus.tcp import Answer

LATE = 0.2
"""Seconds granted to an answer beyond its deadline before anyone else may speak."""

BROKEN = 0.1
"""Seconds of silence after which a broken answer is over: twice the longest gap seen inside one."""

REQUEST_LENGTH = 8

FLOOD = 16_384
"""Bytes during one request: more than a second of 115,200 baud, 64 times the longest answer."""

QUARANTINE = 5.0
"""Seconds for which a babbling line is left alone."""


@dataclass(eq=False)
class RtuLine(asyncio.Protocol):
    """One half-duplex line. `late` outlives it: unit -> loop time until which an old answer may arrive."""

    now: BootClock
    rejected: Counter[str]
    line: Line
    late: dict[int, float]
    answered: bool = False
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._search: RtuSearch | None = None
        self._due = 0.0
        self._heard = self._free = self._loop.time()
        self._flow = 0
        self._babbles_until: float | None = None
        self._gap = Wire(self.line.character).gap

    async def ask(self, unit: int, read: Read, deadline: float) -> Answer:
        """Wait for silence, send a request and await its answer; raises DriverError."""
        async with self._turn:
            self._leave_quarantine()
            self._flow = 0
            await self._silence(unit, deadline)
            budget = deadline + (REQUEST_LENGTH + rtu_length(read)) * self.line.character
            self._search = search = RtuSearch(unit, read, self.rejected)
            self._answer: asyncio.Future[Answer] = self._loop.create_future()
            self._transport.write(rtu_request(unit, read))
            self._heard = self._loop.time() + REQUEST_LENGTH * self.line.character
            self._due = self._loop.time() + budget
            self._timer = self._loop.call_at(self._due, self._expire)
            try:
                return await self._answer
            finally:
                self._timer.cancel()
                if self._search is search:  # it timed out, or the caller gave up
                    self._search = None
                    self.late[unit] = self._loop.time() + budget + LATE
                    self._free = self._loop.time() + LATE

    async def _silence(self, unit: int, patience: float) -> None:
        """Wait until the line is free for this unit; raises NoAnswer when it never falls silent."""
        free = max(self._free, self.late.get(unit, 0.0))
        give_up = max(free, self._loop.time()) + patience
        while True:
            if self._transport.is_closing():
                raise NotConnected("the line is closed")
            now = self._loop.time()
            ready = max(self._heard + self._gap, free)
            if now >= ready:
                return
            if now >= give_up or self._babbles_until is not None:
                raise self._quarantine()
            await asyncio.sleep(ready - now)

    def _quarantine(self) -> NoAnswer:
        """Read nothing more for a while, and make the error that says so."""
        if self._babbles_until is None:
            self._babbles_until = self._loop.time() + QUARANTINE
            self.rejected["never_silent"] += 1
            self._transport.pause_reading()
        return NoAnswer("the line is never silent", "something talks all the time: check wiring and baud")

    def _leave_quarantine(self) -> None:
        """Read again once it is over, and let what had piled up pass by; raises NoAnswer while it is not."""
        if self._babbles_until is None:
            return
        if self._loop.time() < self._babbles_until:
            raise self._quarantine()
        self._babbles_until = None
        self._free = self._loop.time() + BROKEN
        self._transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  narrows the type; the loop gives nothing else
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Search the answer; without a request, only note that the line is not silent."""
        self._heard = self._loop.time()
        self._flow += len(data)
        search = self._search
        if search is None or self._answer.done():
            self.rejected["unasked_bytes"] += len(data)
            if self._flow > FLOOD:
                self._quarantine()
            return
        if self._flow > FLOOD:
            self._answer.set_exception(self._quarantine())
            return
        try:
            payload = search.feed(data)
        except Refused as error:
            self._finish(error)
            return
        except DecodeError as error:  # a flood, behind which the answer may still come
            self._answer.set_exception(error)
            return
        if payload is not None:
            self._finish((payload, self.now()))
        elif search.false_starts:
            self._timer.cancel()
            self._timer = self._loop.call_at(min(self._due, self._heard + BROKEN), self._expire)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the waiting request."""
        what = "the line was closed" if exc is None else f"the line broke: {exc}"
        if self._search is not None and not self._answer.done():
            self._answer.set_exception(NotConnected(what, "is the adapter still plugged in?"))
        self.closed.set()

    async def close(self) -> None:
        """Let the line go at once; a serial port is free again when this returns."""
        self._transport.abort()
        await self.closed.wait()

    def _finish(self, outcome: Answer | DriverError) -> None:
        self._search = None
        if isinstance(outcome, DriverError):
            self.answered = self.answered or isinstance(outcome, Refused)
            self._answer.set_exception(outcome)
        else:
            self.answered = True
            self._answer.set_result(outcome)

    def _expire(self) -> None:
        search = self._search
        if search is None or self._answer.done():
            return
        if search.false_starts:
            self._finish(DecodeError("the answer came broken", "check wiring, termination and baud"))
        elif len(search):
            hint = "check address, baud and framing, and whether the profile fits"
            self._answer.set_exception(NoAnswer(f"{len(search)} bytes came, but no answer to our request", hint))
        else:
            hint = "check the meter's address, its supply, A and B, and the baud"
            self._answer.set_exception(NoAnswer("silence", hint))
