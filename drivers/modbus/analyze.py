"""What `nabd analyze` makes of recorded Modbus bytes: requests, answers and exceptions, over RTU or TCP.

1. A stream whose frames all have a sound MBAP head is TCP; anything else is searched as RTU, offset by offset, for
   frames whose CRC is right.
2. An answer does not say which registers it holds. The request before it, of the same unit and function, does; an
   answer without one is numbered from `+0`.
3. Every register is a value of 16 bits: which of them belong together only a meter model knows (`readings`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from drivers.analysis import About, Frame, Keys, Span, Value
from drivers.contract import DecodeError, Number
from drivers.modbus.codec import EXCEPTION, Read, TcpFrames, crc16, refused
from drivers.modbus.layout import compile_page
from drivers.profiles import Profile

READS = {3: "holding", 4: "input"}
_FUNCTIONS = {
    1: "read coils", 2: "read discrete inputs", 3: "read holding registers", 4: "read input registers",
    5: "write a coil", 6: "write a register", 15: "write coils", 16: "write registers",
}  # fmt: skip
_ECHOED = (5, 6, 15, 16)
_COUNTED = (1, 2, 3, 4)
_WRITES_MANY = (15, 16)
_MBAP = 6
_SHORTEST_PDU = 2
_REQUEST = 5
"""Bytes of function, address and count."""

FALSE_STARTS = 2000
"""Broken RTU candidates after which the rest is called noise: each costs a CRC over up to 256 bytes."""


@dataclass(frozen=True, slots=True)
class Raw:
    """One frame without its envelope: `pdu` stands at `data[at:]`, `tail` bytes of CRC follow it."""

    start: int
    at: int
    pdu: bytes
    unit: int
    tail: int

    @property
    def end(self) -> int:
        """Where the frame ends in the data."""
        return self.at + len(self.pdu) + self.tail


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame and what it is: a request, or an answer to `read`, or an answer to nothing that was heard."""

    frame: Raw
    read: Read | None
    is_answer: bool

    @property
    def payload(self) -> bytes:
        """The registers' bytes of an answer."""
        return self.frame.pdu[2:] if self.is_answer else b""


def analyze(data: bytes, keys: Keys) -> tuple[Frame, ...]:  # noqa: ARG001  Modbus has no keys
    """Find every frame and explain it; bytes between frames are in none."""
    return tuple(_explain(heard) for heard in listen(data))


def readings(data: bytes, profile: Profile, keys: Keys) -> tuple[Mapping[str, Number], ...]:  # noqa: ARG001
    """Give what the meter model makes of each answer whose request was heard."""
    found = []
    for heard in listen(data):
        read = heard.read
        if read is None or not heard.is_answer:
            continue
        last = read.start + read.count
        rows = [
            row for row in profile.layout.rows
            if row.table == read.function and read.start <= row.span.start and row.span.end <= last
        ]  # fmt: skip
        values = compile_page(read, rows, profile.layout.order).decode(heard.payload) if rows else {}
        if values:
            found.append(values)
    return tuple(found)


def listen(data: bytes) -> Iterator[Heard]:
    """Give the frames in order, each answer with its request."""
    asked: dict[tuple[int, int], Read] = {}
    for frame in _tcp(data) or _rtu(data):
        function = frame.pdu[0]
        key = (frame.unit, function & ~EXCEPTION)
        if function not in _COUNTED:
            yield Heard(frame, None, is_answer=bool(function & EXCEPTION))
            continue
        read = asked.get(key)
        size = frame.pdu[1]
        counted = len(frame.pdu) == size + 2
        # Five bytes may be a request or an answer of three; an answer of registers has an even count.
        if counted and not (size % 2 and function in READS) and (len(frame.pdu) != _REQUEST or read):
            fits = read is not None and size == _size(read)
            yield Heard(frame, read if fits else None, is_answer=True)
            asked.pop(key, None)
        else:
            asked[key] = Read(function, _word(frame.pdu, 1), _word(frame.pdu, 3))
            yield Heard(frame, asked[key], is_answer=False)


def _size(read: Read) -> int:
    return 2 * read.count if read.function in READS else (read.count + 7) // 8


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


# --- finding frames --------------------------------------------------------------------------------------------------


