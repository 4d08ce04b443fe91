"""One M-Bus line, serial or through a TCP gateway: one exchange at a time. Bytes' side of the driver.

1. An answer must begin within 330 bit times and 50 ms of the request's end, or the meter's own deadline, if longer;
   once it has begun, it may go on for as long as the longest frame takes, but not pause.
2. What arrives while nobody asks, and what was left of an exchange that failed, is dropped before the next request.
3. Meters that answer together (a select that fits several) give what no decoder takes: a collision. Our own words,
   which many level converters echo, are silence.
"""

import asyncio
from dataclasses import dataclass, field

from drivers.contract import BootClock, DecodeError, NoAnswer, NotConnected
from drivers.mbus.frames import Ack, Decoder, Frame

ANSWER_BITS, ANSWER_MORE = 330, 0.05
"""How long a meter may think: bit times, and seconds on top."""

BIT_TIMES = 11
"""Bits a character takes: start, eight, parity, stop."""

PAUSE = 0.15
"""Seconds of silence inside an answer after which it is over: USB adapters and TCP gateways deliver in chunks."""

IDLE_BITS = 33
"""Bit times of silence before a request."""

FLOOD = 4096
"""Bytes during one exchange: sixteen of the longest frames."""


class Collision(DecodeError):  # noqa: N818  the field's word
    """Bytes came, and no frame: several meters at once, or damage."""


@dataclass(eq=False)
class MbusLine(asyncio.Protocol):
    """One half-duplex line at `baud`."""

    now: BootClock
    baud: int
    decoder: Decoder = field(default_factory=Decoder)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._answer: asyncio.Future[tuple[Frame | Ack, int]] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._free = self._loop.time()
        self._heard = self._damage = 0

    async def ask(self, request: bytes, wanted: type[Frame | Ack], patience: float) -> tuple[Frame | Ack, int]:
        """Send a request and await a frame of the wanted kind, with the boot clock in ms at its last byte.

        Raises NoAnswer for silence, Collision for bytes that are no frame, NotConnected.
        """
        async with self._turn:
            await self._settle()
            self.decoder.reset()
            self._heard = 0
            self._damage = self._damaged()
            self._wanted = wanted
            self._answer = self._loop.create_future()
            self._transport.write(request)
            spoken = len(request) * BIT_TIMES / self.baud
            thinking = max(ANSWER_BITS / self.baud + ANSWER_MORE, patience)
            self._timer = self._loop.call_later(spoken + thinking, self._expire)
            try:
                return await self._answer
            finally:
                self._timer.cancel()
                self._answer = None
                self._free = self._loop.time() + IDLE_BITS / self.baud

    async def _settle(self) -> None:
        if self._transport.is_closing():
            raise NotConnected("the line is closed", "connect again")
        await asyncio.sleep(max(0.0, self._free - self._loop.time()))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  narrows the type; the loop gives nothing else
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Decode what came, and give the answer to whoever waits."""
        found = self.decoder.feed(data)
        answer = self._answer
        if answer is None or answer.done():
            return
        self._heard += len(data)
        right = next((frame for frame in found if isinstance(frame, self._wanted)), None)
        if right is not None:
            answer.set_result((right, self.now()))
        elif self._heard > FLOOD:
            self._expire(flooded=True)
        elif self._timer is not None and self._spoke():
            self._timer.cancel()
            self._timer = self._loop.call_later(PAUSE + BIT_TIMES / self.baud, self._expire)

    def _spoke(self) -> bool:
        """Tell whether more came than our own words."""
        return self.decoder.pending > 0 or self._damaged() > self._damage

    def _damaged(self) -> int:
        return self.decoder.counters["noise_bytes"] + self.decoder.counters["bad_checksum"]

    def connection_lost(self, exc: Exception | None) -> None:
        """End the waiting exchange."""
        what = "the line was closed" if exc is None else f"the line broke: {exc}"
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NotConnected(what, "is the level converter still plugged in?"))
        self.closed.set()

    async def close(self) -> None:
        """Let the line go at once."""
        self._transport.abort()
        await self.closed.wait()

    def _expire(self, *, flooded: bool = False) -> None:
        answer = self._answer
        if answer is None or answer.done():
            return
        if flooded or self._spoke():
            hint = "several meters at once? then one address is there twice; else check wiring and baud"
            answer.set_exception(Collision(f"{self._heard} bytes came, but no M-Bus frame", hint))
        else:
            hint = "check the meter's address, both wires, the level converter's supply, and the baud"
            answer.set_exception(NoAnswer("silence", hint))
