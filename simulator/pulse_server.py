"""Pulse meters: a board with contacts on a Unix socket, and the text of an S0PCM.

A board stamps and numbers its edges as Linux does, whether or not anybody listens; what comes while nobody does is
lost.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from simulator.contacts import Contacts, Total
from simulator.place import Place, Placed, Values
from simulator.pushing import PushingServer

INTERVAL = 10
"""Seconds between two lines of an S0PCM."""


def line(place: Place) -> Placed:
    """Serve the meters of a line as inputs of an S0PCM, or as contacts of a board, by their addresses."""
    place.no_gateway()
    totals = {
        meter.address or 1: _pulses(place.values(meter), model.quantities[0], float(model.layout.worth))
        for meter, model in zip(place.meters, place.models, strict=True)
    }
    if place.table.kind == "board":
        return Placed(Contacts(totals), keeps_pace=True)
    module = Module(lambda: {number: total() for number, total in totals.items()})
    return Placed(PushingServer(module.line, INTERVAL))


def _pulses(values: Values, name: str, worth: float) -> Total:
    return lambda: int(values()[name] / worth)


@dataclass
class Board:
    """GPIO lines with contacts; `now` gives nanoseconds of the monotonic clock."""

    now: Callable[[], int] = time.monotonic_ns
    watched: dict[int, asyncio.WriteTransport] = field(default_factory=dict)
    listeners: set[asyncio.WriteTransport] = field(default_factory=set)
    _numbers: dict[int, int] = field(default_factory=dict)

    def pulse(self, line: int, *, at: int | None = None, backward: bool = False, heard: bool = True) -> None:
        """Close a contact; unless it is `heard`, the system numbers the edge and drops it."""
        number = self._numbers[line] = self._numbers.get(line, 0) + 1
        writer = self.watched.get(line)
        if writer is not None and heard:
            way = "-" if backward else "+"
            writer.write(f"{line} {self.now() if at is None else at} {number} {way}\n".encode())


class _Listener(asyncio.Protocol):
    """One program that watches lines of a board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101  what create_unix_server gives
        self._transport = transport
        self._board.listeners.add(transport)

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._board.watched[int(line.split()[1])] = self._transport

    def connection_lost(self, _error: Exception | None) -> None:
        watched = self._board.watched
        self._board.listeners.discard(self._transport)
        for line in [line for line, transport in watched.items() if transport is self._transport]:
            del watched[line]


@asynccontextmanager
async def board_at(path: Path, board: Board) -> AsyncIterator[Board]:
    """Put a board behind a Unix socket for as long as the context lasts."""
    server = await asyncio.get_running_loop().create_unix_server(lambda: _Listener(board), path)
    try:
        yield board
    finally:
        for _ in range(3):  # whoever connected just now is let in first
            await asyncio.sleep(0)
        server.close()
        for transport in list(board.listeners):
            transport.abort()
        while board.listeners:  # the loop tells them in its next turn
            await asyncio.sleep(0)
        await server.wait_closed()
        path.unlink(missing_ok=True)


@dataclass
class Module:
    """An S0PCM; `totals` gives the pulses of each input so far."""

    totals: Callable[[], Mapping[int, int]]
    number: int = 8237
    interval: int = INTERVAL
    _told: dict[int, int] = field(default_factory=dict)

    def line(self) -> bytes:
        """Say what came since the last line."""
        totals = dict(self.totals())
        parts = [f":M{name}:{total - self._told.get(name, 0)}:{total}" for name, total in sorted(totals.items())]
        self._told = totals
        return f"ID:{self.number}:I:{self.interval}{''.join(parts)}\r\n".encode()