def _tcp(data: bytes) -> list[Raw]:
    """Cut a stream of MBAP frames; nothing when it is none."""
    try:
        frames = TcpFrames().feed(data)
    except DecodeError:
        return []
    found, at = [], 0
    for frame in frames:
        if len(frame) < _MBAP + 1 + _SHORTEST_PDU:
            return []
        found.append(Raw(at, at + _MBAP + 1, frame[_MBAP + 1 :], frame[_MBAP], tail=0))
        at += len(frame)
    return found


def _rtu(data: bytes) -> list[Raw]:
    found, at, wrong = [], 0, 0
    while at < len(data) - 4 and wrong < FALSE_STARTS:
        lengths = [length for length in _lengths(data, at) if at + length <= len(data)]
        for length in lengths:
            frame = data[at : at + length]
            if crc16(frame[:-2]) == frame[-2:]:
                found.append(Raw(at, at + 1, frame[1:-2], frame[0], tail=2))
                at += length
                break
        else:
            wrong += len(lengths)
            at += 1
    return found


def _lengths(data: bytes, at: int) -> tuple[int, ...]:
    """Give the lengths a frame that starts here could have, the whole RTU frame with its CRC."""
    function, size = data[at + 1], data[at + 2]
    if function & ~EXCEPTION not in _FUNCTIONS:
        return ()
    if function & EXCEPTION:
        return (5,)
    if function in _COUNTED:
        return (8, 5 + size)
    if function in _WRITES_MANY and at + 6 < len(data):
        return (8, 9 + data[at + 6])
    return (8,)


# --- explaining them -------------------------------------------------------------------------------------------------


def _explain(heard: Heard) -> Frame:
    frame = heard.frame
    function = frame.pdu[0]
    name = _FUNCTIONS.get(function & ~EXCEPTION)
    about = About(id=f"unit {frame.unit}")
    error = None if name else f"function {function} is unknown"
    spans = (*_head(frame, name or "unknown function"), *_body(heard), *_tail(frame))
    return Frame(frame.start, frame.end, error, about, tuple(_values(heard)), spans)


def _head(frame: Raw, name: str) -> Iterator[Span]:
    if frame.at - frame.start > 1:
        yield Span(frame.start, frame.start + 2, "transaction")
        yield Span(frame.start + 2, frame.start + 4, "protocol 0: Modbus")
        yield Span(frame.start + 4, frame.start + 6, f"length: {len(frame.pdu) + 1} bytes follow")
    yield Span(frame.at - 1, frame.at, f"unit {frame.unit}")
    yield Span(frame.at, frame.at + 1, name + (" refused" if frame.pdu[0] & EXCEPTION else ""))


def _body(heard: Heard) -> Iterator[Span]:
    frame, at = heard.frame, heard.frame.at + 1
    end = frame.at + len(frame.pdu)
    function = frame.pdu[0]
    if function & EXCEPTION:
        yield Span(at, at + 1, refused(frame.pdu[1]).what)
    elif heard.is_answer and function in READS:
        yield Span(at, at + 1, f"{len(heard.payload)} bytes follow")
        for number in range(0, len(heard.payload), 2):
            where = _register(heard.read, number // 2)
            yield Span(at + 1 + number, at + 3 + number, f"{where}: {_word(heard.payload, number)}", depth=1)
    elif heard.read and not heard.is_answer:
        yield Span(at, at + 2, f"from address {heard.read.start}")
        yield Span(at + 2, at + 4, f"{heard.read.count} of them")
    elif function in _ECHOED:
        yield Span(at, at + 2, f"address {_word(frame.pdu, 1)}")
        yield Span(at + 2, end, "what is written")
    else:
        yield Span(at, end, "data", known=function in _COUNTED)


def _tail(frame: Raw) -> Iterator[Span]:
    if frame.tail:
        yield Span(frame.end - frame.tail, frame.end, "CRC-16, right")


def _register(read: Read | None, number: int) -> str:
    return f"register {read.start + number}" if read else f"register +{number}"


def _values(heard: Heard) -> Iterator[Value]:
    function = heard.frame.pdu[0]
    if not heard.is_answer or function not in READS:
        return
    for number in range(0, len(heard.payload), 2):
        where = _register(heard.read, number // 2).removeprefix("register ")
        yield Value(f"{READS[function]} {where}", _word(heard.payload, number))
