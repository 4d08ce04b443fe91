"""Finds the Modbus meters of a line or host and names them; only ever reads. No I/O.

1. A few addresses are knocked at in every usual speed and framing. Whatever answers, be it with a refusal, tells both.
2. At that speed every other address is asked once, with little patience. An answer that comes late names its unit; one
   that collides with our next request leaves rubbish, so the units asked just before are asked again, patiently.
3. Every unit that answered is named (naming.py).
4. Only where nobody answered the knocking, every address is asked at the most usual speeds.

A Modbus TCP host is asked by the unit ids in use; one that answers for every unit is one meter.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from drivers.contract import DecodeError, Refused
from drivers.link import Line
from drivers.modbus.codec import (
    EXCEPTION,
    Read,
    RtuSearch,
    TcpFrames,
    crc16,
    judge,
    rtu_length,
    rtu_request,
    tcp_head,
    tcp_request,
)  # fmt: skip
from drivers.modbus.layout import INPUT
from drivers.modbus.naming import Model, Named, name
from drivers.modbus.plan import Wire
from drivers.scan import Ask, Found, Script, framing_of

LINES = tuple(
    Line(baud, 8, parity, 1)
    for baud, parity in (
        (9600, "N"), (19_200, "E"), (9600, "E"), (19_200, "N"), (2400, "N"), (38_400, "N"), (4800, "N"), (115_200, "N"),
    )
)  # fmt: skip
"""Most usual first: makers deliver 9600 8N1, the standard's default is 19200 8E1."""

THOROUGH = LINES[:4]
"""Where all addresses are asked when nobody answered the knocking."""

KNOCK = Read(INPUT, 0, 2)
"""What every meter answers: with two registers, or by saying that it has none there."""

DOORS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 20, 100)
"""Addresses as delivered, and as installers give them."""

UNITS = range(1, 248)
HASTE = 0.05
"""Seconds for the first byte of an answer while all addresses are asked; most meters take 5 to 30 ms."""

PATIENCE = 0.5
"""Seconds where somebody is known to be."""

BEFORE = 8
"""Units asked last, one of which may have answered too late: they cover PATIENCE at HASTE."""

REQUEST = 8
"""Bytes of a request for registers."""

READS = (3, 4)
"""Functions that read registers."""

TRIES = 2
DEAF = 3
"""Reads in a row without an answer after which a unit is left alone."""

TCP_DOORS = (1, 255, 2, 3, 4, 5, 6, 7, 8, 9, 10)
TCP_WAIT = 1.2
"""Seconds for one unit: a gateway waits a second for a silent one, and the next request waits behind it."""

ANY_UNIT = (1, 113, 217)
"""Three units that one host has only when it answers for all."""

_NAMING = 0.8
"""Seconds that naming one meter takes, about, for the time left."""


@dataclass
class Rtu:
    """Requests and answers of a serial line."""

    line: Line

    def request(self, unit: int, read: Read) -> bytes:
        """Make a request."""
        return rtu_request(unit, read)

    def answer(self, unit: int, read: Read, heard: bytes) -> bytes | int | None:
        """Give an answer's registers, the code of a refusal, or None."""
        try:
            return RtuSearch(unit, read, Counter()).feed(heard)
        except Refused as error:
            return error.code
        except DecodeError:
            return None


@dataclass
class Tcp:
    """Requests and answers of a Modbus TCP host."""

    line: Line = LINES[0]
    _number: int = field(default=0)

    def request(self, unit: int, read: Read) -> bytes:
        """Make a request with a number of its own."""
        self._number = (self._number + 1) & 0xFFFF
        return tcp_request(self._number, unit, read)

    def answer(self, unit: int, read: Read, heard: bytes) -> bytes | int | None:
        """Give the last request's answer: registers, the code of a refusal, or None."""
        head = tcp_head(self._number, unit, read)
        try:
            for frame in TcpFrames().feed(heard):
                if frame[:2] == head[:2]:
                    return judge(frame, head)
        except Refused as error:
            return error.code
        except DecodeError:
            pass
        return None


NO_WAY = (10, 11)
"""Refusals of a gateway, behind which nobody is."""


def serial(models: Sequence[Model], lines: Sequence[Line] = LINES) -> Script[list[Found]]:
    """Find every meter of a serial line."""
    for number, line in enumerate(lines):
        rest = 0.08 * len(DOORS) * (len(lines) - number)
        present = yield from _sweep(line, DOORS, f"Modbus at {line.baud} {framing_of(line)}", rest)
        if present:
            return (yield from _all_of(line, models, present))
    return []


def thorough(models: Sequence[Model], lines: Sequence[Line] = THOROUGH) -> Script[list[Found]]:
    """Ask every address in the most usual settings, for a line on which nobody answered the knocking."""
    for number, line in enumerate(lines):
        others = [unit for unit in UNITS if unit not in DOORS]
        rest = 0.065 * len(others) * (len(lines) - 1 - number)
        what = f"Modbus, every address at {line.baud} {framing_of(line)}"
        present = yield from _sweep(line, others, what, rest)
        if present:
            return (yield from _name_all(Rtu(line), models, sorted(present)))
    return []


