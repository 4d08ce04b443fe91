"""An SML port: one optical head or serial server, one decoder, one meter that talks by itself.

1. The meter pushes a telegram every 1 to 4 s; the port keeps the newest one only, so a slow reader misses some and
   nothing grows.
2. `read` gives each telegram once; one that holds none of the profile's values is waited past.
3. A meter of which nothing was heard for `SILENCE` is NoAnswer; a broken link is NotConnected for everybody.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Literal

from drivers.contract import BootClock, Bus, Meter, NoAnswer, Reading
from drivers.pushed import PushedLine
from drivers.sml.codec import Decoder
from drivers.sml.identity import id_text, maker_of
from drivers.sml.message import Telegram
from drivers.sml.profile import Said, read_telegram

BAUD = 9600
FRAMING = "8N1"

SILENCE = 15.0
"""Seconds: the slowest meters speak each 4 s, so two telegrams lost to noise are no alarm, three are. A meter's longer
deadline counts instead."""


def open_bus(bus: Bus, now: BootClock) -> "SmlDriver":
    """Make the driver of one SML port."""
    return SmlDriver(bus, now)


class SmlDriver:
    """Owns one SML port."""

    turns: Literal["asked", "pushed"] = "pushed"

    def __init__(self, bus: Bus, now: BootClock) -> None:
        """Take the bus; nothing is opened."""
        self._line: PushedLine[Telegram] = PushedLine(bus, now, Decoder, baud=BAUD, framing=FRAMING)
        self._left_out: Counter[str] = Counter()
        # By meter id, and so bounded by the configuration.
        self._seen: dict[str, int] = {}

    async def connect(self) -> None:
        """Open the port; raises NotConnected."""
        self._seen.clear()
        await self._line.open()

    async def read(self, meter: Meter) -> Reading:
        """Await what the meter says next; raises NoAnswer, NotConnected."""
        port, silence = self._line.port, max(meter.deadline, SILENCE)
        try:
            async with asyncio.timeout(silence):
                while True:
                    number, at, telegram = await port.after(self._seen.get(meter.id, 0))
                    self._seen[meter.id] = number
                    said = read_telegram(meter.profile.layout, telegram)
                    self._left_out += said.left_out
                    if said.values:
                        return _reading(meter, at, telegram, said)
        except TimeoutError:
            raise self._silent(meter, silence) from None

    async def nameplate(self, meter: Meter) -> Mapping[str, str]:
        """Give maker and id of the newest telegram, awaiting the first; raises NoAnswer, NotConnected."""
        silence = max(meter.deadline, SILENCE)
        try:
            async with asyncio.timeout(silence):
                _, _, telegram = await self._line.port.after(0)
        except TimeoutError:
            raise self._silent(meter, silence) from None
        maker = maker_of(telegram.server, telegram.entries)
        return ({"maker": maker} if maker else {}) | {"serial": id_text(telegram.server)}

    async def close(self) -> None:
        """Let the port go; never raises."""
        self._line.close()

    def counters(self) -> Mapping[str, int]:
        """What was left out so far, by reason."""
        return self._line.counters + self._left_out

    def _silent(self, meter: Meter, silence: float) -> NoAnswer:
        if self._line.port.newest is None:
            hint = "does the head sit on the optical port with its cable down, and is the line 9600 8N1?"
            return NoAnswer(f"no telegram within {silence:g} s", hint, meter=meter.id)
        hint = "`nabd analyze` shows what the telegrams hold; does the profile fit?"
        return NoAnswer(f"nothing of this meter within {silence:g} s", hint, meter=meter.id)


def _reading(meter: Meter, at: int, telegram: Telegram, said: Said) -> Reading:
    # Whether a local timestamp counts in UTC is not the same with all meters, so it does not judge their clocks.
    time = telegram.at.unix * 1000 if telegram.at and telegram.at.offset is None else None
    return Reading(meter.id, at, said.values, meter_time=time)
