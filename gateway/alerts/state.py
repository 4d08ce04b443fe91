"""What the engine remembers, from the journal and back: a state of each meter, and the blocks that came after it.

1. A state holds what the check and the rules remember of a meter after all that was read up to its block.
2. Blocks above it are heard again in the order of their numbers. A block's two halves (billing readings and the rest)
   are merged, since they were one window. Readings that got their time later, and rows of a load profile, were never
   judged, and are not now.
3. Nothing is raised twice: an event that stands in a block is known by its key. The moment of a silence's alert is
   computed from the last reading, so whoever raises it names the same alert. An event that was raised but stands in no
   block is given back, to be told now.
"""

import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from zlib import compress, decompress

import orjson

from drivers.contract import Number
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent
from gateway.alerts.rules.meter_clock import KEY as METER_CLOCK
from gateway.check import Checker, Limits
from gateway.journal import Journal
from gateway.message import LOAD_PROFILE, TIME_REPAIRED, MessageError, inflate

DEFLATED = b"x"
"""How compressed states begin; those of older gateways begin as JSON does."""
VERSION = 2
"""Of what a rule remembers: another number, and the meter starts anew."""


def encode(checker: Mapping[str, Any], engine: Engine, meter: str, at: int) -> bytes:
    """Give a meter's state as JSON; `checker` is the check's snapshot, `at` UTC ms."""
    row = {"v": VERSION, "at": at, "check": checker.get(meter, {}), "alerts": engine.snapshot(meter)}
    return compress(orjson.dumps(row), 1)  # a third of its size, and it is written every quarter of an hour


@dataclass
class Restored:
    """The check as it was, the events still to be told, and when the gateway was last known to run (UTC ms)."""

    checker: Checker
    events: list[AlertEvent] = field(default_factory=list)
    alive: int = 0


async def restore(journal: Journal, engine: Engine, limits: Mapping[str, Limits]) -> Restored:
    """Bring a new engine to where the last one stopped; `limits` is by meter, as the check takes them."""
    known: dict[str, int] = {}
    checks: dict[str, Any] = {}
    events: list[AlertEvent] = []
    alive = 0
    for meter, (block, data) in (await journal.states()).items():
        try:
            state = orjson.loads(decompress(data) if data[:1] == DEFLATED else data)
            if state["v"] != VERSION:
                continue
            events += engine.restore(meter, state["alerts"])
        except (ValueError, KeyError, TypeError, zlib.error):  # of another version: its blocks tell what is recent
            continue
        if meter in limits:
            checks[meter], known[meter], alive = state["check"], block, max(alive, state["at"])
    replay = _Replay(engine, Checker(checks), limits, known, alive)
    replay.note(events)
    await replay.run(journal.after(min(known.values(), default=-1)))
    return Restored(replay.checker, replay.untold(), replay.alive)


Half = tuple[int, dict[str, Any]]
"""A block's number and what stands in it."""


class _Replay:
    def __init__(
        self, engine: Engine, checker: Checker, limits: Mapping[str, Limits], known: Mapping[str, int], alive: int
    ) -> None:
        self.engine, self.checker, self.limits, self.known, self.alive = engine, checker, limits, known, alive
        self.raised: dict[str, AlertEvent] = {}
        self._told: set[Any] = set()

    async def run(self, blocks: AsyncIterator[tuple[int, bytes]]) -> None:
        """Hear all blocks again, a window at a time: a week of them would not fit into a small board's memory."""
        window: list[Half] = []
        async for number, payload in blocks:
            block = _open(payload)
            if block is None:
                continue
            if window and window[0][1].get("closed") != block.get("closed"):
                self._window(window)
                window = []
            window.append((number, block))
        self._window(window)

    def untold(self) -> list[AlertEvent]:
        """Give the events that stand in no block."""
        return [event for key, event in self.raised.items() if key not in self._told]

    def _window(self, halves: list[Half]) -> None:
        rows = [(row, number) for number, block in halves for row in block.get("readings", ())]
        for row, number in sorted(rows, key=lambda pair: pair[0]["seq"]):
            if number > self.known.get(row["meter"], -1):
                self._hear(row)
        for number, block in halves:
            for event in block.get("events", ()):
                self._told.add(event.get("key"))
                if number > self.known.get(event.get("meter"), -1):
                    self._tick(event)

    def _hear(self, row: Mapping[str, Any]) -> None:
        meter, ts, q = row["meter"], row["ts"], row["q"]
        if meter not in self.limits or q & (TIME_REPAIRED | LOAD_PROFILE):
            return
        values = {key: value if not isinstance(value, str) else _decimal(value) for key, value in row["v"].items()}
        bits, intervals = self.checker.judge(meter, ts, values, row.get("status", ()), self.limits[meter])
        if "mt" in row:
            values[METER_CLOCK] = (row["mt"] - ts) / 1000
        self.note(self.engine.hear(meter, ts, q | bits, values, intervals, row.get("status", ())))
        self.alive = max(self.alive, ts)

    def _tick(self, event: Mapping[str, Any]) -> None:
        at = event.get("at", 0)
        self.note(self.engine.tick(at, event.get("meter")))
        self.alive = max(self.alive, at)

    def note(self, events: list[AlertEvent]) -> None:
        """Remember what was raised."""
        self.raised |= {event.key: event for event in events}


def _open(payload: bytes) -> dict[str, Any] | None:
    """Read a block of our own journal, whose checksum was right."""
    try:
        block = orjson.loads(inflate(payload))
    except (MessageError, orjson.JSONDecodeError):
        return None
    return block if isinstance(block, dict) else None


def _decimal(text: str) -> Number:
    try:
        return Decimal(text)
    except InvalidOperation:
        return 0
