"""Reads wired M-Bus meters, by primary or secondary address, through a serial level converter or a TCP gateway.

1. An address is a number from 0 to 250, 254 for the only meter of a line, or text: eight digits, and if need be maker,
   version and medium behind them (`"21050076.SEN.31.04"`, version and medium in hex). F is any digit.
2. Each reading begins with SND_NKE (a meter that was in the midst of something starts anew, with its first telegram); a
   meter with a secondary address is then selected, and talked to as 253.
3. REQ_UD2 toggles its frame count bit with each telegram, so a repeated request repeats the telegram; as long as a
   telegram says that more follow, the next one is asked for.
4. Every exchange is tried three times. A meter of another medium than its profile's is refused: two were swapped.
5. A model may ask for an application reset before each reading, with a sub-code that says which data is wanted.
"""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import Mapping
from typing import Literal

from drivers import link
from drivers.contract import BootClock, Bus, DecodeError, DriverError, Meter, NoAnswer, NotConnected, Number, Reading
from drivers.mbus.frames import FCB, REQ_UD2, RESET, SELECT, SELECTED, SND_NKE, SND_UD, Ack, Frame, long, short
from drivers.mbus.line import ANSWER_BITS, ANSWER_MORE, BIT_TIMES, Collision, MbusLine
from drivers.mbus.profile import Layout, read_telegram
from drivers.mbus.search import Outcome, PrimaryScan, Probe, Search
from drivers.mbus.telegram import Header, Telegram, code_of, decode_telegram
from drivers.names import Names

BAUD, FRAMING = 2400, "8E1"
TRIES = 3
PROBES = 2
"""Tries of a search's select, most of which nobody answers."""

FIRST_PORT = 10001
"""Where most M-Bus gateways listen unless told otherwise."""

MAX_TELEGRAMS = 32
"""A meter that always says that more follows is broken; the longest readout seen has eleven."""

LONGEST = 261
"""Bytes of the longest frame."""

CLOSE_TIMEOUT = 1.0
LAST_PRIMARY = 250

_ADDRESS = re.compile(r"([0-9F]{8})(?:\.([A-Z]{3})(?:\.([0-9A-F]{2})(?:\.([0-9A-F]{2}))?)?)?", re.ASCII)


def open_bus(bus: Bus, now: BootClock) -> "MbusDriver":
    """Make the driver of one line; `connect` opens it."""
    return MbusDriver(bus, now)


def address_of(address: int | str | None) -> int | Probe:
    """Take a meter's address from the configuration; raises NoAnswer for one that cannot be."""
    if isinstance(address, int) and not isinstance(address, bool) and (0 <= address <= LAST_PRIMARY or address == 254):  # noqa: PLR2004  the only meter
        return address
    found = _ADDRESS.fullmatch(address.upper()) if isinstance(address, str) else None
    if found is None:
        hint = '0 to 250, 254 for the only meter of a line, or text such as "21050076" or "21050076.SEN"'
        raise NoAnswer(f"{address!r} is no M-Bus address", hint)
    digits, maker, version, medium = found.groups()
    whole = Probe(digits)
    return Probe(
        digits,
        code_of(maker) if maker else whole.maker,
        int(version, 16) if version else whole.version,
        int(medium, 16) if medium else whole.medium,
    )


