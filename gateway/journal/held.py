"""Readings taken before the clock was known: their JSON once more, with a time as soon as there is one."""

from collections.abc import Iterator

import orjson

from gateway.message import TIME_REPAIRED, encode_reading

HeldRow = tuple[int, str, int, bytes]
"""seq, meter, ms by which it is put into its quarter-hour, JSON."""

_OWN = ("seq", "boot", "mono", "meter", "q", "v")


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
