"""Lines with simulated meters in memory, for searches: no loop, no clock; time is counted from characters and waits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol, TypeVar

from drivers.link import Line
from drivers.modbus.codec import crc16
from drivers.profiles import available, load
from drivers.quantities import QUANTITIES
from drivers.scan import Ask, Script
from simulator.mbus_server import MbusMeter, MbusServer
from simulator.meters import VirtualMeter, modbus_meter

T = TypeVar("T")

TURNAROUND = 0.02
WIDEST = 4
"""Registers of the widest value."""


class Bus(Protocol):
    """What hangs on a port."""

    def answer(self, ask: Ask) -> bytes:
        """Give what comes after a request, or what is heard where nothing is asked."""


def drive(script: Script[T], bus: Bus) -> tuple[T, float]:
    """Run a search to its end; give what it found, and the seconds it would have taken."""
    seconds = 0.0
    try:
        ask = next(script)
        while True:
            heard = bus.answer(ask)
            seconds += len(ask.request) * ask.line.character
            whole = bool(heard) and ask.whole(heard)
            waited = TURNAROUND + len(heard) * ask.line.character + (0.0 if whole else ask.rest)
            seconds += waited if heard and ask.request else ask.wait
            ask = script.send(heard)
    except StopIteration as end:
        result: T = end.value
        return result, seconds


class Silence:
    """Nobody."""

    def answer(self, _ask: Ask) -> bytes:
        """Keep silent."""
        return b""


@dataclass
class Talker:
    """A meter that says the same thing again and again, at one speed; at others there is rubbish."""

    line: Line
    telegram: bytes

    def answer(self, ask: Ask) -> bytes:
        """Talk, whether asked or not."""
        same = ask.line.baud == self.line.baud
        return self.telegram * 2 if same else bytes(byte ^ 0xA5 | 0x80 for byte in self.telegram)


@dataclass
class ModbusBus:
    """Meters of one RTU line; only what is said in its own speed and framing is heard.

    `registers` answers for a unit by itself: function, start, count to bytes, or None for a refusal. Units in `late`
    answer when the next one is asked; `noise` is the part of answers that come with a turned bit.
    """

    line: Line
    meters: Mapping[int, Callable[[int, int, int], bytes | None]]
    late: frozenset[int] = frozenset()
    noise: float = 0.0
    dice: Random = field(default_factory=lambda: Random(0))
    asked: list[bytes] = field(default_factory=list)
    _pending: bytes = b""

    def answer(self, ask: Ask) -> bytes:
        """Answer as the meters would."""
        before, self._pending = self._pending, b""
        if not ask.request:
            return before
        self.asked.append(ask.request)
        said = self._said(ask)
        if said and ask.request[0] in self.late and ask.wait < 0.3:
            self._pending = said
            return before
        return before + said

    def _said(self, ask: Ask) -> bytes:
        unit, function = ask.request[0], ask.request[1]
        if ask.line != self.line or len(ask.request) != 8 or crc16(ask.request[:-2]) != ask.request[-2:]:
            return b""
        if unit not in self.meters:
            return b""
        start, count = int.from_bytes(ask.request[2:4], "big"), int.from_bytes(ask.request[4:6], "big")
        data = self.meters[unit](function, start, count)
        body = bytes((unit, function | 0x80, 2)) if data is None else bytes((unit, function, len(data))) + data
        frame = body + crc16(body)
        if self.dice.random() < self.noise:
            at = self.dice.randrange(len(frame))
            frame = frame[:at] + bytes((frame[at] ^ 1 << self.dice.randrange(8),)) + frame[at + 1 :]
        return frame


@dataclass
class MbusBus:
    """Meters of one M-Bus line at one speed."""

    line: Line
    server: MbusServer

    def answer(self, ask: Ask) -> bytes:
        """Answer what is an M-Bus request at this speed."""
        whole = ask.request[:1] in (b"\x10", b"\x68") and ask.request[-1:] == b"\x16"
        return self.server.answer(ask.request) if whole and ask.line == self.line else b""


# --- meters ----------------------------------------------------------------------------------------------------------

_RANGES = {
    "V": (222, 241), "Hz": (49.9, 50.1), "A": (0.2, 40), "W": (20, 9000), "var": (10, 2000), "VA": (30, 9500),
    "1": (0.8, 0.99), "Wh": (1e6, 9e7), "varh": (1e5, 9e6), "l": (1e5, 9e6), "l/h": (10, 900), "C": (20, 80),
    "s": (1e7, 2e8),
}  # fmt: skip


def modbus_profiles() -> list[str]:
    """Name every Modbus model that is shipped."""
    return [name for name in available() if load(name).driver == "modbus"]


def served(name: str, dice: Random, address: int) -> Callable[[int, int, int], bytes | None]:
    """Make a meter of a model, with values such as a meter shows."""
    values = {key: dice.uniform(*_RANGES[row.unit]) for key, row in QUANTITIES.items()}
    return reader_of(modbus_meter(load(name), lambda: values, address))


def reader_of(meter: VirtualMeter) -> Callable[[int, int, int], bytes | None]:
    """Serve a virtual meter's registers."""
    spans = {function: meter.spans(function) for function in (3, 4)}
    constants = {
        (row.function, row.at + number): word for row in meter.constants for number, word in enumerate(row.words)
    }

    def read(function: int, start: int, count: int) -> bytes | None:
        places = range(start, start + count)
        there = [(function, at) in constants or any(at in span for span in spans.get(function, ())) for at in places]
        if function not in (3, 4) or not all(there):
            return None
        block = [0] * (count + 2 * WIDEST)  # values may reach beyond what is asked
        meter.refresh(function, places, block, start - WIDEST)
        words = [constants.get((function, at), block[at - start + WIDEST]) for at in places]
        return b"".join(word.to_bytes(2, "big") for word in words)

    return read


def stranger(dice: Random, codes: Mapping[tuple[int, int], bytes]) -> Callable[[int, int, int], bytes | None]:
    """Make a device no profile knows: every register holds something, a model's code perhaps among them."""
    seed = dice.random()
    fixed = {(function, at + n): data[2 * n : 2 * n + 2] for (function, at), data in codes.items() for n in (0, 1)}

    def read(function: int, start: int, count: int) -> bytes | None:
        if function not in (3, 4):
            return None
        return b"".join(_word(fixed, seed, function, at) for at in range(start, start + count))

    return read


def _word(fixed: Mapping[tuple[int, int], bytes], seed: float, function: int, at: int) -> bytes:
    return fixed.get((function, at)) or Random(f"{seed} {function} {at}").randbytes(2)


MEDIA = {
    0x02: ("mbus-electricity", "energy_import"), 0x03: ("mbus-gas", "gas_volume"),
    0x04: ("mbus-heat", "energy_import"), 0x07: ("mbus-water", "water_volume"),
}  # fmt: skip
"""What an M-Bus meter says it measures: the model that reads it, and what it has to tell."""


def mbus_meter(dice: Random, primary: int, medium: int) -> MbusMeter:
    """Make an M-Bus meter with a number and a maker of its own."""
    number = f"{dice.randrange(10**8):08d}"
    maker = "".join(dice.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(3))
    values = {MEDIA[medium][1]: dice.uniform(1e4, 1e7)}
    return MbusMeter(primary, number, medium, lambda: values, maker)
