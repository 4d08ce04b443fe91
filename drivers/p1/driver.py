"""A P1 port: one link, one decoder, and every meter behind it fed from the newest telegram.

1. The meter pushes a telegram each second (DSMR 5) or each 10 s; the port keeps the newest one only, so a slow reader
   misses some and nothing grows.
2. `read` of the electricity meter gives each telegram once. `read` of a sub-meter gives its value only when its capture
   time has changed: a gas meter's register is repeated for minutes or an hour.
3. A ciphered telegram is opened with the key of whichever of the port's meters has one, once for all of them.
4. A meter of which nothing was heard for `SILENCE` is NoAnswer; a broken link is NotConnected for everybody.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Literal

from drivers.contract import NO_KEYS, BootClock, Bus, DecodeError, Meter, NoAnswer, Reading
from drivers.p1.codec import Decoder, Sealed, Telegram, parse_timestamp
from drivers.p1.profile import CLOCK, Said, read_telegram
from drivers.p1.sealed import Vault
from drivers.pushed import PushedLine

BAUD = 115200
FRAMING = "8N1"
"""DSMR 4 and 5. DSMR 2 and 3, and some Swedish meters, talk at 9600 7E1, which the configuration then says; an adapter
that knows 8N1 only does too, for framing.py takes the parity bit off. The meter talks while its request pin is high:
serial ports raise RTS and DTR when they are opened, and adapters wire one of them to it."""

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
        self._line: PushedLine[Telegram | Sealed] = PushedLine(bus, now, Decoder, baud=BAUD, framing=FRAMING)
        self._left_out: Counter[str] = Counter()
        self._keys = NO_KEYS
        self._vault = Vault()
        # The number of the frame that was opened last, and what was in it.
        self._opened: tuple[int, Telegram | None] = (0, None)
        # By meter id, and so bounded by the configuration.
        self._seen: dict[str, int] = {}
        self._captured: dict[str, str] = {}

    async def connect(self) -> None:
        """Open the port; raises NotConnected."""
        self._opened = (0, None)
        self._seen.clear()
        await self._line.open()

    async def read(self, meter: Meter) -> Reading:
        """Await what the meter says next; raises NoAnswer, NotConnected, and DecodeError where its key is wrong."""
        port = self._line.port
        if meter.keys.encryption:
            self._keys = meter.keys
        silence = max(meter.deadline, SILENCE)
        try:
            async with asyncio.timeout(silence) as limit:
                while True:
                    number, at, pushed = await port.after(self._seen.get(meter.id, 0))
                    self._seen[meter.id] = number
                    telegram = self._open(number, pushed) if isinstance(pushed, Sealed) else pushed
                    if telegram is None:
                        continue
                    said = read_telegram(meter.profile.layout, telegram, meter.address)
                    self._left_out += said.left_out
                    if not said.values:
                        continue
                    if self._is_news(meter, said):
                        return _reading(meter, at, telegram, said)
                    limit.reschedule(asyncio.get_running_loop().time() + silence)
        except TimeoutError:
            raise self._silent(meter, silence) from None
        except DecodeError as error:
            error.meter = meter.id
            raise

    async def close(self) -> None:
        """Let the port go; never raises."""
        self._line.close()

    def counters(self) -> Mapping[str, int]:
        """What was left out so far, by reason."""
        return self._line.counters + self._left_out + self._vault.counters

    def _open(self, number: int, sealed: Sealed) -> Telegram | None:
        """Open a frame once, whoever of the port's meters comes first; raises DecodeError while no key has fitted."""
        if self._opened[0] != number:
            self._opened = (number, self._vault.open(sealed.frame, self._keys))
        return self._opened[1]

    def _is_news(self, meter: Meter, said: Said) -> bool:
        if said.captured_text is None:
            return True
        if self._captured.get(meter.id) == said.captured_text:
            return False
        self._captured[meter.id] = said.captured_text
        return True

    def _silent(self, meter: Meter, silence: float) -> NoAnswer:
        if self._line.port.newest is None:
            hint = "is the cable in the P1 port, and is baud 115200 8N1, or 9600 7E1 for DSMR 2 and 3?"
            return NoAnswer(f"no telegram within {silence:g} s", hint, meter=meter.id)
        if self._opened[0] and self._opened[1] is None:
            hint = "frames that repeat a counter or fail their proof are left out; start again if the meter is new"
            return NoAnswer(f"no ciphered telegram to be trusted within {silence:g} s", hint, meter=meter.id)
        hint = "`nabd analyze` shows what the telegrams hold; does the channel or device type fit?"
        return NoAnswer(f"nothing of this meter within {silence:g} s", hint, meter=meter.id)


def _reading(meter: Meter, at: int, telegram: Telegram, said: Said) -> Reading:
    clock = next((entry.values[0][0] for entry in telegram.objects if entry.id.partition("*")[0] == CLOCK), "")
    return Reading(meter.id, at, said.values, captured=said.captured, meter_time=parse_timestamp(clock))
