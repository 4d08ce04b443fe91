"""Tells Home Assistant of every meter by MQTT discovery: one retained configuration a value, on a link of its own.

1. Each configuration names the live topic, the value in its document, its unit, and what kind of value it is. Units
   are those Home Assistant takes for that kind; where it takes none of ours, the template converts.
2. A value is unavailable when its gateway is offline (the `status` topic) or when it was not heard for a while.
3. Everything is told again when Home Assistant says `online`; configurations of meters that are gone are taken back.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import orjson

from gateway import VERSION
from gateway.backoff import Backoff
from gateway.message import Info, MeterInfo, Topics
from gateway.transport import Connect, Connection, Endpoint, Message, NotTaken, TransportError

UNHEARD = 5
"""Live values missed in a row before Home Assistant calls a value unavailable: a page says late after three."""
SOONEST_UNHEARD = 60
SLOWEST_REGISTER = 3600
"""Seconds: what tells its register alone may do so once an hour, as gas meters behind a P1 port do."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How Home Assistant sees a quantity; a value is multiplied by `factor` on its way into `unit`."""

    device_class: str | None
    state_class: str
    unit: str | None
    factor: str = ""
    decimals: int | None = None
    diagnostic: bool = False


_LITRES_A_MINUTE, _CUBIC_METRES = " / 60", " / 1000"
# By base unit; what differs by quantity stands in _OWN.
_KINDS = {
    "Wh": Kind("energy", "total_increasing", "Wh", decimals=0),
    "varh": Kind(None, "total_increasing", "varh", decimals=0),
    "W": Kind("power", "measurement", "W", decimals=0),
    "var": Kind("reactive_power", "measurement", "var", decimals=0),
    "VA": Kind("apparent_power", "measurement", "VA", decimals=0),
    "V": Kind("voltage", "measurement", "V", decimals=1),
    "A": Kind("current", "measurement", "A", decimals=2),
    "Hz": Kind("frequency", "measurement", "Hz", decimals=2),
    "l": Kind("water", "total_increasing", "L", decimals=0),
    "l/h": Kind("volume_flow_rate", "measurement", "m³/h", _CUBIC_METRES, 3),
    "C": Kind("temperature", "measurement", "°C", decimals=1),
    "s": Kind("duration", "measurement", "s", diagnostic=True),
    "1": Kind("power_factor", "measurement", None, decimals=2),
}
_OWN = {
    "gas_volume_l": Kind("gas", "total_increasing", "m³", _CUBIC_METRES, 3),
    "heat_volume_l": Kind("volume", "total_increasing", "L", decimals=0),
    "water_flow_l_h": Kind("volume_flow_rate", "measurement", "L/min", _LITRES_A_MINUTE, 2),
}
_FLOWS = ("W", "l/h")


def kind_of(key: str, unit: str) -> Kind | None:
    """Say how Home Assistant sees a quantity of the info document; None for a unit of a newer Nabd."""
    return _OWN.get(key) or _KINDS.get(unit)


def configurations(info: Info, topics: Topics, prefix: str, live_every: float) -> dict[str, bytes]:
    """Give every configuration by its topic; `live_every` is the shortest time between live values, in seconds."""
    made = {_topic(prefix, topics, "binary_sensor", "gateway"): _gateway(topics)}
    for meter in info.meters:
        for key, about in meter.quantities.items():
            kind = kind_of(key, about.get("unit", ""))
            if kind is not None:
                topic = _topic(prefix, topics, "sensor", f"{meter.id}_{key}")
                made[topic] = _sensor(topics, meter, key, kind, live_every)
    return made


def _topic(prefix: str, topics: Topics, component: str, name: str) -> str:
    return f"{prefix}/{component}/nabd_{topics.tenant}_{topics.gw}/{name}/config"


def _gateway(topics: Topics) -> bytes:
    return orjson.dumps(
        {
            "name": "Connection",
            "unique_id": f"nabd_{topics.tenant}_{topics.gw}_connection",
            "device_class": "connectivity",
            "entity_category": "diagnostic",
            "state_topic": topics.of("status"),
            "value_template": "{{ value_json.state }}",
            "payload_on": "online",
            "payload_off": "offline",
            "device": {
                "identifiers": [_name_of(topics)],
                "name": f"Nabd {topics.gw}",
                "manufacturer": "Nabd",
                "sw_version": VERSION,
            },
            "origin": _ORIGIN,
        }
    )


