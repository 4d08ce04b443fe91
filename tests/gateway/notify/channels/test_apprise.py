"""Apprise behind our contract: whatever a service does, it neither raises nor holds us up."""

import asyncio
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.config.customers import ChannelTable
from gateway.config.errors import ConfigError
from gateway.config.values import Context
from gateway.notify.channels import apprise
from gateway.notify.channels.apprise import TALKATIVE, Apprise, sender_of
from gateway.notify.channels.build import channel_of
from gateway.notify.channels.contract import Delivered, Message, Receipt, Refused, TryLater
from tests.support.http_sink import HttpSink

CANARY = "canary-7c1e"


class Service:
    """A service that answers as told."""

    def __init__(self, answer: object) -> None:
        self.answer, self.said = answer, {}  # type: object, dict[str, Any]

    def add(self, servers: str) -> bool:
        """Know it."""
        return bool(servers)

    async def async_notify(self, **what: Any) -> bool | None:
        """Answer, fail, or never come back."""
        self.said = what
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer == "hang":
            await asyncio.Event().wait()
        return bool(self.answer)


@pytest.mark.parametrize(
    ("answer", "kind"), [(True, Delivered), (False, TryLater), (OSError("canary"), TryLater), ("hang", TryLater)]
)
async def test_what_the_service_does_becomes_a_receipt(
    answer: object, kind: type[Receipt], message: Callable[..., Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own words are not repeated, for addresses with secrets stand in them."""
    monkeypatch.setattr(apprise, "TIMEOUT", 0.1)
    service, made = Service(answer), message()
    receipt = await Apprise(lambda: service).send(made)
    assert isinstance(receipt, kind)
    assert "canary" not in repr(receipt)
    assert service.said == {"title": made.words.title, "body": made.words.text, "notify_type": "failure"}


async def test_an_address_nobody_knows_is_refused(message: Callable[..., Message]) -> None:
    """For good: it will not become one."""
    assert isinstance(await Apprise(lambda: None).send(message()), Refused)


async def test_it_is_loaded_once_aside_and_by_nobody_s_giving_up_anew(
    message: Callable[..., Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it loads the loop runs; who came first gives up in time, and who comes later finds it loaded."""
    go, made = threading.Event(), list[str]()

    def load() -> Service:
        made.append(threading.current_thread().name)
        go.wait(10)
        return Service(answer=True)

    channel = Apprise(load)
    monkeypatch.setattr(apprise, "TIMEOUT", 0.05)
    assert isinstance(await channel.send(message()), TryLater)
    go.set()
    monkeypatch.setattr(apprise, "TIMEOUT", 10)
    receipts = await asyncio.gather(channel.send(message()), channel.send(message()))
    assert [type(receipt) for receipt in receipts] == [Delivered, Delivered]
    assert len(made) == 1
    assert made[0] != threading.current_thread().name


def table(tmp_path: Path, address: str) -> ChannelTable:
    """Make a channel's table, with its secret in a file."""
    file = tmp_path / "address"
    file.write_text(address, encoding="utf-8")
    file.chmod(0o600)
    said = {"name": "any", "kind": "apprise", "address_file": str(file)}
    return ChannelTable.model_validate(said, context=Context(tmp_path, {}))


@pytest.fixture
def quiet() -> Iterator[None]:
    """Leave other tests' loggers as they were."""
    levels = {name: logging.getLogger(name).level for name in TALKATIVE}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.usefixtures("quiet")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the package itself
async def test_the_real_one_keeps_the_contract(
    message: Callable[..., Message], caplog: pytest.LogCaptureFixture, free_port: Callable[[], int]
) -> None:
    """Taken, busy, refused, nobody there, no answer; and neither its address nor our words are in any log."""
    pytest.importorskip("apprise", reason="the package apprise is not installed (the `apprise` extra)")
    caplog.set_level(0)
    assert sender_of("nonsense") is None

    def channel(port: int) -> Apprise:
        return Apprise(lambda: sender_of(f"json://{CANARY}:{CANARY}@127.0.0.1:{port}/{CANARY}?rto=0.5&cto=0.5"))

    told, made = list[Receipt](), message()
    async with HttpSink() as server:
        one = channel(server.port)
        for status in (200, 503, 403):
            server.say(status)
            told.append(await one.send(made))
        assert len(server.posted) == 3
        said = orjson.loads(server.posted[0].body)
        assert (said["title"], said["message"], said["type"]) == (made.words.title, made.words.text, "failure")
        server.after = 30.0
        told.append(await one.send(made))
    told.append(await channel(free_port()).send(made))
    assert [type(receipt) for receipt in told] == [Delivered, TryLater, TryLater, TryLater, TryLater]
    assert CANARY not in caplog.text + repr(told) + repr(one)
    assert "المنزل" not in caplog.text


def test_without_the_package_the_file_is_refused_with_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start, and not at the first alert."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    monkeypatch.setattr("gateway.notify.channels.build.find_spec", lambda _: None)
    with pytest.raises(ConfigError) as refused:
        channel_of(table(tmp_path, "json://x"), lambda: 0.0)
    assert "needs the package apprise" in str(refused.value)
