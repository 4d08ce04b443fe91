"""Lines of an S0PCM, a counter of pulses on a serial port. Bytes in, telegrams out.

    ID:8237:I:10:M1:2:1042:M2:0:50

1. `ID` is the module's number, `I` the seconds since the line before; then two numbers for each input: pulses in that
   time, and pulses since the module was powered. Modules have two or five inputs.
2. A line that begins with `/` tells the module's version, and is no telegram.
3. There is no checksum: a line counts only when all of it is of this form, and no input's total less than its pulses.
"""

import re
from collections import Counter
from dataclasses import dataclass

from drivers.contract import DecodeError

_ASCII = bytes(10 if byte & 0x7F == 13 else byte & 0x7F for byte in range(256))  # noqa: PLR2004  CR is LF
"""Bytes without their parity, which an adapter that knows 8N1 only leaves in."""

LIMIT = 512
"""Bytes of a line: five inputs with the longest numbers take 130."""

_LINE = re.compile(rb"ID:(\d{1,10}):I:(\d{1,5})((?::M[1-9]:\d{1,10}:\d{1,10}){1,9})", re.ASCII)
_INPUT = re.compile(rb":M(\d):(\d+):(\d+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Telegram:
    """One line; `inputs` gives the pulses of the interval and the total of each input."""

    module: str
    interval: int
    inputs: dict[int, tuple[int, int]]


def decode(line: bytes) -> Telegram:
    """Read one line without its end; raises DecodeError."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise DecodeError("no line of an S0PCM", "does the port have 9600 baud, 7E1?")
    inputs = {int(number): (int(pulses), int(total)) for number, pulses, total in _INPUT.findall(found[3])}
    if len(inputs) < found[3].count(b"M") or any(pulses > total for pulses, total in inputs.values()):
        raise DecodeError("a line of an S0PCM that contradicts itself", "is the line disturbed?")
    return Telegram(found[1].decode(), int(found[2]), inputs)


class Decoder:
    """Finds lines in a stream of bytes; never raises. `counters` has what was left out: `bad_line`, `long_line`."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self._rest = b""
        self._begun = False

    def feed(self, data: bytes) -> list[Telegram]:
        """Take the next bytes and give the telegrams they complete."""
        *lines, self._rest = (self._rest + data.translate(_ASCII)).split(b"\n")
        if len(self._rest) > LIMIT:
            self._rest = b""
            self._begun = False
            self.counters["long_line"] += 1
        return [telegram for line in lines if (telegram := self._take(line))]

    def _take(self, line: bytes) -> Telegram | None:
        # The first line may be the rest of one that began before the port was open.
        begun, self._begun = self._begun, True
        if not line or line.startswith(b"/"):
            return None
        try:
            return decode(line)
        except DecodeError:
            self.counters["bad_line"] += begun
            return None
