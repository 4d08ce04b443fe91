"""What carries DLMS messages in recorded bytes: frames of HDLC, of M-Bus, of the TCP wrapper, or nothing at all.

1. Bytes are searched for frames that their own checksums prove. One whose two ends are right and whose sums are not is
   given as damaged; what stands between frames is in none.
2. Where there is no frame, all bytes are one message, or the inside of one HDLC frame without its flags.

Each byte is looked at a bounded number of times: a frame's long checksum is counted only where its head is right.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from drivers.analysis import Span
from drivers.contract import DecodeError
from drivers.crc import x25
from drivers.dlms import hdlc
from drivers.dlms.mbus_transport import carries_dlms, piece_of
from drivers.dlms.wrapper import VERSION
from drivers.mbus import frames as mbus

_WRAPPER_HEAD = 8
_SUM = 2


@dataclass(frozen=True, slots=True)
class Carrier:
    """A frame at `data[start:end]` that carries `data[at:till]` of a message. `spans` explain what is around that.

    `line` is who sends on what; `more` whether the message goes on in another frame; `number` counts pieces of M-Bus.
    """

    start: int
    end: int
    at: int
    till: int
    line: object = None
    more: bool = False
    number: int | None = None
    error: str | None = None
    before: tuple[Span, ...] = field(default=())
    behind: tuple[Span, ...] = field(default=())


def carriers(data: bytes) -> Iterator[Carrier]:
    """Find whatever carries a message, in order; at least one."""
    found = False
    at = 0
    while at < len(data):
        carrier = _framed(data, at)
        if carrier is None:
            at += 1
            continue
        found = True
        yield carrier
        at = carrier.end
        # The flag that closes a frame may open the next one.
        shared = data[at - 1] == hdlc.FLAG and data[at : at + 1] != bytes((hdlc.FLAG,)) and carrier.start < at - 1
        at -= shared and _hdlc_end(data, at - 1) is not None
    if not found and data:
        yield _unframed(data)


def _framed(data: bytes, at: int) -> Carrier | None:
    first = data[at]
    if first == hdlc.FLAG:
        return _hdlc(data, at)
    if first == mbus.LONG:
        return _mbus(data, at)
    if first == 0:
        return _wrapper(data, at)
    return None


def _unframed(data: bytes) -> Carrier:
    try:
        frame = hdlc.decode(data)
    except DecodeError:
        return Carrier(0, len(data), 0, len(data))
    return _hdlc_carrier(frame, 0, len(data), 0)


# --- HDLC ------------------------------------------------------------------------------------------------------------


def _hdlc_end(data: bytes, at: int) -> int | None:
    """Give where the frame that opens here ends, flags included; None when there is no closing flag in its place."""
    if at + 3 > len(data) or data[at + 1] & 0xF0 != 0xA0:  # noqa: PLR2004  the format
        return None
    end = at + ((data[at + 1] & 0x07) << 8 | data[at + 2]) + 2
    return end if at + 2 < end <= len(data) and data[end - 1] == hdlc.FLAG else None


def _hdlc(data: bytes, at: int) -> Carrier | None:
    end = _hdlc_end(data, at)
    if end is None:
        return None
    body = data[at + 1 : end - 1]
    error = "the checksum of the head is wrong"
    if _head_is_right(body):
        try:
            return _hdlc_carrier(hdlc.decode(body), at, end, 1)
        except DecodeError as wrong:
            error = wrong.what
    return Carrier(at, end, end, end, error=error, before=(Span(at, end, f"HDLC frame: {error}", known=False),))


def _head_is_right(body: bytes) -> bool:
    """Tell whether the first checksum of a frame holds."""
    at = 2
    for _ in range(2):
        while at < len(body) and not body[at] & 1:
            at += 1
        at += 1
        if at > 2 + 2 * max(hdlc.ADDRESS_LENGTHS):
            return False
    return x25(body[: at + 1]).to_bytes(2, "little") == body[at + 1 : at + 1 + _SUM]


def _hdlc_carrier(frame: hdlc.Frame, start: int, end: int, flag: int) -> Carrier:
    addresses = start + flag + 2
    source = addresses + len(bytes(frame.destination))
    control = source + len(bytes(frame.source))
    information = control + 1 + _SUM
    till = end - flag - _SUM if frame.information else end - flag
    spans: tuple[Span, ...] = (
        Span(start, start + flag, "flag"),
        Span(start + flag, addresses, f"HDLC frame of {end - start - 2 * flag} bytes" + ", goes on" * frame.segmented),
        Span(addresses, source, f"to {_address(frame.destination)}"),
        Span(source, control, f"from {_address(frame.source)}"),
        Span(control, control + 1, f"{frame.kind.name}, {_numbers(frame)}".rstrip(", ")),
        Span(control + 1, information, "checksum of the head, right"),
    )
    behind = (Span(till, end - flag, "checksum, right"), Span(end - flag, end, "flag"))
    line = ("hdlc", frame.source, frame.destination)
    if frame.kind not in (hdlc.Kind.I, hdlc.Kind.UI):
        spans, information = (*spans, Span(information, till, "what the link agrees on")), till
    before, after = (tuple(span for span in group if span.end > span.start) for group in (spans, behind))
    return Carrier(start, end, information, till, line, frame.segmented, None, None, before, after)


def _address(address: hdlc.Address) -> str:
    return str(address.upper) if address.lower is None else f"{address.upper}, device {address.lower}"


def _numbers(frame: hdlc.Frame) -> str:
    if frame.kind is hdlc.Kind.I:
        return f"number {frame.send}, awaits {frame.receive}"
    return f"awaits {frame.receive}" if frame.kind in (hdlc.Kind.RR, hdlc.Kind.RNR, hdlc.Kind.REJ) else ""


# --- M-Bus and wrapper -----------------------------------------------------------------------------------------------


def _mbus(data: bytes, at: int) -> Carrier | None:
    length = mbus.length_of(data[at : at + 4])
    if length is None or at + length > len(data):
        return None
    frame = data[at : at + length]
    if not mbus.is_sound(frame) or not carries_dlms(frame):
        return None
    number, last, _ = piece_of(frame)
    before = (
        Span(at, at + 4, f"M-Bus frame of {length} bytes"),
        Span(at + 4, at + 5, "control"),
        Span(at + 5, at + 6, f"address {frame[5]}"),
        Span(at + 6, at + 7, f"piece {number}" + ", the last" * last),
        Span(at + 7, at + 9, f"from {frame[7]} to {frame[8]}"),
    )
    end = at + length
    behind = (Span(end - 2, end - 1, "checksum, right"), Span(end - 1, end, "end"))
    return Carrier(at, end, at + 9, end - 2, ("mbus", frame[5]), not last, number, None, before, behind)


def _wrapper(data: bytes, at: int) -> Carrier | None:
    """Take a wrapped message whose length fits: to the end of the bytes, or to where the next one begins."""
    head = data[at : at + _WRAPPER_HEAD]
    if len(head) < _WRAPPER_HEAD or int.from_bytes(head[:2], "big") != VERSION:
        return None
    source, destination, length = (int.from_bytes(head[start : start + 2], "big") for start in (2, 4, 6))
    end = at + _WRAPPER_HEAD + length
    following = data[end : end + 2]
    if not length or end > len(data) or (following and following != VERSION.to_bytes(2, "big")):
        return None
    before = (
        Span(at, at + 2, "wrapper of TCP, version 1"),
        Span(at + 2, at + 4, f"from {source}"),
        Span(at + 4, at + 6, f"to {destination}"),
        Span(at + 6, at + 8, f"length: {length}"),
    )
    return Carrier(at, end, at + _WRAPPER_HEAD, end, ("wrapper", source, destination), before=before)