def _sensor(topics: Topics, meter: MeterInfo, key: str, kind: Kind, live_every: float) -> bytes:
    fields = {
        "name": key.removesuffix("_wh").removesuffix("_l").replace("_", " ").capitalize(),
        "unique_id": f"nabd_{topics.tenant}_{meter.id}_{key}",
        "state_topic": topics.of("live", meter.id),
        # A document without the value gives nothing, which Home Assistant leaves out: the last value stands.
        "value_template": _template(key, kind),
        "device_class": kind.device_class,
        "state_class": kind.state_class,
        "unit_of_measurement": kind.unit,
        "suggested_display_precision": kind.decimals,
        "entity_category": "diagnostic" if kind.diagnostic else None,
        "expire_after": _unheard(meter, live_every),
        "availability": [
            {
                "topic": topics.of("status"),
                "value_template": "{{ value_json.state }}",
                "payload_available": "online",
                "payload_not_available": "offline",
            }
        ],
        "device": {
            "identifiers": [f"nabd_{topics.tenant}_{meter.id}"],
            "name": meter.name or meter.id,
            "model": meter.model,
            **({"serial_number": meter.serial} if meter.serial else {}),
            "via_device": _name_of(topics),
        },
        "origin": _ORIGIN,
    }
    return orjson.dumps({name: value for name, value in fields.items() if value is not None})


_ORIGIN = {"name": "Nabd", "sw_version": VERSION}


def _name_of(topics: Topics) -> str:
    return f"nabd_{topics.tenant}_{topics.gw}"


def _template(key: str, kind: Kind) -> str:
    """Take a value out of the live document; it may be text, where a float could not hold it."""
    converted = f"(value_json.{key} | float){kind.factor}" if kind.factor else f"value_json.{key}"
    return f"{{% if value_json.{key} is defined %}}{{{{ {converted} }}}}{{% endif %}}"


def _unheard(meter: MeterInfo, live_every: float) -> int:
    tells_flow = any(about.get("unit") in _FLOWS for about in meter.quantities.values())
    slowest = 0 if tells_flow else SLOWEST_REGISTER
    return max(round(UNHEARD * max(meter.every, live_every, slowest)), SOONEST_UNHEARD)


class Discovery:
    """Keeps Home Assistant told; `error` says why it is not."""

    def __init__(
        self,
        connect: Connect,
        endpoint: Endpoint,
        topics: Topics,
        info: Callable[[], Info],
        prefix: str,
        live_every: float,
    ) -> None:
        """`info` gives the birth document, `prefix` begins Home Assistant's topics, `live_every` is in seconds."""
        self.error = ""
        self._connect, self._endpoint = connect, endpoint
        self._topics, self._info, self._prefix, self._live_every = topics, info, prefix, live_every

    async def run(self) -> None:
        """Connect, tell, and tell again whenever asked; ends only when cancelled."""
        backoff = Backoff(1.0, 60.0)
        while True:
            try:
                connection = await self._connect(self._endpoint)
                try:
                    await self._serve(connection, backoff)
                finally:
                    await connection.close()
            except NotTaken as error:  # a forbidden topic: a person must act first
                self.error = str(error)
                await asyncio.sleep(backoff.longest())
            except TransportError as error:
                self.error = str(error)
                await asyncio.sleep(backoff.next())

    async def _serve(self, connection: Connection, backoff: Backoff) -> None:
        told = configurations(self._info(), self._topics, self._prefix, self._live_every)
        births = f"{self._prefix}/status"
        await connection.subscribe([births, *self._own_topics()])
        await self._tell(connection, told)
        self.error = ""
        backoff.reset()
        async for arrived in connection.messages():
            arrived.ack()
            message = arrived.message
            if message.topic == births:
                if message.payload == b"online":
                    await self._tell(connection, told)
            elif message.payload and message.topic not in told:
                await connection.publish(Message(message.topic, b"", qos=1, retain=True))

    async def _tell(self, connection: Connection, told: dict[str, bytes]) -> None:
        for topic, payload in told.items():
            await connection.publish(Message(topic, payload, qos=1, retain=True))

    def _own_topics(self) -> Iterator[str]:
        """Name what we told once, so that what is no longer true can be taken back."""
        for component in ("sensor", "binary_sensor"):
            yield _topic(self._prefix, self._topics, component, "+")
