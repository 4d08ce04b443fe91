"""The contract with the world: topics, blocks, acknowledgements, live values, status. Version 1.

1. Readings, events and losses travel in *blocks*. A block is encoded once; the same bytes lie in the journal, cross the
   broker and are acknowledged. `encode_reading` makes one reading's JSON when it is taken, `encode_block` joins them.
2. Whatever arrives is hostile: `decode_block` bounds the size before and after inflating and validates every field.
3. `MessageError` is the one error; it says what was wrong, never the payload.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import orjson
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

T = TypeVar("T")

ID = r"^[A-Za-z0-9_-]{1,64}$"
Id = Annotated[str, StringConstraints(pattern=ID)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Value = Annotated[int | float | str, Field(union_mode="smart")]

# Bits of `q`; 0 is a good reading.
SUSPECT = 1
ESTIMATED = 2
HOLDOVER = 4
TIME_REPAIRED = 8
LOAD_PROFILE = 16
ROLLOVER = 32
RESET = 64
METER_FLAG = 128

ClockState = Literal["synced", "holdover", "unsynced"]

CONTENT_TYPE = "application/vnd.nabd.block.v1"
PLAIN_LIMIT = 512
"""Bytes of JSON up to which deflate costs more than it saves."""
BLOCK_LIMIT = 64 * 1024
"""A block closes when its JSON reaches this size (contracts 1)."""
INFLATED_LIMIT = 1024 * 1024
"""No honest block is larger than BLOCK_LIMIT plus one reading; sixteen times that stops a deflate bomb early."""
SERIAL_LIMIT = 64
"""Characters of a serial number; the longest a captured meter shows has 34, the digits of its octets."""


class MessageError(Exception):
    """A payload or topic that is not what version 1 says."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one gateway under `{root}/v1/{tenant}/{gw}/`."""

    tenant: str
    gw: str
    root: str = "nabd"

    @property
    def base(self) -> str:
        """Everything of this gateway lies below this prefix."""
        return f"{self.root}/v1/{self.tenant}/{self.gw}"

    def of(self, *parts: str) -> str:
        """Name a topic of this gateway: `of("live", "gw-1_main")`."""
        return "/".join((self.base, *parts))

    @classmethod
    def parse(cls, topic: str) -> "tuple[Topics, str, str]":
        """Split a topic into (gateway's topics, kind, rest); raises MessageError."""
        parts = topic.split("/", 5)
        if len(parts) < 5 or parts[1] != "v1":  # noqa: PLR2004  root, v1, tenant, gw, kind
            raise MessageError("topic is not of the form root/v1/tenant/gateway/kind")
        try:
            tenant, gw = _IDS.validate_python(parts[2:4])
        except ValidationError:
            raise MessageError("tenant or gateway in the topic is not an id") from None
        return cls(tenant, gw, parts[0]), parts[4], parts[5] if len(parts) == 6 else ""  # noqa: PLR2004


_IDS = TypeAdapter(tuple[Id, Id])


