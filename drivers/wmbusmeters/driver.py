"""The meters that an installed wmbusmeters hears: pushing, one stream of JSON lines, each meter fed from its own.

1. A meter is found by its number, `address = "12345678"`; whoever else is told of is left alone.
2. wmbusmeters has the keys and proves what is ciphered. Nothing on this stream can be proved here.
3. A meter of which nothing was told for `SILENCE` is NoAnswer; a broken link is NotConnected for all.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from drivers.contract import BootClock, Bus, Meter, NoAnswer, Reading
from drivers.pushed import PushedLine
from drivers.wmbus.listening import PATIENCE, Silence, number_of
from drivers.wmbusmeters.codec import Decoder, Telegram
from drivers.wmbusmeters.profile import read_telegram

BAUD = 9600
FRAMING = "8N1"
"""Of the pseudo-terminal that carries the lines; it has no pace."""

SILENCE = 3600.0
"""Seconds: vendors' meters send every few minutes, and at the edge of reception most telegrams are lost."""

MAX_METERS = 256
"""It tells of the meters it is set up for, some dozens; beyond, the one not told of for longest is forgotten."""

SILENT = Silence(
    "telegram",
    "does wmbusmeters run, with --format=json into this stream?",
    "is the number the one on the meter, and is wmbusmeters set up for it? It tells of others",
    "`nabd analyze` shows what its telegrams hold; does the profile fit?",
)

_ADDRESS = re.compile(r"[0-9A-F]{8}")


def open_bus(bus: Bus, now: BootClock) -> "WmbusmetersDriver":
    """Make the driver of one stream."""
    return WmbusmetersDriver(bus, now)


@dataclass(frozen=True, slots=True)
class Told:
    """A telegram, numbered, with the boot clock in ms."""

    number: int
    at: int
    telegram: Telegram


class Newest:
    """Decodes the stream, and keeps the newest telegram of each meter."""

    def __init__(self, now: BootClock) -> None:
        self.by_meter: dict[str, Told] = {}
        self._decoder = Decoder()
        self.counters = self._decoder.counters
        self._now = now
        self._number = 0

    def feed(self, data: bytes) -> list[Told]:
        """Take the next bytes and give the telegrams they complete; never raises."""
        return [self._file(telegram) for telegram in self._decoder.feed(data)]

    def _file(self, telegram: Telegram) -> Told:
        self._number += 1
        told = Told(self._number, self._now(), telegram)
        self.by_meter.pop(telegram.id, None)
        self.by_meter[telegram.id] = told
        if len(self.by_meter) > MAX_METERS:
            del self.by_meter[next(iter(self.by_meter))]
        return told


class WmbusmetersDriver:
    """Owns one stream; several meters may be read at once, one task each."""

    turns: Literal["asked", "pushed"] = "pushed"

    def __init__(self, bus: Bus, now: BootClock) -> None:
        """Take the bus; nothing is opened."""
        self._now = now
        self._line: PushedLine[Told] = PushedLine(bus, now, self._listen, baud=BAUD, framing=FRAMING)
        self._left_out: Counter[str] = Counter()
        # By meter id, and so bounded by the configuration.
        self._seen: dict[str, int] = {}

    async def connect(self) -> None:
        """Open the stream; raises NotConnected."""
        self._seen.clear()
        await self._line.open()

    async def read(self, meter: Meter) -> Reading:
        """Await what is told of the meter next; raises NoAnswer, NotConnected, Refused for an address that is none."""
        port, newest, wanted = self._line.port, self._newest, wanted_of(meter)
        silence = max(meter.deadline, SILENCE)
        try:
            async with asyncio.timeout(silence):
                while True:
                    number = port.newest[0] if port.newest else 0
                    told = newest.by_meter.get(wanted)
                    if told is not None and told.number > self._seen.get(meter.id, 0):
                        self._seen[meter.id] = told.number
                        said = read_telegram(meter.profile.layout, told.telegram)
                        if said.values:
                            return Reading(meter.id, told.at, said.values, said.status)
                        self._left_out["no_value"] += 1
                    await port.after(number)
        except TimeoutError:
            raise self._silent(meter, wanted, silence) from None

    async def nameplate(self, meter: Meter) -> Mapping[str, str]:
        """Give what is known of a meter that was told of: its number, driver and media, and how long ago."""
        wanted = wanted_of(meter)
        told = self._newest.by_meter.get(wanted)
        if told is None:
            return {}
        telegram = told.telegram
        # Its driver stands in `meter`, and in `driver` in versions to come.
        driver = telegram.text("driver") or telegram.text("meter")
        known = {"serial": wanted, "driver": driver, "media": telegram.media}
        return known | {"heard": f"{(self._now() - told.at) / 1000:.0f} s ago"}

    def budget(self, meter: Meter) -> float:  # noqa: ARG002  a meter sends when it likes
        """Give the seconds that a reading by hand waits for a telegram."""
        return PATIENCE

    async def close(self) -> None:
        """Let the stream go; never raises."""
        self._line.close()

    def counters(self) -> Mapping[str, int]:
        """What was left out so far, by reason."""
        return self._line.counters + self._left_out

    def _listen(self) -> Newest:
        self._newest = Newest(self._now)
        return self._newest

    def _silent(self, meter: Meter, wanted: str, silence: float) -> NoAnswer:
        heard = wanted in self._newest.by_meter
        return SILENT.error(meter, silence, anybody=self._line.port.newest is not None, heard=heard)


def wanted_of(meter: Meter) -> str:
    """Give a meter's number as wmbusmeters tells it, in capitals; raises Refused."""
    return number_of(meter, _ADDRESS, 'address = "12345678", the `id` in the lines of wmbusmeters')[0]