class MbusDriver:
    """One M-Bus line with all its meters."""

    turns: Literal["asked", "pushed"] = "asked"

    def __init__(self, bus: Bus, now: BootClock) -> None:
        """Take the bus; nothing is opened."""
        self._bus = bus
        self._now = now
        self._names = Names()
        self._line: MbusLine | None = None
        self._rejected: Counter[str] = Counter()

    async def connect(self) -> None:
        """Open the line; raises NotConnected."""
        await self.close()
        baud = self._bus.baud or BAUD
        _, self._line = await link.connect(
            self._bus, lambda: MbusLine(self._now, baud),
            baud=BAUD, framing=FRAMING, port=FIRST_PORT, names=self._names,
        )  # fmt: skip

    async def read(self, meter: Meter) -> Reading:
        """Ask for all of the meter's telegrams; raises DriverError with the meter's id."""
        layout: Layout = meter.profile.layout
        try:
            telegrams, at = await self._telegrams(address_of(meter.address), meter.deadline, layout.reset)
            _check_medium(layout, telegrams[0].header, meter.profile.name)
        except DriverError as error:
            error.meter = meter.id
            raise
        values: dict[str, Number] = {}
        status: dict[str, None] = {}
        for telegram in telegrams:
            said = read_telegram(layout, telegram)
            values = said.values | values
            status |= dict.fromkeys(said.status)
        return Reading(meter.id, at, values, tuple(status))

    def budget(self, meter: Meter) -> float:
        """Give the seconds that the most telegrams may take, each as long as they get, with what goes before them."""
        baud = self._bus.baud or BAUD
        exchange = max(ANSWER_BITS / baud + ANSWER_MORE, meter.deadline) + LONGEST * BIT_TIMES / baud
        return (MAX_TELEGRAMS + TRIES) * exchange

    async def nameplate(self, meter: Meter) -> dict[str, str]:
        """Ask who the meter is; raises DriverError."""
        (telegram, *_), _ = await self._telegrams(address_of(meter.address), meter.deadline)
        who = telegram.header.identity
        if who is None:
            return {}
        return {
            "manufacturer": who.manufacturer, "serial": who.number, "version": str(who.version),
            "medium": who.medium_name,
        }  # fmt: skip

    async def probe(self, probe: Probe, deadline: float) -> Outcome:
        """Say who answers to a secondary address with open parts; raises NotConnected."""
        try:
            await self._ask(short(SND_NKE, SELECTED), Ack, 0.0, tries=1, ignore=True)
            await self._ask(long(SND_UD, SELECTED, SELECT, bytes(probe)), Ack, deadline, tries=PROBES)
            frame, _ = await self._ask(short(REQ_UD2 | FCB, SELECTED), Frame, deadline)
            who = _telegram(frame).header.identity
        except NoAnswer:
            return "silence"
        except DecodeError:
            return "collision"
        return who or "collision"

    async def search(self, search: Search, deadline: float = 0.0) -> None:
        """Ask every probe of a search; it can be looked at, and given up, between two of them."""
        while (probe := search.next()) is not None:
            search.heard(await self.probe(probe, deadline))

    async def scan(self, scan: PrimaryScan, deadline: float = 0.0) -> None:
        """Ask every address of a scan; it can be looked at, and given up, between two of them."""
        while (address := scan.next()) is not None:
            scan.heard(await self._who_is_at(address, deadline))

    async def close(self) -> None:
        """Let the line go; never raises."""
        line, self._line = self._line, None
        if line is not None:
            self._rejected += line.decoder.counters
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT):
                    await line.close()

    def counters(self) -> Mapping[str, int]:
        """What was rejected so far, by reason."""
        return self._rejected + self._line.decoder.counters if self._line else self._rejected

    async def _who_is_at(self, address: int, deadline: float) -> Outcome | None:
        try:
            await self._ask(short(SND_NKE, address), Ack, 0.0, tries=1, ignore=True)
            frame, _ = await self._ask(short(REQ_UD2 | FCB, address), Frame, deadline, tries=PROBES)
            return _telegram(frame).header.identity
        except NoAnswer:
            return "silence"
        except DecodeError:
            return "collision"

    async def _telegrams(
        self, address: int | Probe, deadline: float, reset: bytes | None = None
    ) -> tuple[list[Telegram], int]:
        to = await self._begin(address, deadline)
        if reset is not None:
            await self._ask(long(SND_UD, to, RESET, reset), Ack, deadline)
        telegrams: list[Telegram] = []
        at, control = 0, REQ_UD2 | FCB
        while len(telegrams) < MAX_TELEGRAMS:
            frame, at = await self._ask(short(control, to), Frame, deadline)
            telegrams.append(_telegram(frame, to))
            if not telegrams[-1].records.more:
                break
            control ^= FCB
        return telegrams, at

    async def _begin(self, address: int | Probe, deadline: float) -> int:
        """Let the meter start anew, and give the address it is to be called by."""
        if isinstance(address, int):
            # Some meters take it without a word.
            await self._ask(short(SND_NKE, address), Ack, 0.0, tries=1, ignore=True)
            return address
        await self._ask(short(SND_NKE, SELECTED), Ack, 0.0, tries=1, ignore=True)
        await self._ask(long(SND_UD, SELECTED, SELECT, bytes(address)), Ack, deadline)
        return SELECTED

    async def _ask(
        self, request: bytes, wanted: type[Frame | Ack], deadline: float, *, tries: int = TRIES, ignore: bool = False
    ) -> tuple[Frame | Ack, int]:
        """Send a request until it is answered; the last failure counts. `ignore`: silence is an answer as well."""
        line = self._line
        if line is None:
            raise NotConnected(f"{self._bus.where} is not open", "connect first")
        for left in reversed(range(tries)):
            try:
                return await line.ask(request, wanted, deadline)
            except (NoAnswer, Collision):
                if ignore:
                    break
                if not left:
                    raise
        return Ack(), 0


def _telegram(frame: Frame | Ack, address: int = SELECTED) -> Telegram:
    assert isinstance(frame, Frame)  # noqa: S101  asked for
    if address <= LAST_PRIMARY and frame.address != address:
        raise DecodeError(f"meter {frame.address} answered for {address}", "two readers on one line?")
    return decode_telegram(frame.ci, frame.data)


def _check_medium(layout: Layout, header: Header, profile: str) -> None:
    who = header.identity
    if who is None or not layout.media or who.medium in layout.media:
        return
    what = f"meter {who.number} of {who.manufacturer} measures {who.medium_name}, which {profile} does not"
    raise DecodeError(what, "are two meters swapped? `nabd profiles` lists the models")