class _Arriving(BaseModel):
    """Fields this version does not know are ignored, so that newer gateways can say more.

    What checks a document is built at the first one: a gateway never gets most of these.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class ReadingRow(_Arriving):
    """One reading as it lies in a block."""

    seq: int = Field(ge=0)
    ts: int
    meter: Id
    q: int = Field(0, ge=0, le=255)
    v: dict[Key, Value] = Field(max_length=200)
    mt: int | None = None
    status: list[Key] = Field(default_factory=list, max_length=20)


class UntimedRow(_Arriving):
    """One reading taken before the clock was known: by boot and milliseconds since."""

    seq: int = Field(ge=0)
    boot: Id
    mono: int
    meter: Id
    q: int = Field(0, ge=0, le=255)
    v: dict[Key, Value] = Field(max_length=200)
    mt: int | None = None
    status: list[Key] = Field(default_factory=list, max_length=20)


class Loss(_Arriving):
    """A row of the ledger: what was lost, and why; `count` is None where only the schedule is known."""

    reason: Key
    first: int | None = None
    last: int | None = None
    count: int | None = None
    meter: Id | None = None
    since: int | None = Field(None, validation_alias=AliasChoices("from", "since"), serialization_alias="from")
    until: int | None = Field(None, validation_alias=AliasChoices("to", "until"), serialization_alias="to")
    scheduled: int | None = None


class Block(_Arriving):
    """What happened in one commit window of one gateway."""

    v: Literal[1]
    gw: Id
    stream: str = Field(pattern=r"^[0-9a-f]{12}$")
    block: int = Field(ge=0)
    closed: int
    clock: ClockState
    readings: list[ReadingRow] = Field(default_factory=list)
    untimed: list[UntimedRow] = Field(default_factory=list)
    events: list[dict[str, Any]] = Field(default_factory=list)
    losses: list[Loss] = Field(default_factory=list)


class Rejected(_Arriving):
    """A reading the store will never take, and why."""

    seq: int
    reason: Key


class StoredAck(_Arriving):
    """The one acknowledgement that frees a block."""

    status: Literal["stored"]
    rejected: list[Rejected] = Field(default_factory=list)


class MeterInfo(_Arriving):
    """One meter of the birth document; `every` is in seconds, `serial` is known once it was commissioned."""

    id: Id
    name: str
    commodity: str
    model: str
    serial: Annotated[str, StringConstraints(max_length=SERIAL_LIMIT)] = ""
    every: float
    quantities: dict[Key, dict[str, str]]


class Info(_Arriving):
    """The birth document: which meters a gateway has and what they measure."""

    v: Literal[1] = 1
    meters: list[MeterInfo]


_BLOCK = TypeAdapter(Block)
_ACK = TypeAdapter(StoredAck)
_INFO = TypeAdapter(Info)
_LIVE = TypeAdapter(dict[Key, Value], config=ConfigDict(defer_build=True))


def encode_reading(
    seq: int,
    when: Mapping[str, int | str],
    meter: str,
    q: int,
    values: Mapping[str, Any],
    extra: Mapping[str, Any] | None = None,
) -> bytes:
    """Make the JSON of one reading; `when` is {"ts": ms} or, before the clock is known, {"boot": id, "mono": ms}.

    Decimals become strings: they stand only where a float could not hold the value.
    """
    row = {"seq": seq, **when, "meter": meter, "q": q, "v": values}
    if extra:
        row.update(extra)
    return orjson.dumps(row, default=str)


def encode_block(
    gw: str,
    stream: str,
    block: int,
    closed: int,
    clock: ClockState,
    *,
    readings: Sequence[bytes] = (),
    untimed: Sequence[bytes] = (),
    events: Sequence[bytes] = (),
    losses: Iterable[Loss] = (),
) -> bytes:
    """Join encoded rows into the bytes of one block, deflated when that is smaller."""
    lists = {
        "readings": readings,
        "untimed": untimed,
        "events": events,
        "losses": [loss.model_dump_json(by_alias=True).encode() for loss in losses],
    }
    head = orjson.dumps({"v": 1, "gw": gw, "stream": stream, "block": block, "closed": closed, "clock": clock})
    body = b"".join(b',"%s":[%s]' % (name.encode(), b",".join(rows)) for name, rows in lists.items() if rows)
    json = head[:-1] + body + b"}"
    return zlib.compress(json) if len(json) > PLAIN_LIMIT else json


def inflate(payload: bytes) -> bytes:
    """Give a payload's JSON, whether it came plain or deflated; raises MessageError beyond INFLATED_LIMIT."""
    if payload[:1] != b"\x78":
        return payload
    unpacker = zlib.decompressobj()
    try:
        json = unpacker.decompress(payload, INFLATED_LIMIT)
    except zlib.error:
        raise MessageError("payload is not deflate") from None
    if not unpacker.eof:
        raise MessageError("payload is cut short or inflates beyond 1 MiB")
    return json


def count_readings(payload: bytes) -> int:
    """Count the readings in a block of our own without decoding it: each begins with its seq."""
    return inflate(payload).count(b'{"seq":')


def decode_block(payload: bytes) -> Block:
    """Inflate and validate a block; raises MessageError."""
    return _validate(_BLOCK, inflate(payload), "block")


def correlation(stream: str, block: int) -> bytes:
    """Name a block for its acknowledgement (MQTT 5 Correlation Data)."""
    return f"{stream}:{block}".encode()


def parse_correlation(data: bytes | None) -> tuple[str, int]:
    """Read Correlation Data back; raises MessageError."""
    stream, colon, block = (data or b"")[:40].partition(b":")
    if not colon or not block.isdigit():
        raise MessageError("correlation data is not stream:block")
    return stream.decode("ascii", "replace"), int(block)


def encode_ack(rejected: Iterable[tuple[int, str]] = ()) -> bytes:
    """Make the stored ack; `rejected` pairs a seq with its reason."""
    rows = [{"seq": seq, "reason": reason} for seq, reason in rejected]
    return orjson.dumps({"status": "stored", "rejected": rows} if rows else {"status": "stored"})


def decode_ack(payload: bytes) -> StoredAck:
    """Validate a stored ack; raises MessageError."""
    return _validate(_ACK, payload, "ack")


def encode_live(ts: int, meter: str, q: int, values: Mapping[str, Any]) -> bytes:
    """Make the flat document of `live/{meter}`."""
    return orjson.dumps({"v": 1, "ts": ts, "meter": meter, "q": q, **values}, default=str)


def decode_live(payload: bytes) -> dict[str, int | float | str]:
    """Validate a live document; raises MessageError."""
    return _validate(_LIVE, payload, "live document")


def decode_info(payload: bytes) -> Info:
    """Validate a birth document; raises MessageError."""
    return _validate(_INFO, payload, "info")


def _validate(adapter: TypeAdapter[T], payload: bytes, what: str) -> T:
    if len(payload) > INFLATED_LIMIT:
        raise MessageError(f"{what} is larger than 1 MiB")
    try:
        return adapter.validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise MessageError(f"{what}: {place}: {first['msg']}") from None