def host(models: Sequence[Model]) -> Script[list[Found]]:
    """Find every meter of a Modbus TCP host."""
    tcp = Tcp()
    present: list[int] = []
    units = (*ANY_UNIT, *TCP_DOORS[1:])
    for number, unit in enumerate(units):
        left = TCP_WAIT * (len(units) - number)
        answer = yield from _read(tcp, unit, KNOCK, TCP_WAIT, "Modbus TCP units", left, tries=1)
        if answer is not None and answer not in NO_WAY:
            present.append(unit)
        if set(ANY_UNIT) <= set(present):
            break
    if set(ANY_UNIT) <= set(present):
        present = [1]
    return (yield from _name_all(tcp, models, sorted(present)))


# --- who is there ----------------------------------------------------------------------------------------------------


def _all_of(line: Line, models: Sequence[Model], present: set[int]) -> Script[list[Found]]:
    others = [unit for unit in UNITS if unit not in DOORS]
    what = f"Modbus addresses at {line.baud} {framing_of(line)}"
    present |= yield from _sweep(line, others, what, _NAMING * len(present), final=True)
    return (yield from _name_all(Rtu(line), models, sorted(present)))


def _sweep(line: Line, units: Sequence[int], doing: str, later: float, *, final: bool = False) -> Script[set[int]]:
    """Ask every unit once, and those again that may have answered too late; `later` are the seconds after that."""
    present: set[int] = set()
    doubtful: set[int] = set()
    each = HASTE + (12 + 8) * line.character
    for number, unit in enumerate(units):
        left = each * (len(units) - number) + later
        heard = yield Ask(rtu_request(unit, KNOCK), line, HASTE, doing, whole=_is_somebody, left=left, final=final)
        who = speakers(heard)
        present |= who
        if heard and unit not in who:
            doubtful |= set(units[max(0, number - BEFORE) : number + 1])
    for unit in sorted(doubtful - present):
        if (yield from _read(Rtu(line), unit, KNOCK, PATIENCE, doing)) is not None:
            present.add(unit)
    return present & set(UNITS)


def _is_somebody(heard: bytes) -> bool:
    return bool(speakers(heard))


def speakers(heard: bytes) -> set[int]:
    """Name every unit whose answer to the knocking is in what came, on time or late."""
    found = set()
    size = rtu_length(KNOCK)
    for at in range(len(heard) - 4):
        function, third = heard[at + 1], heard[at + 2]
        shown = size if (function, third) == (KNOCK.function, 2 * KNOCK.count) else 0
        length = 5 if function == KNOCK.function | EXCEPTION else shown
        frame = heard[at : at + length]
        if length and len(frame) == length and crc16(frame[:-2]) == frame[-2:]:
            found.add(heard[at])
    return found


def overheard(heard: bytes) -> int:
    """Count the requests of another reader in what came unasked."""
    frames = (heard[at : at + REQUEST] for at in range(len(heard) - REQUEST + 1))
    return sum(frame[1] in READS and 0 < frame[0] < UNITS.stop and crc16(frame[:-2]) == frame[-2:] for frame in frames)


# --- what they are ---------------------------------------------------------------------------------------------------


def _name_all(way: Rtu | Tcp, models: Sequence[Model], units: Iterable[int]) -> Script[list[Found]]:
    found: list[Found] = []
    waiting = list(units)
    while waiting:
        unit = waiting.pop(0)
        doing = f"Modbus: naming address {unit}"
        named = yield from _name(way, unit, models, doing, _NAMING * (len(waiting) + 1))
        if named is not None:
            found.append(_found(way, unit, named))
    return found


def _name(way: Rtu | Tcp, unit: int, models: Sequence[Model], doing: str, left: float) -> Script[Named | None]:
    """Name one unit; None for one that never answers again, so that nobody was there."""
    wants = name(models, Wire(way.line.character))
    answer: bytes | None = None
    silent, ever = 0, False
    try:
        read = next(wants)
        while True:
            heard = None if silent >= DEAF else (yield from _read(way, unit, read, PATIENCE, doing, left))
            silent = silent + 1 if heard is None else 0
            ever = ever or heard is not None
            answer = heard if isinstance(heard, bytes) else None
            read = wants.send(answer)
    except StopIteration as end:
        named: Named = end.value
        return named if ever else None


def _read(
    way: Rtu | Tcp, unit: int, read: Read, wait: float, doing: str, left: float = 0.0, *, tries: int = TRIES
) -> Script[bytes | int | None]:
    """Ask until there is an answer: registers, or the code of a refusal."""
    for _ in range(tries):
        request = way.request(unit, read)
        heard = yield Ask(
            request, way.line, wait, doing, whole=lambda heard: way.answer(unit, read, heard) is not None,
            left=left, final=left > 0,
        )  # fmt: skip
        answer = way.answer(unit, read, heard)
        if answer is not None:
            return answer
    return None


def _found(way: Rtu | Tcp, unit: int, named: Named) -> Found:
    first = named.models[0] if named.models else None
    return Found(
        "modbus",
        first.name if first else None,
        first.title if first else "a Modbus device",
        named.confidence,
        named.evidence,
        way.line if isinstance(way, Rtu) else None,
        unit,
        others=tuple(model.name for model in named.models[1:]),
    )
