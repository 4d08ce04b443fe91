"""Compact frames, CI 79: the values of a telegram without the heads that say what they are.

1. A compact frame begins with the CRC of its records' heads, and the CRC of the whole records.
2. Whoever knows the heads, from an earlier full frame or from the list in formats.py, puts both together again.
3. The second CRC proves that nothing was mistaken.
"""

from collections.abc import Iterable

from drivers.contract import DecodeError
from drivers.mbus.records import Record, Records, walk
from drivers.wmbus.formats import KNOWN
from drivers.wmbus.link import crc16

MAX_FORMATS = 256
"""A meter sends one to three formats, and a gateway hears a few hundred meters at most; beyond, the oldest goes."""

_HEAD = 4
"""Bytes of the two CRCs."""


class UnknownFormat(DecodeError):  # noqa: N818  the caller counts these apart
    """No full frame with these records was heard yet."""


class Formats:
    """The heads of records, by the CRC that names them."""

    def __init__(self, known: Iterable[tuple[bytes, ...]] = KNOWN) -> None:
        self._heads: dict[int, tuple[bytes, ...]] = {}
        for heads in known:
            self.know(heads)

    def __len__(self) -> int:
        """How many formats are known."""
        return len(self._heads)

    def know(self, heads: tuple[bytes, ...]) -> None:
        """Remember the heads of a telegram's records."""
        signature = crc16(b"".join(heads))
        self._heads.pop(signature, None)
        self._heads[signature] = heads
        while len(self._heads) > MAX_FORMATS:
            del self._heads[next(iter(self._heads))]

    def learn(self, records: Records) -> None:
        """Remember a full telegram's format."""
        if records.records:
            self.know(tuple(record.head for record in records.records))

    def expand(self, data: bytes) -> bytes:
        """Give the full records of a compact frame; raises UnknownFormat, DecodeError."""
        if len(data) < _HEAD:
            raise DecodeError("the compact frame is cut off", "the frame is damaged")
        signature, whole = int.from_bytes(data[:2], "little"), int.from_bytes(data[2:_HEAD], "little")
        heads = self._heads.get(signature)
        if heads is None:
            raise UnknownFormat(f"compact frame of unknown format {signature:04X}", "a full frame follows in minutes")
        records = _together(heads, data[_HEAD:])
        if crc16(records) != whole:
            raise DecodeError("the CRC of the compact frame is wrong", "it was damaged on its way")
        return records


def _together(heads: tuple[bytes, ...], values: bytes) -> bytes:
    made = bytearray()
    for head in heads:
        # The head tells how many of the bytes that follow are its value.
        record = next(walk(head + values))
        assert isinstance(record, Record)  # noqa: S101  heads are records' heads
        made += head + values[: record.end - record.data_at]
        values = values[record.end - record.data_at :]
    if values:
        raise DecodeError("the compact frame has more values than its format", "the frame is damaged")
    return bytes(made)
