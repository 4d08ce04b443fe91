"""The newest blocks in memory, so that sending them live reads nothing from the disk."""

from collections import OrderedDict

_LIMIT = 1024 * 1024
"""Bytes: hours of blocks at the reference load, a fiftieth of what the process may use."""


class Cache:
    """Payloads by block, the oldest forgotten first."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._payloads: OrderedDict[int, bytes] = OrderedDict()
        self._bytes = 0

    def put(self, block: int, payload: bytes) -> None:
        """Keep a payload while there is room."""
        self._payloads[block] = payload
        self._bytes += len(payload)
        while self._bytes > self._limit:
            self._bytes -= len(self._payloads.popitem(last=False)[1])

    def get(self, block: int) -> bytes | None:
        """Give a payload that is still kept."""
        return self._payloads.get(block)

    def drop(self, block: int) -> None:
        """Forget a payload nobody will ask for again."""
        self._bytes -= len(self._payloads.pop(block, b""))
