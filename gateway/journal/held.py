"""Readings taken before the clock was known: their JSON in a chunk, and out of it, with a time once there is one."""

import zlib
from collections.abc import Iterable, Iterator

import orjson

from gateway.journal.window import checksum
from gateway.message import TIME_REPAIRED, encode_reading

HeldRow = tuple[int, str, int, bytes]
"""seq, meter, ms by which it is put into its quarter-hour, JSON."""

_OWN = ("seq", "boot", "mono", "meter", "q", "v")


def pack(rows: Iterable[bytes]) -> bytes:
    """Make the bytes of a chunk."""
    return zlib.compress(b"\n".join(rows))


def unpack(chunk: int, crc: int, data: object) -> bytes | None:
    """Give the JSON lines of a chunk of held readings, None when it is damaged."""
    if not isinstance(data, bytes) or checksum(data, chunk) != crc:
        return None
    return zlib.decompress(data)


def timed(lines: bytes, offset: int) -> Iterator[HeldRow]:
    """Give (seq, meter, ts, row) of each held row with ts = mono + offset and the bit time_repaired."""
    for line in lines.split(b"\n"):
        row = orjson.loads(line)
        seq, meter, ts = row["seq"], row["meter"], row["mono"] + offset
        extra = {key: value for key, value in row.items() if key not in _OWN}
        yield seq, meter, ts, encode_reading(seq, {"ts": ts}, meter, row["q"] | TIME_REPAIRED, row["v"], extra)


def untimed(lines: bytes) -> Iterator[HeldRow]:
    """Give (seq, meter, mono, row) of each held row as it is."""
    for line in lines.split(b"\n"):
        row = orjson.loads(line)
        yield row["seq"], row["meter"], row["mono"], line
