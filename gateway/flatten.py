"""A data message becomes rows for the series store and a record for the hub database; pure, and trusting nothing.

1. The topic says tenant and gateway, the block must agree, and the Correlation Data must name it.
2. A message that fails there is poison: it goes to the dead letters whole and is never acknowledged as stored.
3. A reading the store could never keep (another gateway's meter, an impossible time, a value that is no number) is
   rejected by its seq; the others of its block go on.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

import orjson

from drivers.quantities import BY_KEY
from gateway.hubdb import BlockRecord
from gateway.message import (
    Block,
    MessageError,
    MeterInfo,
    ReadingRow,
    Topics,
    UntimedRow,
    correlation,
    decode_block,
    decode_info,
    encode_ack,
)
from gateway.store.contract import Row
from gateway.transport import Message

TIME_LIMIT = 1 << 42
"""A time in ms from here on is the year 2109 or rubbish; it fits every store, InfluxDB's nanoseconds too."""
NUMBER_LIMIT = 1 << 63
"""Integers from here on overflow SQLite and JSON readers; larger values travel as decimal strings (contracts 3)."""

ACK_EXPIRY = 3600
"""Seconds a broker keeps a stored ack for a gateway that is away; by then it has sent the block again."""

_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")

Owner = Callable[[str, str], str | None]
"""Names the gateway that (tenant, meter) is enrolled at, or None."""


class Poison(Exception):  # noqa: N818
    """A message nobody can use; `reason` is the dead letter's."""

    def __init__(self, reason: str, what: str = "") -> None:
        super().__init__(f"{reason}: {what}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Flat:
    """One block, ready for the stores; `rejected` (seq, reason) grows when the series store refuses rows of it."""

    topics: Topics
    stream: int
    block: Block
    rows: list[Row]
    untimed: list[UntimedRow]
    events: list[bytes]
    rejected: list[tuple[int, str]] = field(default_factory=list)

    def ack(self) -> Message:
        """Make the stored ack: to this gateway's own ack topic, echoing the Correlation Data."""
        name = correlation(self.block.stream, self.block.block)
        return Message(self.topics.of("ack"), encode_ack(self.rejected), qos=1, expiry=ACK_EXPIRY, correlation=name)

    def record(self) -> BlockRecord:
        """Say what the hub database keeps, once the series store has answered."""
        refused = {seq for seq, _ in self.rejected}
        seqs = [row.seq for row in self.rows if row.seq not in refused]
        seqs += [row.seq for row in self.untimed]
        return BlockRecord(
            self.topics.tenant,
            self.topics.gw,
            self.stream,
            self.block.block,
            self.block.closed,
            seqs,
            self.block.losses,
            self.untimed,
            self.events,
        )


def flatten(topics: Topics, message: Message, owner: Owner) -> Flat:
    """Decode a data message that came on a topic of `topics`; raises Poison."""
    if message.response_topic not in {None, topics.of("ack")}:
        raise Poison("foreign_response_topic")
    try:
        block = decode_block(message.payload)
    except MessageError as error:
        raise Poison("undecodable", str(error)) from error
    if block.gw != topics.gw:
        raise Poison("foreign_gateway")
    if message.correlation != correlation(block.stream, block.block):
        raise Poison("bad_correlation")
    _check_numbers(block)
    flat = Flat(topics, int(block.stream, 16), block, [], [], _events(block))
    for reading in block.readings:
        if reason := _objection(reading, topics, owner, reading.ts):
            flat.rejected.append((reading.seq, reason))
        else:
            flat.rows.append(_row(topics, flat.stream, reading))
    for untimed in block.untimed:
        if reason := _objection(untimed, topics, owner):
            flat.rejected.append((untimed.seq, reason))
        else:
            flat.untimed.append(untimed)
    return flat


def birth(message: Message) -> list[MeterInfo]:
    """Decode a birth document; an empty one is a gateway's retained message being deleted. Raises Poison."""
    try:
        meters = decode_info(message.payload).meters if message.payload else []
    except MessageError as error:
        raise Poison("undecodable", str(error)) from error
    if not all(math.isfinite(meter.every) for meter in meters):
        raise Poison("bad_number")
    return meters


def _row(topics: Topics, stream: int, reading: ReadingRow) -> Row:
    return Row(
        topics.tenant,
        topics.gw,
        reading.meter,
        reading.ts,
        stream,
        reading.seq,
        reading.q,
        reading.v,
        commodity_of(tuple(reading.v)),
    )


@lru_cache(maxsize=1024)  # distinct sets of values, one or two a meter model; a gateway that invents more evicts them
def commodity_of(keys: tuple[str, ...]) -> str:
    """Name the commodity of a reading by what it holds: its first counter's, else its first known value's, else "".

    A reading's own keys decide, not the birth document, which changes with time: the commodity is part of a point's
    identity in InfluxDB, and the same reading sent again must meet the same point.
    """
    known = [BY_KEY[key] for key in keys if key in BY_KEY]
    counters = [quantity for quantity in known if quantity.kind == "counter"]
    return next((quantity.commodity for quantity in [*counters, *known]), "")


def _objection(row: ReadingRow | UntimedRow, topics: Topics, owner: Owner, ts: int = 0) -> str | None:
    if owner(topics.tenant, row.meter) not in {None, topics.gw}:
        return "meter_conflict"
    if not 0 <= ts < TIME_LIMIT:
        return "bad_time"
    if not _all_numbers(row.v):
        return "bad_value"
    return None


def _all_numbers(v: Mapping[str, int | float | str]) -> bool:
    """Say whether every store can keep these values: finite, within 64 bits, strings only as decimals."""
    try:
        # One sum in C answers for twenty plain numbers at once: it is neither NaN nor infinite nor huge.
        numbers = cast("Mapping[str, float]", v)
        if sum(map(abs, numbers.values())) < NUMBER_LIMIT:
            return True
    except TypeError:
        pass
    return all(map(_is_number, v.values()))


def _is_number(value: float | str) -> bool:
    if isinstance(value, str):
        return _DECIMAL.fullmatch(value) is not None
    if isinstance(value, int):
        return abs(value) < NUMBER_LIMIT
    return math.isfinite(value)


def _check_numbers(block: Block) -> None:
    """Refuse a block whose own numbers no database column holds."""
    numbers: list[int | None] = [block.block, block.closed]
    numbers += [reading.seq for reading in block.readings]
    for row in block.untimed:
        numbers += [row.seq, row.mono]
    for loss in block.losses:
        numbers += [loss.first, loss.last, loss.count, loss.since, loss.until, loss.scheduled]
    if any(number is not None and abs(number) >= NUMBER_LIMIT for number in numbers):
        raise Poison("bad_number")


def _events(block: Block) -> list[bytes]:
    try:
        return [orjson.dumps(event) for event in block.events]
    except orjson.JSONEncodeError as error:
        raise Poison("bad_event", str(error)) from error
