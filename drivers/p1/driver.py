"""A P1 port: one link, one decoder, and every meter behind it fed from the newest telegram.

1. The meter pushes a telegram each second (DSMR 5) or each 10 s; the port keeps the newest one only, so a slow reader
   misses some and nothing grows.
2. `read` of the electricity meter gives each telegram once. `read` of a sub-meter gives its value only when its capture
   time has changed: a gas meter's register is repeated for minutes or an hour.
3. Once a port has shown a checksum, a telegram without one is refused: it lost it on the way.
4. A meter of which nothing was heard for `SILENCE` is NoAnswer; a broken link is NotConnected for everybody.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Literal

from drivers.contract import BootClock, Bus, Meter, NoAnswer, NotConnected, Reading
from drivers.link import connect
from drivers.p1.codec import Decoder, Telegram, parse_timestamp
from drivers.p1.profile import CLOCK, Said, read_telegram

BAUD = 115200
FRAMING = "8N1"
"""DSMR 4 and 5. DSMR 2 and 3 talk at 9600 7E1, which the configuration then says."""

SILENCE = 25.0
"""Seconds: the slowest meters send each 10 s, so one telegram lost to noise is no alarm, two are. A meter's longer
deadline counts instead."""


def open_bus(bus: Bus, now: BootClock) -> "P1Driver":
    """Make the driver of one P1 port."""
    return P1Driver(bus, now)


class P1Driver:
    """Owns one P1 port; several meters may be read at once, one task each."""

    turns: Literal["asked", "pushed"] = "pushed"

    def __init__(self, bus: Bus, now: BootClock) -> None:
        self._bus = bus
        self._now = now
        self._link: asyncio.Transport | None = None
        self._port = _Port(now)
        self._port.lose(NotConnected(f"{bus.where} is not open", "connect first"))
        self._left_out: Counter[str] = Counter()
        # By meter id, and so bounded by the configuration.
        self._seen: dict[str, int] = {}
        self._captured: dict[str, str] = {}

    async def connect(self) -> None:
        """Open the port; raises NotConnected."""
        await self.close()
        # A port of its own for each connection: the end of the former one may still be under way.
        self._left_out += self._port.counters
        self._port = _Port(self._now)
        self._seen.clear()
        try:
            self._link, _ = await connect(self._bus, lambda: self._port, baud=BAUD, framing=FRAMING)
        except NotConnected as error:
            self._port.lose(error)
            raise

    async def read(self, meter: Meter) -> Reading:
        """Await what the meter says next; raises NoAnswer, NotConnected."""
        port = self._port
        silence = max(meter.deadline, SILENCE)
        try:
            async with asyncio.timeout(silence) as limit:
                while True:
                    number, at, telegram = await port.after(self._seen.get(meter.id, 0))
                    self._seen[meter.id] = number
                    said = read_telegram(meter.profile.layout, telegram, meter.address)
                    self._left_out += said.left_out
                    if not said.values:
                        continue
                    if self._is_news(meter, said):
                        return _reading(meter, at, telegram, said)
                    limit.reschedule(asyncio.get_running_loop().time() + silence)
        except TimeoutError:
            raise self._silent(meter, silence) from None

    async def close(self) -> None:
        """Let the port go; never raises."""
        link, self._link = self._link, None
        if link is not None:
            link.close()
            self._port.lose(NotConnected(f"{self._bus.where} was closed", "connect again"))

    def counters(self) -> Mapping[str, int]:
        """What was left out so far, by reason."""
        return self._port.counters + self._left_out

    def _is_news(self, meter: Meter, said: Said) -> bool:
        if said.captured_text is None:
            return True
        if self._captured.get(meter.id) == said.captured_text:
            return False
        self._captured[meter.id] = said.captured_text
        return True

    def _silent(self, meter: Meter, silence: float) -> NoAnswer:
        if self._port.newest is None:
            hint = "is the cable in the P1 port, and is baud 115200 8N1, or 9600 7E1 for DSMR 2 and 3?"
            return NoAnswer(f"no telegram within {silence:g} s", hint, meter=meter.id)
        hint = "`nabd analyze` shows what the telegrams hold; does the channel or device type fit?"
        return NoAnswer(f"nothing of this meter within {silence:g} s", hint, meter=meter.id)


def _reading(meter: Meter, at: int, telegram: Telegram, said: Said) -> Reading:
    clock = next((entry.values[0][0] for entry in telegram.objects if entry.id.partition("*")[0] == CLOCK), "")
    return Reading(meter.id, at, said.values, captured=said.captured, meter_time=parse_timestamp(clock))


class _Port(asyncio.Protocol):
    """The bytes' side of one connection: decodes them and wakes whoever waits for a telegram."""

    def __init__(self, now: BootClock) -> None:
        self.newest: tuple[int, int, Telegram] | None = None
        self._now = now
        self._decoder = Decoder()
        self._number = 0
        self._checked = False
        self._missing_crc = 0
        self._lost: NotConnected | None = None
        self._change = asyncio.Event()

    @property
    def counters(self) -> Counter[str]:
        """What was left out, by reason."""
        return self._decoder.counters + Counter(missing_crc=self._missing_crc)

    async def after(self, number: int) -> tuple[int, int, Telegram]:
        """Await a telegram newer than `number`: its number, the boot clock in ms, itself. Raises NotConnected."""
        while self.newest is None or self.newest[0] <= number:
            if self._lost is not None:
                raise NotConnected(self._lost.what, self._lost.hint)
            await self._change.wait()
        return self.newest

    def data_received(self, data: bytes) -> None:
        at = self._now()
        for telegram in self._decoder.feed(data):
            if self._checked and not telegram.checked:
                self._missing_crc += 1
                continue
            self._checked = telegram.checked
            self._number += 1
            self.newest = (self._number, at, telegram)
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lose(NotConnected(str(exc or "the other side closed the link"), "check cable and adapter"))

    def lose(self, error: NotConnected) -> None:
        """Tell everybody who waits that there is no link; the first reason stands."""
        self._lost = self._lost or error
        self._wake()

    def _wake(self) -> None:
        # Those who wait have the old event; a new one makes the next telegram news again.
        change, self._change = self._change, asyncio.Event()
        change.set()
