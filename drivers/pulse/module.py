"""Reads the inputs of an S0PCM on a serial port: it counts by itself and tells its totals every few seconds.

1. A module's totals begin anew when it is powered. Our own count goes on: what the total grew by is added, and after a
   total that fell all of it.
2. Beside our count the file keeps the module's total, so that nothing is lost while this program is away.
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from drivers import link
from drivers.contract import BootClock, Bus, Meter, NoAnswer, NotConnected, Reading
from drivers.names import Names
from drivers.pulse.count import Counter, Total
from drivers.pulse.keeper import Keeper
from drivers.pulse.s0pcm import Decoder, Telegram
from drivers.pushed import PushedPort

if TYPE_CHECKING:
    from drivers.pulse.profile import Layout

BAUD, FRAMING = 9600, "7E1"
SILENCE = 35.0
"""Seconds: modules tell their totals every 10 s, so one lost line is no alarm, three are."""

INPUTS = range(1, 10)
_MS = 10**6


class _Input:
    """One meter at an input."""

    def __init__(self, bus: Bus, meter: Meter) -> None:
        self.layout: Layout = meter.profile.layout
        self.keeper = Keeper(bus.state, meter.id)
        self.counter = Counter(still=self.layout.still, total=Total(self.keeper.total.forward))
        self.seen = 0
        # A meter seen for the first time begins with 0, whatever the module has counted since it was powered.
        self._told = None if self.keeper.is_new else self.keeper.total.backward

    def take(self, total: int, at: int) -> None:
        """Take the module's total at a boot time in nanoseconds."""
        told, self._told = self._told, total
        grown = 0 if told is None else total - told if total >= told else total
        if grown:
            self.counter.add(at, grown)
        if total != told:
            self.keeper.keep(Total(self.counter.total.forward, total))


class S0pcmDriver:
    """One module with its inputs; several meters may be read at once, one task each."""

    turns: Literal["asked", "pushed"] = "pushed"

    def __init__(self, bus: Bus, now: BootClock) -> None:
        """Take the bus; nothing is opened."""
        self._bus, self._now = bus, now
        self._names = Names()
        self._decoder = Decoder()
        self._port = self._no_port()
        self._link: asyncio.Transport | None = None
        self._inputs: dict[str, _Input] = {}

    async def connect(self) -> None:
        """Open the port; raises NotConnected."""
        await self.close()
        counters = self._decoder.counters
        self._decoder = Decoder()
        self._decoder.counters = counters
        self._port = PushedPort(self._decoder, self._now)
        self._link, _ = await link.connect(
            self._bus, lambda: self._port, baud=BAUD, framing=FRAMING, names=self._names
        )  # fmt: skip

    async def read(self, meter: Meter) -> Reading:
        """Await the module's next line; raises NoAnswer, NotConnected."""
        number = 1 if meter.address is None else meter.address
        if number not in INPUTS:
            raise NoAnswer(f"{number!r} is no input", "an S0PCM has inputs 1 to 5", meter=meter.id)
        known = self._inputs.get(meter.id)
        if known is None:
            known = self._inputs[meter.id] = _Input(self._bus, meter)
        known.layout = meter.profile.layout
        silence = max(meter.deadline, SILENCE)
        try:
            async with asyncio.timeout(silence):
                known.seen, at, telegram = await self._port.after(known.seen)
        except TimeoutError:
            hint = "is it the port of an S0PCM, with 9600 baud, 7E1?"
            raise NoAnswer(f"no line within {silence:g} s", hint, meter=meter.id) from None
        if number not in telegram.inputs:
            raise NoAnswer(f"the module has no input {number}", "see its line by `nabd analyze`", meter=meter.id)
        known.take(telegram.inputs[int(number)][1], at * _MS)
        total = Total(known.counter.total.forward)
        return Reading(meter.id, at, known.layout.values(total, known.counter.rate(at * _MS)))

    async def close(self) -> None:
        """Let the port go and bring the counts to the disk; never raises."""
        transport, self._link = self._link, None
        if transport is not None:
            transport.close()
        self._port.lose(NotConnected(f"{self._bus.where} was closed", "connect again"))
        self._port = self._no_port()
        for known in self._inputs.values():
            known.keeper.close()
        self._inputs.clear()

    def counters(self) -> Mapping[str, int]:
        """What was left out so far, by reason."""
        return self._decoder.counters

    def _no_port(self) -> PushedPort[Telegram]:
        port = PushedPort(self._decoder, self._now)
        port.lose(NotConnected(f"{self._bus.where} is not open", "connect first"))
        return port
