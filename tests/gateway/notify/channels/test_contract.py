"""Every channel against a real local server of its kind: what it hands over, and what it makes of each answer."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Self

import pytest

from gateway.notify.channels import contract, ntfy, sms, smtp, telegram, webhook, webpush
from gateway.notify.channels.contract import Channel, Delivered, Message, Refused, TryLater
from gateway.notify.channels.ntfy import Ntfy
from gateway.notify.channels.sms import Sms, Template
from gateway.notify.channels.smtp import Smtp
from gateway.notify.channels.telegram import Telegram
from gateway.notify.channels.webhook import Webhook
from gateway.notify.channels.webpush import WebPush
from gateway.notify.channels.webpush_crypto import Subscription, new_key, point
from tests.support.http_sink import HttpSink
from tests.support.mail_sink import MailSink

CANARY = "canary-7c1e"
"""The secret each channel is given; it may stand nowhere but on the wire."""


@dataclass
class Bench:
    """A channel and its server, whichever they are."""

    channel: Channel
    server: HttpSink | MailSink

    def say(self, status: str) -> None:
        """Make the server take, put off or refuse."""
        if isinstance(self.server, MailSink):
            self.server.verdict = {"takes": "250 ok", "busy": "451 later", "refuses": "554 no"}[status]
        else:
            self.server.say({"takes": 200, "busy": 503, "refuses": 403}[status])

    def taken(self) -> int:
        """Count what the server took."""
        return len(self.server.mails if isinstance(self.server, MailSink) else self.server.posted)


MODULES = (contract, webhook, ntfy, smtp, telegram, sms, webpush)
KINDS = ["webhook", "ntfy", "smtp", "telegram", "sms", "webpush"]
BROWSER = Subscription("", point(new_key()), b"s" * 16)


def channel_to(kind: str, port: int) -> Channel:
    """Make a channel of a kind to a port of this machine."""
    if kind == "webhook":
        return Webhook(f"http://127.0.0.1:{port}/{CANARY}", time.time, CANARY.encode())
    if kind == "ntfy":
        return Ntfy(f"http://127.0.0.1:{port}", CANARY, CANARY)
    if kind == "telegram":
        return Telegram(CANARY, "42", f"http://127.0.0.1:{port}")
    if kind == "sms":
        template = Template.read('{"to":"{to}","text":"{text}","key":"{token}"}')
        return Sms(f"http://127.0.0.1:{port}/sms", f"+{CANARY}", template, CANARY)
    if kind == "webpush":
        to = replace(BROWSER, endpoint=f"http://127.0.0.1:{port}/{CANARY}")
        return WebPush(to, new_key(), "mailto:ops@example.org", time.time)
    return Smtp("127.0.0.1", port, "none", "nabd@example.org", "me@example.org", time.time)


@pytest.fixture(params=KINDS)
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Give each kind of channel with its server."""
    server: HttpSink | MailSink = MailSink() if request.param == "smtp" else HttpSink()
    async with server:
        yield Bench(channel_to(request.param, server.port), server)


async def test_what_the_provider_takes_is_delivered(bench: Bench, message: Callable[..., Message]) -> None:
    """One message, taken once."""
    assert isinstance(await bench.channel.send(message()), Delivered)
    assert bench.taken() == 1


async def test_what_may_pass_is_tried_later(bench: Bench, message: Callable[..., Message]) -> None:
    """A provider that is busy is asked again."""
    bench.say("busy")
    assert isinstance(await bench.channel.send(message()), TryLater)


async def test_what_stays_is_refused(bench: Bench, message: Callable[..., Message]) -> None:
    """A provider that says no is not asked again."""
    bench.say("refuses")
    assert isinstance(await bench.channel.send(message()), Refused)


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_there_is_tried_later(
    kind: str, message: Callable[..., Message], free_port: Callable[[], int]
) -> None:
    """A closed port is an outage, and no error escapes."""
    assert isinstance(await channel_to(kind, free_port()).send(message()), TryLater)


@pytest.mark.parametrize("answer", [b"", b"\0" * 100_000, b"HTTP/1.1 200 OK", b"220 " + b"x" * 100_000, b"\xff\r\n"])
@pytest.mark.parametrize("kind", KINDS)
async def test_rubbish_is_tried_later(kind: str, answer: bytes, message: Callable[..., Message]) -> None:
    """A server that speaks something else, cut short or far too much, neither raises nor is believed."""
    async with RubbishServer(answer) as server:
        async with asyncio.timeout(5):
            assert isinstance(await channel_to(kind, server.port).send(message()), TryLater)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_endless_answer_ends(
    kind: str, message: Callable[..., Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that talks for ever costs no more than its time limit."""
    for module in MODULES:
        monkeypatch.setattr(module, "TIMEOUT", 0.5)
    async with RubbishServer(
        b"HTTP/1.1 100 Continue\r\n\r\n" if kind != "smtp" else b"220-more\r\n", endless=True
    ) as server:
        async with asyncio.timeout(5):
            receipt = await channel_to(kind, server.port).send(message())
    assert isinstance(receipt, TryLater | Refused)


@pytest.mark.parametrize("kind", KINDS)
async def test_silence_ends(kind: str, message: Callable[..., Message], monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never answers is given up after the time limit."""
    for module in MODULES:
        monkeypatch.setattr(module, "TIMEOUT", 0.3)
    async with RubbishServer(b"", silent=True) as server:
        async with asyncio.timeout(5):
            assert isinstance(await channel_to(kind, server.port).send(message()), TryLater)


async def test_no_secret_and_no_message_is_in_what_is_told(
    bench: Bench, message: Callable[..., Message], caplog: pytest.LogCaptureFixture
) -> None:
    """Receipts, reprs and the log hold neither the token nor the customer's words."""
    caplog.set_level(0)
    for status in ("takes", "busy", "refuses"):
        bench.say(status)
        said = repr(await bench.channel.send(message())) + repr(bench.channel) + caplog.text
        assert CANARY not in said
        assert "المنزل" not in said


class RubbishServer:
    """Says `answer` to whoever connects, once or for ever, and closes; or says nothing and stays."""

    def __init__(self, answer: bytes, *, endless: bool = False, silent: bool = False) -> None:
        self.answer, self.endless, self.silent = answer, endless, silent

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self.server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        self.over = asyncio.Event()
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.over.set()
        self.server.close()

    async def _serve(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.silent:
                await self.over.wait()
            writer.write(self.answer)
            await writer.drain()
            while self.endless:
                writer.write(self.answer)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
