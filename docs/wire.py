# ruff: noqa: INP001  a tool of the documentation, not a package
"""What travels over MQTT, for machines: `asyncapi.json` from the models that check it, and the list of quantities.

1. Each channel's payload is the JSON Schema of the model that decodes it, so the document cannot drift from the code.
2. Operations are the gateway's: what it sends and what it receives.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from drivers.quantities import QUANTITIES
from gateway.access_lists import GATEWAY_READS, GATEWAY_WRITES
from gateway.alerts.event import AlertEvent
from gateway.alerts.settings import Settings
from gateway.message import CONTENT_TYPE, Block, Info, StoredAck

REFERENCE = Path(__file__).parent / "reference"
PAGE = REFERENCE / "quantities.md"
DOCUMENT = REFERENCE / "asyncapi.json"
SCHEMAS = "#/components/schemas/"
ID = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
NUMBER = {"anyOf": [{"type": "number"}, {"type": "string", "description": "a decimal that no float could hold"}]}
TIME = {"type": "integer", "description": "UTC in ms"}

BY_HAND: dict[str, dict[str, Any]] = {
    "Status": {
        "type": "object",
        "description": "Whether the gateway is there; the last will says so for one that went without a word.",
        "required": ["state"],
        "properties": {
            "state": {"enum": ["online", "offline"]},
            "reason": {"enum": ["lwt", "shutdown"], "description": "why it is offline"},
            "ts": TIME,
            "boot": {"type": "string", "description": "one start of the board"},
            "version": {"type": "string"},
            "stream": {"type": "string", "pattern": "^[0-9a-f]{12}$", "description": "one journal"},
        },
    },
    "Live": {
        "type": "object",
        "description": "The newest reading of one meter, flat: each value under its quantity's key.",
        "required": ["v", "ts", "meter", "q"],
        "properties": {"v": {"const": 1}, "ts": TIME, "meter": ID, "q": {"type": "integer", "minimum": 0}},
        "additionalProperties": NUMBER,
    },
    "CloudEvent": {
        "type": "object",
        "description": "A CloudEvent 1.0 in structured mode; `id` is the event's key.",
        "required": ["specversion", "type", "source", "id", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "type": {"enum": [f"nabd.alert.{state}" for state in ("raised", "updated", "cleared", "expired")]},
            "source": {"type": "string", "description": "/nabd/TENANT/GATEWAY"},
            "subject": ID,
            "id": {"type": "string"},
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "data": {"$ref": f"{SCHEMAS}AlertEvent"},
        },
    },
    "Health": {"type": "object", "description": "What `nabd status --json` says; for people and graphs, it may grow."},
    "Command": {
        "type": "object",
        "description": "One of the commands; the fields beside these belong to it.",
        "properties": {
            "id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
            "until": TIME,
            "role": {"enum": ["customer", "installer", "operator"]},
        },
    },
    "Reply": {
        "type": "object",
        "description": "What came of a command: its own fields, or `error` and `reason`.",
        "properties": {"error": {"type": "string"}, "reason": {"type": "string"}},
    },
}

# kind of topic: (schema, content type, what it is)
CHANNELS = {
    "status": ("Status", "application/json", "whether the gateway is there; retained, and its last will"),
    "info": ("Info", "application/json", "the birth document: which meters there are; retained"),
    "data": ("Block", CONTENT_TYPE, "readings, events and losses of one window; deflate when over 512 bytes"),
    "live/+": ("Live", "application/json", "the newest reading of one meter; QoS 0, retained"),
    "event": ("CloudEvent", "application/cloudevents+json", "an alert's step once more, for whoever reads no blocks"),
    "health": ("Health", "application/json", "how the gateway fares; QoS 0, retained"),
    "reply": ("Reply", "application/json", "what came of a command"),
    "ack": ("StoredAck", "application/json", "the block of this Correlation Data is stored: it may go"),
    "cmd/+": ("Command", "application/json", "a command; never retained, expires"),
    "settings": ("Settings", "application/json", "what the edge must know of its meters' customers; retained"),
}
PARAMETER = {"live/+": "meter", "cmd/+": "command"}

HEAD = """# Quantities

<!-- made by `./run docs` from drivers/quantities.py: never edit this page -->

The closed list of what Nabd measures.
The key is the name on the wire and in every store: quantity and base unit together.
A key never changes its meaning or its unit; a new meaning is a new key.
Counters only rise, but for a reset or a replaced meter, which bit 64 of `q` marks.
Power is signed: what is taken from the grid is positive.
Values keep at most four decimals.

| Key | Unit | Kind | Commodity | OBIS |
|---|---|---|---|---|
"""


def page() -> str:
    """Write the list of quantities."""
    rows = (f"| `{q.key}` | {q.unit} | {q.kind} | {q.commodity} | {q.obis} |" for q in QUANTITIES.values())
    return HEAD + "\n".join(rows) + "\n"


def document() -> str:
    """Write the AsyncAPI document."""
    made = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Nabd over MQTT 5",
            "version": "1",
            "description": "Below `nabd/v1/{tenant}/{gateway}/`. topics.md tells how a back end uses it.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_name(kind): _channel(kind) for kind in CHANNELS},
        "operations": {
            f"{action}_{_name(kind)}": {"action": action, "channel": {"$ref": f"#/channels/{_name(kind)}"}}
            for action, kinds in (("send", GATEWAY_WRITES), ("receive", GATEWAY_READS))
            for kind in kinds
        },
        "components": {"schemas": schemas()},
    }
    return json.dumps(made, indent=1) + "\n"


def schemas() -> dict[str, Any]:
    """Give every payload's JSON Schema by its name."""
    made: dict[str, Any] = {}
    for model in (Block, StoredAck, Info, Settings, AlertEvent):
        schema = _plain(TypeAdapter(model).json_schema(ref_template=f"{SCHEMAS}{{model}}"))
        made |= schema.pop("$defs", {})
        made[model.__name__] = schema
    made["Block"]["properties"]["events"]["items"] = {"$ref": f"{SCHEMAS}AlertEvent"}
    return dict(sorted((made | BY_HAND).items()))


def _name(kind: str) -> str:
    return kind.removesuffix("/+")


def _channel(kind: str) -> dict[str, Any]:
    schema, content, what = CHANNELS[kind]
    parameter = PARAMETER.get(kind)
    last = f"/{{{parameter}}}" if parameter else ""
    message = {"contentType": content, "payload": {"$ref": f"{SCHEMAS}{schema}"}}
    return {
        "address": f"nabd/v1/{{tenant}}/{{gateway}}/{_name(kind)}{last}",
        "description": what,
        "parameters": {name: {} for name in ("tenant", "gateway", parameter) if name},
        "messages": {schema: message},
    }


def _plain(schema: Any) -> Any:
    """Leave out the titles, which only say the names of fields once more."""
    if isinstance(schema, dict):
        return {key: _plain(value) for key, value in schema.items() if not (key == "title" and isinstance(value, str))}
    return [_plain(value) for value in schema] if isinstance(schema, list) else schema
