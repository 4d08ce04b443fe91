"""A German household meter (EDL21) with an optical port: an SML file every second, unasked.

1. A file is three messages, which open it, list the meter's values and close it, each with its own checksum.
2. It travels between a start and an end mark, filled up to four bytes, with `1B1B1B1B` inside sent twice.

It writes its bytes by itself: nothing of the driver's codec is used here, so that neither is the other's witness.
"""

from collections.abc import Callable, Iterable

from simulator.households import Household
from simulator.place import Place, Placed
from simulator.pushing import PushingServer

ESCAPE = b"\x1b\x1b\x1b\x1b"
MAKER = b"NBD"
OPEN, LIST, CLOSE = 0x0101, 0x0701, 0x0201
WH, W, V, A, HZ = 30, 27, 35, 33, 44
"""Units by their DLMS numbers."""

LEFT_OUT = b"\x01"
_SIGNED, _UNSIGNED, _LIST = 5, 6, 7
_LONG = 0x80

Checksum = Callable[[bytes], int]


# --- elements --------------------------------------------------------------------------------------------------------


def octets(data: bytes) -> bytes:
    """Write a string of bytes."""
    return _head(0, len(data), counts_itself=True) + data


def signed(value: int, width: int) -> bytes:
    """Write a signed integer of 1 to 8 bytes."""
    return _head(_SIGNED, width, counts_itself=True) + value.to_bytes(width, "big", signed=True)


def unsigned(value: int, width: int) -> bytes:
    """Write an unsigned integer of 1 to 8 bytes."""
    return _head(_UNSIGNED, width, counts_itself=True) + value.to_bytes(width, "big")


def listed(*items: bytes) -> bytes:
    """Write a list of elements."""
    return _head(_LIST, len(items), counts_itself=False) + b"".join(items)


def _head(kind: int, size: int, *, counts_itself: bool) -> bytes:
    """Write type and length, four bits of the length a byte; the length of all but lists counts these bytes too."""
    count = 1
    while size + count * counts_itself >= 16**count:
        count += 1
    size += count * counts_itself
    parts = [size >> 4 * place & 0xF for place in reversed(range(count))]
    parts[0] |= kind << 4
    return bytes([*(part | _LONG for part in parts[:-1]), parts[-1]])


# --- messages and files ----------------------------------------------------------------------------------------------


def crc_x25(data: bytes) -> int:
    """Give the CRC-16/X.25 of a message or a file."""
    return _divide(data, 0xFFFF) ^ 0xFFFF


def crc_kermit(data: bytes) -> int:
    """Give the CRC-16/Kermit, which some firmware uses instead."""
    return _divide(data, 0)


def _divide(data: bytes, rest: int) -> int:
    for byte in data:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ (0x8408 if rest & 1 else 0)
    return rest


def message(transaction: int, kind: int, body: bytes, crc: Checksum = crc_x25) -> bytes:
    """Write one message with its checksum, low byte first."""
    head = octets(transaction.to_bytes(4, "big")) + unsigned(0, 1) + unsigned(0, 1)
    said = b"\x76" + head + listed(unsigned(kind, 2), body)
    return said + b"\x63" + crc(said).to_bytes(2, "little") + b"\0"


def file_of(messages: Iterable[bytes], crc: Checksum = crc_x25) -> bytes:
    """Put messages between the marks of a file."""
    body = b"".join(messages)
    padding = -len(body) % 4
    said = ESCAPE + b"\1\1\1\1" + (body + bytes(padding)).replace(ESCAPE, 2 * ESCAPE)
    said += ESCAPE + bytes((0x1A, padding))
    return said + crc(said).to_bytes(2, "little")


def entry(
    code: str, value: bytes, unit: int | None = None, scaler: int | None = None, status: int | None = None
) -> bytes:
    """Write one entry of a list; `code` is six numbers, as in `1-0:1.8.0*255`."""
    six = bytes(int(part) for part in code.replace("-", ".").replace(":", ".").replace("*", ".").split("."))
    return listed(
        octets(six),
        LEFT_OUT if status is None else unsigned(status, 4),
        LEFT_OUT,
        LEFT_OUT if unit is None else unsigned(unit, 1),
        LEFT_OUT if scaler is None else signed(scaler, 1),
        value,
        LEFT_OUT,
    )


def push(server: bytes, entries: Iterable[bytes], number: int, seconds: int, crc: Checksum = crc_x25) -> bytes:
    """Write a whole file: opened, one list of entries, closed; `seconds` since the meter was switched on."""
    time = listed(unsigned(1, 1), unsigned(seconds, 4))
    file_id = octets(number.to_bytes(4, "big"))
    opened = listed(LEFT_OUT, LEFT_OUT, file_id, octets(server), LEFT_OUT, LEFT_OUT)
    name = octets(bytes.fromhex("0100620AFFFF"))
    values = listed(LEFT_OUT, octets(server), name, time, listed(*entries), LEFT_OUT, LEFT_OUT)
    bodies = ((OPEN, opened), (LIST, values), (CLOSE, listed(LEFT_OUT)))
    messages = [message(3 * number + place, kind, body, crc) for place, (kind, body) in enumerate(bodies)]
    return file_of(messages, crc)


# --- a household's meter ---------------------------------------------------------------------------------------------

EVERY = 2.0
"""Seconds: a telegram takes half a second at 9600 baud, and meters leave a pause."""

_STATUS = 0x001C_0104
_GIVES = 0x0800
_START_OF_METER = 1_700_000_000


def line(place: Place) -> Placed:
    """Serve the one meter below an optical head; raises SimulatorError."""
    place.no_gateway()
    home = place.homes[place.only_meter().household]
    return Placed(PushingServer(lambda: telegram(home, place.now()), EVERY))


def telegram(home: Household, time: float, serial: int = 1) -> bytes:
    """Give what the meter says at a unix time."""
    values = home.at("electricity", time)
    server = b"\x0a\x01" + MAKER + b"\0" + serial.to_bytes(4, "big")
    status = _STATUS | _GIVES * (values["power"] < 0)
    entries = [
        entry("1-0:96.50.1*1", octets(MAKER)),
        entry("1-0:96.1.0*255", octets(server)),
        # A register shows what has gone through: cut, never rounded up.
        entry("1-0:1.8.0*255", unsigned(int(values["energy_import"] * 10), 8), WH, -1, status),
        entry("1-0:2.8.0*255", unsigned(int(values["energy_export"] * 10), 8), WH, -1),
        entry("1-0:16.7.0*255", signed(round(values["power"]), 4), W, 0),
    ]
    for phase in (1, 2, 3):
        step = 20 * phase
        entries += [
            entry(f"1-0:{16 + step}.7.0*255", signed(round(values[f"power_l{phase}"]), 4), W, 0),
            entry(f"1-0:{12 + step}.7.0*255", unsigned(round(values[f"voltage_l{phase}"] * 10), 2), V, -1),
            entry(f"1-0:{11 + step}.7.0*255", unsigned(round(values[f"current_l{phase}"] * 100), 3), A, -2),
        ]
    entries.append(entry("1-0:14.7.0*255", unsigned(round(values["frequency"] * 10), 2), HZ, -1))
    seconds = int(time - _START_OF_METER) & 0xFFFF_FFFF
    return push(server, entries, int(time) & 0xFF_FFFF, seconds)
