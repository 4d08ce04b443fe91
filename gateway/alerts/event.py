"""One event in the life of one alert: the dict that stands in a block's `events`, on topic `event`, and in webhooks.

1. An *alert* is one instance of one rule at one meter; `id` is computed from rule, meter and moment, so whoever replays
   the same readings names the same alert. An *event* is one step of its life, numbered by `seq` from 1.
2. `key` is `id-seq`: who has seen a key before has seen the event, whatever way it came (block, topic, replay).
3. The life: `raised` (seq 1), any number of `updated` (severity or value grew much), then `cleared` (it is over) or
   `expired` (nobody knows: the meter fell silent or left). One alert is open per meter and rule at most.
4. The dict is flat, times are UTC ms, numbers in the unit named. `parse` takes it from anybody; strings in it are ids,
   keys and units only, so there is no text of a stranger's to escape.
5. As a CloudEvent 1.0 (`cloud_event`): type `nabd.alert.STATE`, source `/nabd/TENANT/GATEWAY`, subject the meter, id
   the `key`, time `at`, data this dict.

Texts, money and people are the hub's: an event says what a meter did, not who should care.
"""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from hashlib import blake2b
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from gateway.message import Id, Key, MessageError

State = Literal["raised", "updated", "cleared", "expired"]
Severity = Literal["critical", "warning", "info"]

OPEN: frozenset[State] = frozenset({"raised", "updated"})
"""The states after which the alert still lives."""

_LIMIT = 10**15
Time = Annotated[int, Field(ge=0, lt=1 << 42)]
"""UTC ms; 2^42 is the year 2109, and fits every store."""
Figure = Annotated[int, Field(ge=-_LIMIT, le=_LIMIT)] | Annotated[float, Field(ge=-_LIMIT, le=_LIMIT)]
"""A finite number that every store and every page can hold."""
AlertId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
Unit = Annotated[str, StringConstraints(pattern=r"^[A-Za-z/%]{0,8}$")]


@dataclass(frozen=True, kw_only=True)
class AlertEvent:
    """One step of an alert.

    `rule` is its name in the catalogue (overload, water_leak, meter_offline, …); `quantity` the key of what was judged
    (`current_l1_a`), or "" where a rule judges silence. `value` is what was measured and `baseline` what it is held
    against (a limit or the usual), both in `unit`. `raised` and `cleared` are the meter's times of begin and end, `at`
    that of this event. `evidence` holds the numbers the judgement rests on, names ending in their unit (`limit_a`,
    `since_ms`), `points` the last measurements as (UTC ms, value).
    """

    id: AlertId
    seq: Annotated[int, Field(ge=1, le=_LIMIT)]
    rule: Key
    meter: Id
    state: State
    severity: Severity
    raised: Time
    at: Time
    cleared: Time | None = None
    value: Figure | None = None
    baseline: Figure | None = None
    unit: Unit = ""
    quantity: Key | Literal[""] = ""
    evidence: Annotated[dict[Key, Figure], Field(max_length=32)] = field(default_factory=dict)
    points: Annotated[list[tuple[Time, Figure]], Field(max_length=96)] = field(default_factory=list)

    @cached_property
    def key(self) -> str:
        """Name this event so that twice is once; unique within a tenant."""
        return f"{self.id}-{self.seq}"

    @property
    def open(self) -> bool:
        """Whether the alert lives on after this event."""
        return self.state in OPEN

    def to_dict(self) -> dict[str, Any]:
        """Give the dict of a block's `events`; what is empty is left out."""
        row = {name: value for name, value in asdict(self).items() if value not in (None, "", {}, [])}
        return {"v": 1, "key": self.key, **row}

    def encode(self) -> bytes:
        """Give the dict as JSON."""
        return orjson.dumps(self.to_dict())


def alert_id(rule: str, meter: str, raised: int) -> str:
    """Name the alert that `rule` raises at `meter` at this moment: 16 hexadecimal digits."""
    return blake2b(f"{rule}\n{meter}\n{raised}".encode(), digest_size=8).hexdigest()


@cache
def _events() -> TypeAdapter[AlertEvent]:
    """Build what checks an event at the first one that comes: a gateway makes its own, and checks none."""
    return TypeAdapter(AlertEvent)


def parse(row: object) -> AlertEvent:
    """Validate a dict that came from anywhere; unknown keys of newer gateways are ignored. Raises MessageError."""
    if not isinstance(row, dict) or row.get("v") != 1:
        raise MessageError("event is not a version 1 object")
    known = {name: value for name, value in row.items() if name not in {"v", "key"}}
    try:
        return _events().validate_python(known)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise MessageError(f"event: {place}: {first['msg']}") from None


def cloud_event(event: AlertEvent, tenant: str, gw: str) -> dict[str, Any]:
    """Wrap an event as a CloudEvent 1.0 in structured mode (`application/cloudevents+json`)."""
    return {
        "specversion": "1.0",
        "type": f"nabd.alert.{event.state}",
        "source": f"/nabd/{tenant}/{gw}",
        "subject": event.meter,
        "id": event.key,
        "time": datetime.fromtimestamp(event.at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": event.to_dict(),
    }
