"""The order in which a port is searched, so that what lives there is found in the least time. No I/O.

1. Listen. Bytes come at any speed, if only as rubbish, so one short listen tells whether something talks by itself.
2. What talks is listened to at the speeds of its kind until a whole telegram is understood: P1, SML, IEC 62056-21,
   wireless M-Bus. A line on which another reader asks, or nobody knows who talks, is not asked by us.
3. A silent line is asked: Modbus, M-Bus, IEC 62056-21, DLMS. The first that answers is the line's language.
4. Where nobody answered, every Modbus address is asked, and at last the line is listened to once more. What was heard
   while nobody answered is something that talks now and then: it is listened to at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from drivers.dlms import scan as dlms
from drivers.iec62056 import scan as iec62056
from drivers.link import Line
from drivers.mbus import scan as mbus
from drivers.modbus import scan as modbus
from drivers.modbus.naming import Model
from drivers.p1 import scan as p1
from drivers.profiles import Profile
from drivers.scan import Found, Script, framing_of, listen
from drivers.sml import scan as sml
from drivers.wmbus import scan as wmbus

T = TypeVar("T")

FIRST, LAST = 2.2, 11.0
"""Seconds of listening: SML and the newer P1 talk every second or two, the older P1 every ten."""

SLICE = 1.1
"""Seconds after which what came is looked at."""

TALK = 24
"""Bytes that are no chance: a line without termination catches a few."""

KEPT = 32_768
"""Bytes looked at: two of the longest telegrams, and three seconds of the fastest line."""

THOROUGH = 62.0

TALKERS = tuple(
    Line(baud, 8, "N", 1) for baud in (9600, 115_200, 2400, 57_600, 38_400)
)  # fmt: skip
"""Speeds at which something may talk by itself, in the order they are tried; seven bits are read in software."""


@dataclass(frozen=True)
class Book:
    """The meter models that a search knows."""

    modbus: Sequence[Model] = ()
    mbus: Sequence[Profile] = ()


@dataclass
class Result:
    """What a port holds: its meters, and what else an installer should know."""

    found: list[Found] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def serial(book: Book, *, thorough: bool = True) -> Script[Result]:
    """Search a serial line."""
    later = LAST + (THOROUGH if thorough else 0.0)
    heard = yield from _after(_listen(TALKERS[0], FIRST), 16.0 + later)
    if len(heard) >= TALK:
        return (yield from _talking(heard))
    stages: tuple[tuple[Callable[[], Script[list[Found]]], float], ...] = (
        (lambda: modbus.serial(book.modbus), 9.0),
        (lambda: mbus.wired(book.mbus), 3.0),
        (iec62056.asked, 2.0),
        (dlms.asked, 3.0),
    )
    for number, (stage, _) in enumerate(stages):
        stray: list[bytes] = []
        rest = sum(seconds for _, seconds in stages[number + 1 :])
        found = yield from _noting(_after(stage(), rest + later), stray)
        if found:
            return Result(found)
        if len(b"".join(stray)) >= TALK:  # nobody we asked: something that talks now and then
            return (yield from _talking(b""))
    if thorough:
        found = yield from _after(modbus.thorough(book.modbus), LAST)
        if found:
            return Result(found)
    heard = yield from _listen(TALKERS[0], LAST)
    return (yield from _talking(heard)) if len(heard) >= TALK else Result()


def gateway(book: Book) -> Script[Result]:
    """Search a serial line behind a transparent TCP gateway, whose speed is set there."""
    found = yield from modbus.serial(book.modbus, modbus.LINES[:1])
    return Result([replace(one, line=None) for one in found])


def modbus_host(book: Book) -> Script[Result]:
    """Search a Modbus TCP host."""
    return Result((yield from modbus.host(book.modbus)))


def dlms_host(_book: Book) -> Script[Result]:
    """Search a DLMS host."""
    return Result((yield from dlms.host()))


def recognise(heard: bytes, line: Line) -> list[Found]:
    """Find what talks by itself in what came at one speed."""
    for known in (p1.recognise, sml.recognise, iec62056.recognise):
        one = known(heard, line)
        if one is not None:
            return [one]
    return wmbus.recognise(heard, line)


def _talking(first: bytes) -> Script[Result]:
    heard = first
    for number, line in enumerate(TALKERS):
        rest = LAST * (len(TALKERS) - number - 1)
        for slices in range(round(LAST / SLICE)):
            found = recognise(heard[-KEPT:], line)
            if found:
                return Result(found)
            if modbus.overheard(heard) > 1:
                where = f"{line.baud} {framing_of(line)}"
                return Result(notes=[f"another reader asks Modbus meters here at {where}: two cannot share a line"])
            left = rest + LAST - slices * SLICE
            heard += yield from _after(_listen(line, SLICE), left)
        heard = b""
    return Result(notes=["something talks here in a way we do not know, so it was not asked"])


def _listen(line: Line, seconds: float) -> Script[bytes]:
    heard = yield listen(line, seconds, f"listening at {line.baud}")
    return heard


def _after(script: Script[T], later: float) -> Script[T]:
    """Run a script whose time left is not all: `later` seconds follow."""
    try:
        ask = next(script)
        while True:
            ask = script.send((yield ask if ask.final else replace(ask, left=ask.left + later)))
    except StopIteration as end:
        result: T = end.value
        return result


def _noting(script: Script[T], stray: list[bytes]) -> Script[T]:
    """Run a script and note what it heard."""
    try:
        ask = next(script)
        while True:
            heard = yield ask
            stray.append(heard)
            ask = script.send(heard)
    except StopIteration as end:
        result: T = end.value
        return result
