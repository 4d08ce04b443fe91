"""A radio stick, and the meters it hears: pushing, one link, each meter fed from its own frames.

1. A meter is found by its number, with its maker's letters before it or not; whoever else is heard is left alone.
2. A meter with a key is believed only when a frame was ciphered with it; without, anybody could speak in its name.
3. A counter that the meter signs must rise. It is kept as long as the program runs.
4. A meter of which nothing was heard for twenty of its intervals is NoAnswer; a broken link is NotConnected for all.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from drivers.contract import BootClock, Bus, DecodeError, Meter, NoAnswer, Reading
from drivers.mbus.profile import Said
from drivers.pushed import PushedLine
from drivers.wmbus.air import Air, Heard, Sender
from drivers.wmbus.compact import Formats, UnknownFormat
from drivers.wmbus.layers import Message, WrongKey, unwrap
from drivers.wmbus.listening import PATIENCE, Silence, number_of
from drivers.wmbus.profile import read_message

BAUD = 57_600
FRAMING = "8N1"
"""iM871A. iU891A: 115200; CUL: 38400; RC1180: 19200; AMB8465: 9600."""

SILENCE = 900.0
"""Seconds, as long as a meter's interval is unknown: few send less often than each quarter of an hour."""
MISSED = 20
"""Frames that may be missed before a meter is called silent: at the edge of reception most are."""
LEAST, MOST = 300.0, 86_400.0
SILENT = Silence(
    "frame",
    "is the stick set to the meters' mode (T, C or S), and is this its baud?",
    "is the number the one on the meter? Others are heard",
    "`nabd analyze` shows what its frames hold; does the profile fit?",
)

_ADDRESS = re.compile(r"(?:([A-Z]{3})[ -]?)?([0-9A-F]{8})")


def open_bus(bus: Bus, now: BootClock) -> "WmbusDriver":
    """Make the driver of one stick."""
    return WmbusDriver(bus, now)


@dataclass(slots=True)
class _Listener:
    """Where one meter's reader is."""

    seen: int = 0
    counter: int = -1
    opened: bool = False


class WmbusDriver:
    """Owns one stick; several meters may be read at once, one task each."""

    turns: Literal["asked", "pushed"] = "pushed"

    def __init__(self, bus: Bus, now: BootClock) -> None:
        """Take the bus; nothing is opened."""
        self._now = now
        self._line: PushedLine[Heard] = PushedLine(bus, now, self._new_air, baud=BAUD, framing=FRAMING)
        self._left_out: Counter[str] = Counter()
        self._formats = Formats()
        # By meter id, and so bounded by the configuration.
        self._listeners: dict[str, _Listener] = {}

    async def connect(self) -> None:
        """Open the stick's port; raises NotConnected."""
        for listener in self._listeners.values():
            listener.seen = 0
        await self._line.open()

    async def read(self, meter: Meter) -> Reading:
        """Await what the meter says next.

        Raises NoAnswer, NotConnected, Refused for an address that is none, DecodeError while its key is wrong.
        """
        port, air, wanted = self._line.port, self._air, wanted_of(meter)
        listener = self._listeners.setdefault(meter.id, _Listener())
        silence = max(meter.deadline, _silence(list(air.senders(wanted))))
        try:
            async with asyncio.timeout(silence):
                while True:
                    number = port.newest[0] if port.newest else 0
                    frames = {heard.number: heard for sender in air.senders(wanted) for heard in sender.frames}
                    for heard in (frames[key] for key in sorted(frames) if key > listener.seen):
                        listener.seen = heard.number
                        said = self._take(meter, listener, heard)
                        if said is not None and said.values:
                            return Reading(meter.id, heard.at, said.values, said.status)
                    await port.after(number)
        except TimeoutError:
            raise self._silent(meter, silence) from None

    async def nameplate(self, meter: Meter) -> Mapping[str, str]:
        """Give what is known of a meter that was heard: who, how strong, how often, how long ago."""
        found: dict[str, str] = {}
        for sender in self._air.senders(wanted_of(meter)):
            who = sender.last.frame.sender
            found = {"maker": who.manufacturer, "serial": who.number, "version": str(who.version)}
            if sender.last.signal is not None:
                found["signal"] = f"{sender.last.signal} dBm"
            if sender.interval is not None:
                found["interval"] = f"{sender.interval:.0f} s"
            found["heard"] = f"{(self._now() - sender.last.at) / 1000:.0f} s ago"
        return found

    def budget(self, meter: Meter) -> float:  # noqa: ARG002  a meter sends when it likes
        """Give the seconds that a reading by hand waits for a frame."""
        return PATIENCE

    async def close(self) -> None:
        """Let the port go; never raises."""
        self._line.close()

    def counters(self) -> Mapping[str, int]:
        """What was left out so far, by reason."""
        return self._line.counters + self._left_out

    def _new_air(self) -> Air:
        self._air = Air(self._now)
        return self._air

    def _take(self, meter: Meter, listener: _Listener, heard: Heard) -> Said | None:
        """Read a frame of the meter; what cannot be read is counted, and raised while nothing was ever read."""
        try:
            message = unwrap(heard.frame, meter.keys.encryption)
            if not self._is_trusted(meter, listener, message):
                return None
            said = read_message(meter.profile.layout, message, self._formats)
        except UnknownFormat:
            self._left_out["unknown_format"] += 1
            return None
        except WrongKey as error:
            self._leave_out("wrong_key", error, meter, listener)
            return None
        except DecodeError as error:
            self._leave_out("bad_frame", error, meter, listener)
            return None
        listener.opened = True
        return said

    def _is_trusted(self, meter: Meter, listener: _Listener, message: Message) -> bool:
        """Hold a message against what the meter proves; raises WrongKey for one in the clear where there is a key."""
        if meter.keys.encryption and not message.mode:
            raise WrongKey("the frame is not ciphered, though the meter has a key", "anybody can send such a frame")
        if message.counter is not None and message.mode:
            if message.counter <= listener.counter:
                self._left_out["replayed"] += 1
                return False
            listener.counter = message.counter
        return True

    def _leave_out(self, reason: str, error: DecodeError, meter: Meter, listener: _Listener) -> None:
        self._left_out[reason] += 1
        if not listener.opened:
            error.meter = meter.id
            raise error

    def _silent(self, meter: Meter, silence: float) -> NoAnswer:
        heard = any(self._air.senders(wanted_of(meter)))
        return SILENT.error(meter, silence, anybody=self._line.port.newest is not None, heard=heard)


def wanted_of(meter: Meter) -> str:
    """Give what a meter's name in the air ends with: its number, or maker and number; raises Refused."""
    hint = 'address = "12345678", the number printed on it, or with its maker: "KAM 12345678"'
    found = number_of(meter, _ADDRESS, hint)
    return (found[1] or "") + found[2]


def _silence(senders: list[Sender]) -> float:
    intervals = [sender.interval for sender in senders if sender.interval is not None]
    return min(max(MISSED * min(intervals), LEAST), MOST) if intervals else SILENCE
