"""`nabd command`: one message, one reply, and words when there is none."""

import asyncio
from argparse import Namespace
from pathlib import Path

import orjson
import pytest

from gateway.commands.judge import judge
from gateway.commands_cmd import command, fields_of, run, send
from gateway.config import load
from gateway.config.customers import HubConfig
from gateway.message import Topics
from gateway.transport import Message
from tests.support.memory_transport import MemoryBroker

TOPICS = Topics("home", "gw-1")


@pytest.fixture
def config(tmp_path: Path) -> HubConfig:
    """Give a hub's configuration, its broker where nobody listens."""
    (tmp_path / "hub.toml").write_text('[mqtt]\nurl = "mqtt://127.0.0.1:1"\n', encoding="utf-8")
    return load(tmp_path / "hub.toml", "hub", {})


def test_fields_are_json_where_they_are_and_text_elsewhere(tmp_path: Path) -> None:
    """A number is a number, a name is a name, and a file's text is a text."""
    (tmp_path / "new.toml").write_text("[gateway]\n", encoding="utf-8")
    given = ["meter=gw-1_main", "every_s=5", f"config=@{tmp_path / 'new.toml'}", "text=a=b"]
    assert fields_of(given) == {"meter": "gw-1_main", "every_s": 5, "config": "[gateway]\n", "text": "a=b"}
    with pytest.raises(ValueError, match="FIELD=VALUE"):
        fields_of(["meter"])


def test_what_is_sent_is_what_a_gateway_obeys() -> None:
    """Its own fields cannot change the id, and it needs no clock."""
    message = command(TOPICS, "replay", "operator", {"from": 1, "to": 2, "id": "another"}, "0123456789abcdef")
    assert message.topic == "nabd/v1/home/gw-1/cmd/replay"
    assert (message.retain, message.expiry) == (False, 60)
    assert judge("replay", message, None).id == "0123456789abcdef"
    assert orjson.loads(message.payload)["from"] == 1


async def test_the_reply_to_this_command_is_given(config: HubConfig) -> None:
    """Others' replies on the same topic are stepped over; the connection is closed."""
    broker = MemoryBroker()
    message = command(TOPICS, "ping", "operator", {}, "0123456789abcdef")
    asking = asyncio.create_task(send(config, TOPICS, message, 5, broker))
    async with asyncio.timeout(5):
        while not broker.published:
            await asyncio.sleep(0.001)
    broker.deliver(Message(TOPICS.of("reply"), b'{"pong": 1}', qos=1, correlation=b"another"))
    broker.deliver(Message(TOPICS.of("reply"), b'{"pong": 2}', qos=1, correlation=message.correlation))
    assert await asking == {"pong": 2}
    assert broker.connections[0].filters == [TOPICS.of("reply")]
    assert broker.connections[0].lost.is_set()


async def test_a_reply_that_is_none_is_an_error(config: HubConfig) -> None:
    """Replies come from outside as well."""
    broker = MemoryBroker()
    message = command(TOPICS, "ping", "operator", {}, "0123456789abcdef")
    asking = asyncio.create_task(send(config, TOPICS, message, 5, broker))
    async with asyncio.timeout(5):
        while not broker.published:
            await asyncio.sleep(0.001)
    broker.deliver(Message(TOPICS.of("reply"), b"[", qos=1, correlation=message.correlation))
    assert "error" in await asking


@pytest.mark.parametrize(
    ("gateway", "fields", "said"),
    [
        ("gw-1", [], "127.0.0.1:1"),
        ("t/#", [], "by its id"),
        ("a/b/c", [], "by its id"),
        ("gw-1", ["meter"], "FIELD=VALUE"),
        ("gw-1", ["config=@/no/such/file"], "No such file"),
    ],
)
def test_what_cannot_be_sent_is_said_in_one_line(config: HubConfig, gateway: str, fields: list[str], said: str) -> None:
    """A broker that is away, a name that is no gateway's, a file that is not there."""
    complaints: list[str] = []
    options = Namespace(gateway=gateway, name="ping", fields=fields, role="operator", wait=1.0)
    assert run(options, config, print, complaints.append) == 2
    assert said in complaints[0]
