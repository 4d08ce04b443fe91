"""How a search for meters is written: as a script that says what to send and what to wait for. No I/O.

1. A script is a generator. It yields an `Ask`, is sent the bytes that came (none for silence), and returns finds.
2. Whoever runs it owns the port and the clock: `gateway/scan/port.py` on a real line, a test in memory.
3. Scripts only read. What they found is a `Found`, with how sure that is and why.

Each `drivers/<protocol>/scan.py` has such scripts, or recognises its meters in what a line says by itself.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal, TypeVar

from drivers.link import Line

T = TypeVar("T")

Confidence = Literal["sure", "likely", "something"]
"""sure: the meter itself says so, and its values agree · likely: of all models we know only this one fits · something:
a meter is there; `others` are the models that fit as well"""

PAUSE = 0.06
"""Seconds of silence inside an answer after which it is over: USB adapters and gateways deliver in chunks."""


def _never(_heard: bytes) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Ask:
    """One exchange: what is sent on which line, and how long an answer may take.

    `request` may be empty: then it is only listened. `wait` are the seconds to the first byte, `rest` those of silence
    after which the answer is over, `most` those it may take from its first byte. `whole` tells that it is complete.
    `doing` says for people what is done, `left` for how many seconds more, about; `final` that nothing else follows.
    """

    request: bytes
    line: Line
    wait: float
    doing: str
    whole: Callable[[bytes], bool] = _never
    rest: float = PAUSE
    most: float = 2.0
    left: float = 0.0
    final: bool = False


Script = Generator[Ask, bytes, T]


@dataclass(frozen=True, slots=True)
class Found:
    """One meter: what it speaks, what it is, how sure that is, and the evidence.

    `profile` is the meter model to configure, None where none of ours fits; `model` is its title or what the meter says
    of itself. `line` is None where speed and framing do not matter.
    """

    driver: str
    profile: str | None
    model: str
    confidence: Confidence
    evidence: tuple[str, ...]
    line: Line | None = None
    address: int | str | None = None
    serial: str | None = None
    others: tuple[str, ...] = ()


def listen(line: Line, seconds: float, doing: str, whole: Callable[[bytes], bool] = _never) -> Ask:
    """Make an exchange that only listens, for so long or until it is enough."""
    return Ask(b"", line, seconds, doing, whole, rest=seconds, most=seconds, left=seconds)


def framing_of(line: Line) -> str:
    """Write data bits, parity and stop bits as 8N1."""
    return f"{line.bits}{line.parity}{line.stop}"
