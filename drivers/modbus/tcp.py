"""One Modbus TCP connection: requests go out under a transaction id, answers come back by it.

1. `ask` sends a request, files a future under its transaction id and waits for it.
2. `data_received` cuts frames and gives each to the future it belongs to. An answer nobody waits for any more is
   counted and dropped. Its id is not used again before it came, so a late one can never be taken for the next.
3. No more requests than `in_flight` are open at once: many gateways take one, and answer the next one wrong or never.
4. One timer watches all deadlines. It is left standing when an answer comes, since the next request will need it.
5. Three requests in a row without a single byte from the host mean a connection that only looks open: it is dropped.
"""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field

from drivers.contract import BootClock, DecodeError, DriverError, NoAnswer, NotConnected, Refused
from drivers.modbus.codec import Read, TcpFrames, judge, tcp_head, tcp_request

Answer = tuple[bytes, int]
"""The registers' bytes, and the boot clock at their last one."""

SILENT_LIMIT = 3
"""So many deadlines without a byte; one dead meter behind a gateway is told apart by the others' answers."""

STRAY_LIMIT = 1000
"""So many frames nobody asked for: more than any late answers, few enough to stop a host that floods us at once."""


LOST_LIMIT = 4096
"""So many transaction ids are set aside because their answers may still come; an older one will not."""


@dataclass(slots=True)
class _Waiting:
    head: bytes
    answer: asyncio.Future[Answer]
    due: float


@dataclass(eq=False)
class TcpLine(asyncio.Protocol):
    """One connection to one host, shared by all its units."""

    now: BootClock
    rejected: Counter[str]
    in_flight: int = 1
    answered: bool = False
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._frames = TcpFrames()
        self._waiting: dict[bytes, _Waiting] = {}
        self._lost: dict[bytes, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._transaction = 0
        self._silent = self._strays = 0
        self._open = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    async def ask(self, unit: int, read: Read, deadline: float) -> Answer:
        """Send a request and await its answer, in its turn; raises DriverError."""
        if self._open < self.in_flight:
            self._open += 1
        else:
            await self._turn()
        try:
            return await self._send(unit, read, deadline)
        finally:
            self._leave()

    async def _turn(self) -> None:
        """Wait in line for the place of a request that has ended."""
        turn: asyncio.Future[None] = self._loop.create_future()
        self._queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        """Give the place to who waits longest, or back."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._open -= 1

    async def _send(self, unit: int, read: Read, deadline: float) -> Answer:
        if self._transport.is_closing():
            raise NotConnected("the host closed the connection")
        transaction = self._next_transaction()
        head = tcp_head(transaction, unit, read)
        key = head[:2]
        answer: asyncio.Future[Answer] = self._loop.create_future()
        due = self._loop.time() + deadline
        self._waiting[key] = _Waiting(head, answer, due)
        self._transport.write(tcp_request(transaction, unit, read))
        self._watch(due)
        try:
            return await answer
        finally:
            if self._waiting.pop(key, None) is not None:  # the caller gave up
                self._lose(key)

    def _next_transaction(self) -> int:
        """Choose an id under which no answer can still come."""
        while True:
            self._transaction = transaction = (self._transaction + 1) & 0xFFFF
            key = transaction.to_bytes(2, "big")
            if key not in self._waiting and key not in self._lost:
                return transaction

    def _lose(self, key: bytes) -> None:
        self._lost[key] = None
        if len(self._lost) > LOST_LIMIT:
            del self._lost[next(iter(self._lost))]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  narrows the type; the loop gives nothing else
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Give each frame to its request."""
        self._silent = 0
        try:
            frames = self._frames.feed(data)
        except DecodeError as error:
            self.rejected["not_modbus"] += 1
            self._fail(error)
            self._transport.abort()
            return
        for frame in frames:
            waiting = self._waiting.pop(frame[:2], None)
            if waiting is None:
                self._lost.pop(frame[:2], None)
                self._stray()
            elif not waiting.answer.done():
                self._settle(waiting, frame)

    def connection_lost(self, exc: Exception | None) -> None:
        """End all waiting."""
        if self._timer is not None:
            self._timer.cancel()
        what = "the host closed the connection" if exc is None else f"the connection broke: {exc}"
        self._fail(NotConnected(what))
        self.closed.set()

    async def close(self) -> None:
        """Let the connection go at once."""
        self._transport.abort()
        await self.closed.wait()

    def _settle(self, waiting: _Waiting, frame: bytes) -> None:
        self._strays = 0
        try:
            payload = judge(frame, waiting.head)
        except Refused as error:
            self.answered = True
            waiting.answer.set_exception(error)
        except DecodeError as error:
            self.rejected["foreign_frame"] += 1
            waiting.answer.set_exception(error)
        else:
            self.answered = True
            waiting.answer.set_result((payload, self.now()))

    def _stray(self) -> None:
        self.rejected["late_answer"] += 1
        self._strays += 1
        if self._strays >= STRAY_LIMIT:
            self._fail(DecodeError("the host sends frames nobody asked for", "is another program using it?"))
            self._transport.abort()

    def _watch(self, due: float) -> None:
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time()
        for key, waiting in list(self._waiting.items()):
            if waiting.due > now:
                self._watch(waiting.due)
            else:
                del self._waiting[key]
                self._lose(key)
                self._give_up(waiting.answer)

    def _give_up(self, answer: asyncio.Future[Answer]) -> None:
        if answer.done():
            return
        self._silent += 1
        if self._silent < SILENT_LIMIT:
            answer.set_exception(NoAnswer("no answer in time", "check the meter's address and supply"))
            return
        self.answered = False  # so that nobody takes this for a host that closes after each answer
        hint = "the host may be off, or the network in between"
        answer.set_exception(NotConnected(f"not a byte in {SILENT_LIMIT} requests", hint))
        self._transport.abort()

    def _fail(self, error: DriverError) -> None:
        for waiting in self._waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(error)
        self._waiting.clear()
