"""Home Assistant discovery: every quantity by the rules of Home Assistant, told, told again, taken back.

`ALLOWED` is our own table of those rules: for each device class the units and state classes that a sensor of it may
have, as Home Assistant 2024.3 and later check them.
"""

import asyncio
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, Self

import orjson
import pytest
from jinja2 import Environment

from drivers.quantities import BY_KEY
from gateway.discovery import Discovery, configurations, kind_of
from gateway.message import Info, MeterInfo, Topics
from gateway.transport import Endpoint, Lost, Message
from tests.support.memory_transport import MemoryBroker

TOPICS = Topics("home", "gw")
MEASUREMENT, COUNTER = {"measurement"}, {"total", "total_increasing"}
ALLOWED: dict[str | None, tuple[set[str | None], set[str]]] = {
    "energy": ({"Wh", "kWh", "MWh", "MJ", "GJ"}, COUNTER),
    "power": ({"W", "kW"}, MEASUREMENT),
    "reactive_power": ({"var"}, MEASUREMENT),
    "apparent_power": ({"VA"}, MEASUREMENT),
    "voltage": ({"V", "mV"}, MEASUREMENT),
    "current": ({"A", "mA"}, MEASUREMENT),
    "frequency": ({"Hz", "kHz", "MHz", "GHz"}, MEASUREMENT),
    "power_factor": ({None, "%"}, MEASUREMENT),
    "water": ({"L", "gal", "m³", "ft³", "CCF"}, COUNTER),
    "gas": ({"m³", "ft³", "CCF"}, COUNTER),
    "volume": ({"L", "mL", "gal", "fl. oz.", "m³", "ft³", "CCF"}, COUNTER),
    "volume_flow_rate": ({"m³/h", "ft³/min", "L/min", "gal/min"}, MEASUREMENT),
    "temperature": ({"°C", "°F", "K"}, MEASUREMENT),
    "duration": ({"d", "h", "min", "s", "ms"}, MEASUREMENT | COUNTER),
    None: ({"varh"}, COUNTER),
}


def render(template: str, document: object) -> str:
    """Fill a template as Home Assistant does."""
    return Environment(autoescape=False).from_string(template).render(value_json=document)  # noqa: S701  no page is made


def meter(name: str = "main", commodity: str = "electricity", **quantities: str) -> MeterInfo:
    """Make a meter of the info document with these quantities and units."""
    about = {key: {"unit": unit, "kind": "", "obis": ""} for key, unit in quantities.items()}
    return MeterInfo(id=f"gw_{name}", name=name, commodity=commodity, model="M", every=10, quantities=about)


def told(*meters: MeterInfo, live_every: float = 1.0) -> dict[str, dict[str, Any]]:
    """Give the configurations by topic."""
    made = configurations(Info(meters=list(meters)), TOPICS, "homeassistant", live_every)
    return {topic: orjson.loads(payload) for topic, payload in made.items()}


def sensor(key: str, unit: str, **more: Any) -> dict[str, Any]:
    """Give one sensor's configuration."""
    return told(meter(**{key: unit}), **more)[f"homeassistant/sensor/nabd_home_gw/gw_main_{key}/config"]


@pytest.mark.parametrize("key", list(BY_KEY))
def test_every_quantity_has_a_class_its_unit_fits(key: str) -> None:
    """Home Assistant would refuse or warn of any other unit or state class."""
    kind = kind_of(key, BY_KEY[key].unit)
    assert kind is not None
    units, states = ALLOWED[kind.device_class]
    assert kind.unit in units
    assert kind.state_class in states
    assert (kind.state_class == "total_increasing") == (BY_KEY[key].kind == "counter")


@pytest.mark.parametrize(
    ("key", "unit", "value", "shown"),
    [
        ("power_w", "W", 1250.5, "1250.5"),
        ("energy_import_wh", "Wh", "9007199254740.9931", "9007199254740.9931"),
        ("gas_volume_l", "l", 7_412_318, "7412.318"),
        ("water_flow_l_h", "l/h", 60, "1.0"),
        ("water_flow_l_h", "l/h", "90", "1.5"),
        ("gas_flow_l_h", "l/h", 1250, "1.25"),
        ("power_factor", "1", 0.97, "0.97"),
    ],
)
def test_the_template_takes_and_converts_the_value(key: str, unit: str, value: object, shown: str) -> None:
    """What Home Assistant's template engine makes of a live document is right in the unit we name."""
    assert render(sensor(key, unit)["value_template"], {key: value, "v": 1}) == shown


def test_a_value_that_is_not_there_is_nothing() -> None:
    """An empty text is left out by Home Assistant; an error or a zero would be shown."""
    assert render(sensor("gas_volume_l", "l")["value_template"], {"v": 1}) == ""


def test_topics_and_ids_hold_only_what_home_assistant_takes() -> None:
    """Parts of a discovery topic are letters, digits, _ and -, and every unique id is one."""
    made = told(meter("a", power_w="W", voltage_l1_v="V"), meter("b", power_w="W"))
    for topic in made:
        assert re.fullmatch(r"homeassistant/(sensor|binary_sensor)(/[A-Za-z0-9_-]+){2}/config", topic)
    ids = [document["unique_id"] for document in made.values()]
    assert len(set(ids)) == len(ids) == 4


