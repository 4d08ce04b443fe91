"""The messages of an SML file: which values a meter listed, and whether each message is whole.

1. A message is a list of six: transaction, group, abort rule, body, checksum, and a zero at its end. The checksum is
   over everything before it, and of one kind in all messages of a file: CRC-16/X.25, or CRC-16/Kermit.
2. A body is a number that says what it is, and its fields. Only lists of values (`GetList.Res`) count here; what opens
   and closes a file says nothing of its own.
3. An entry of a list is seven fields: code, status, time, unit, scaler, value, signature; all but code and value may be
   left out. An entry that is shaped otherwise is left out and counted.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from drivers.contract import DecodeError
from drivers.crc import kermit, x25
from drivers.sml.element import Element, elements

if TYPE_CHECKING:
    from collections.abc import Callable

GET_LIST_RESPONSE = 0x0701
MESSAGE = 0x76
END_OF_MESSAGE = 0x00
ENTRY_FIELDS = 7
SCALERS = range(-128, 128)
"""A scaler is an integer of one byte; more would make numbers without end."""

# Optical ports exist since 2007. Clocks that were never set count from 1970, and some from the start of the meter.
_TIMES = range(1_167_609_600, 2**32)
_TIMESTAMP, _LOCAL_TIMESTAMP = 2, 3
_DAY = 24 * 60


@dataclass
class Damaged(DecodeError):  # noqa: N818  a file is damaged, as one says
    """Bytes that are no SML file; `reason` is the word to count it by."""

    reason: str = "malformed"


class Moment(NamedTuple):
    """A point in time as unix seconds; `offset` is the minutes of the meter's local time, None where it told none."""

    unix: int
    offset: int | None = None


class Entry(NamedTuple):
    """One value of a list: its six-byte code, the number of its unit, its power of ten; an entry is made in a hurry.

    `value` is as on the wire: an integer before its scaler, bytes, a truth value, or a structure.
    """

    code: bytes
    status: int | None
    at: Moment | None
    unit: int | None
    scaler: int
    value: Element


@dataclass(frozen=True, slots=True)
class Telegram:
    """What a meter said at once: its id as bytes, its clock where it has one, and the entries of all lists."""

    server: bytes
    at: Moment | None
    entries: tuple[Entry, ...]
    unreadable: int = 0


def read_file(data: bytes) -> Telegram:
    """Read the messages of an unescaped file; raises Damaged."""
    checksums: list[Callable[[bytes], int]] = [x25, kermit]
    server, time, entries, unreadable = b"", None, [], 0
    at = 0
    while at < len(data):
        if data[at] == 0:  # padding
            at += 1
            continue
        body, checksum, proven, at = read_message(data, at)
        checksums = [check for check in checksums if check(proven) == checksum]
        if not checksums:
            raise Damaged("a message with a wrong checksum", reason="bad_message_crc")
        match body:
            case (int(kind), (_, said_server, _, said_time, tuple(listed), *_)) if kind == GET_LIST_RESPONSE:
                read = [entry for entry in map(_entry, listed) if entry is not None]
                entries += read
                unreadable += len(listed) - len(read)
                server = server or (said_server if isinstance(said_server, bytes) else b"")
                time = time or moment(said_time)
    return Telegram(server, time, tuple(entries), unreadable)


def read_message(data: bytes, at: int) -> tuple[Element, int, bytes, int]:
    """Read the message at `at`: its body, its checksum and the bytes it is over, and where the next one begins.

    Raises Damaged.
    """
    if data[at] != MESSAGE:
        raise Damaged("no message where one should begin")
    try:
        (_, _, _, body), end = elements(data, at + 1, 4)
        (checksum,), after = elements(data, end, 1)
        last = data[after]
    except (DecodeError, IndexError) as error:
        raise Damaged(str(error)) from error
    if not isinstance(checksum, int) or last != END_OF_MESSAGE or checksum not in range(0x10000):
        raise Damaged("a message without its end")
    # Its low byte comes first, unlike any other number's.
    return body, (checksum & 0xFF) << 8 | checksum >> 8, data[at:end], after + 1


def _entry(fields: Any) -> Entry | None:
    if not isinstance(fields, tuple) or len(fields) != ENTRY_FIELDS:
        return None
    code, status, time, unit, scaler, value, _ = fields
    if scaler is None:
        scaler = 0
    if type(code) is not bytes or len(code) != 6 or value is None:  # noqa: PLR2004  A-B:C.D.E*F
        return None
    if not isinstance(scaler, int) or scaler not in SCALERS:
        return None
    return Entry(
        code,
        status if isinstance(status, int) else None,
        None if time is None else moment(time),
        unit if isinstance(unit, int) else None,
        scaler,
        value,
    )


def moment(time: Element) -> Moment | None:
    """Read a time; None for a count of seconds since whenever, and for the time of a clock that was never set."""
    match time:
        case (int(kind), int(unix)) if kind == _TIMESTAMP and unix in _TIMES:
            return Moment(unix)
        case (int(kind), (int(unix), int(zone), int(season))) if kind == _LOCAL_TIMESTAMP and unix in _TIMES:
            # Beyond a day it is no offset, whatever else it may be.
            return Moment(unix, zone + season) if abs(zone + season) < _DAY else None
    return None