def test_a_sensor_says_where_it_comes_from() -> None:
    """Meter, gateway and origin are named, so that Home Assistant groups what belongs together."""
    document = sensor("power_w", "W")
    assert document["state_topic"] == "nabd/v1/home/gw/live/gw_main"
    assert document["device"]["name"] == "main"
    assert document["device"]["via_device"] == "nabd_home_gw"
    assert document["origin"]["name"] == "Nabd"
    gateway = told()["homeassistant/binary_sensor/nabd_home_gw/gateway/config"]
    assert gateway["device"]["identifiers"] == ["nabd_home_gw"]
    assert gateway["device_class"] == "connectivity"


def test_a_sensor_is_unavailable_with_its_gateway() -> None:
    """The status topic decides, through its own template, as a list of one."""
    (availability,) = sensor("power_w", "W")["availability"]
    assert availability["topic"] == "nabd/v1/home/gw/status"
    for state in ("online", "offline"):
        assert render(availability["value_template"], {"state": state}) == state
    assert (availability["payload_available"], availability["payload_not_available"]) == ("online", "offline")


@pytest.mark.parametrize(
    ("key", "unit", "live_every", "seconds"),
    [("power_w", "W", 1.0, 60), ("power_w", "W", 600.0, 3000), ("gas_volume_l", "l", 1.0, 18000)],
)
def test_a_sensor_expires_when_it_is_not_heard(key: str, unit: str, live_every: float, seconds: int) -> None:
    """Five values missed mean unknown; a register alone may be told once an hour."""
    assert sensor(key, unit, live_every=live_every)["expire_after"] == seconds


def test_a_unit_of_a_newer_nabd_is_left_out() -> None:
    """What we do not know is not guessed at."""
    assert list(told(meter(brightness_lx="lx"))) == ["homeassistant/binary_sensor/nabd_home_gw/gateway/config"]


class Story:
    """A running Discovery at a broker in memory."""

    def __init__(self) -> None:
        """One meter is known."""
        self.broker, self.info = MemoryBroker(), Info(meters=[meter(power_w="W")])
        endpoint = Endpoint("mqtt://x", "gw-discovery")
        self.discovery = Discovery(self.broker, endpoint, TOPICS, lambda: self.info, "homeassistant", 1.0)

    async def __aenter__(self) -> Self:
        """Start."""
        self.task = asyncio.create_task(self.discovery.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def published(self, count: int) -> list[Message]:
        """Wait for so many messages in all."""
        async with asyncio.timeout(5):
            while len(self.broker.published) < count:
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        assert len(self.broker.published) == count
        return self.broker.published


async def test_everything_is_told_retained_at_a_connection() -> None:
    """Home Assistant finds it whenever it starts."""
    async with Story() as story:
        messages = await story.published(2)
        assert all(message.retain and message.qos == 1 for message in messages)


async def test_everything_is_told_again_when_home_assistant_is_born() -> None:
    """Its birth message asks for it; its last will does not."""
    async with Story() as story:
        await story.published(2)
        story.broker.deliver(Message("homeassistant/status", b"offline"))
        story.broker.deliver(Message("homeassistant/status", b"online"))
        assert len({message.topic for message in await story.published(4)}) == 2


async def test_a_meter_that_is_gone_is_taken_back() -> None:
    """A retained configuration of ours that is no longer true is cleared, once; a true one stays."""
    old = "homeassistant/sensor/nabd_home_gw/gw_gone_power_w/config"
    async with Story() as story:
        messages = await story.published(2)
        story.broker.deliver(Message(old, b"{}", retain=True), *messages)
        story.broker.deliver(Message(old, b"", retain=True))
        cleared = (await story.published(3))[-1]
        assert (cleared.topic, cleared.payload, cleared.retain) == (old, b"", True)


async def test_a_lost_broker_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a loss everything is told anew."""
    monkeypatch.setattr("gateway.backoff.Backoff.next", lambda _: 0.0)
    async with Story() as story:
        await story.published(2)
        story.broker.lose()
        await story.published(4)
        assert len(story.broker.connections) == 2


async def test_a_broker_that_forbids_it_is_told_and_left_alone() -> None:
    """A person must allow the topics first; until then we wait the longest."""
    story = Story()
    story.broker.refuse_with = 0x87
    async with story:
        async with asyncio.timeout(5):
            while not story.discovery.error:
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        assert len(story.broker.connections) == 1


async def test_a_broker_that_is_away_is_waited_for() -> None:
    """Its absence is said, not raised."""
    story = Story()
    story.broker.down = Lost("nobody there")
    async with story:
        async with asyncio.timeout(5):
            while not story.discovery.error:
                await asyncio.sleep(0.001)
        assert "nobody there" in story.discovery.error


@pytest.mark.slow
def test_home_assistant_itself_takes_every_configuration() -> None:
    """Its own schema and tables agree with ours; NABD_HOME_ASSISTANT names a Python that has `homeassistant`.

    Its hundred packages take minutes to install, so that is left to whoever wants the proof: 2024.3.3 was asked.
    """
    python = os.environ.get("NABD_HOME_ASSISTANT")
    if python is None:
        pytest.skip("NABD_HOME_ASSISTANT names no Python that has homeassistant")
    everything = told(meter(**{key: row.unit for key, row in BY_KEY.items()}))
    done = subprocess.run(
        [python, str(Path(__file__).parents[1] / "support" / "home_assistant.py")],
        input=json.dumps(everything),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
