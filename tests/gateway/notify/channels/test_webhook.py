"""Webhooks: what a receiver can verify, and where a message never goes."""

import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.notify.channels.contract import Delivered, Message, Refused, TryLater
from gateway.notify.channels.webhook import Webhook, secret_bytes
from tests.support.http_sink import HttpSink

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()


def hook(port: int, secret: str = SECRET, scheme: str = "http") -> Webhook:
    """Make the webhook under test, at noon of some day."""
    return Webhook(f"{scheme}://127.0.0.1:{port}/hook?x=1", lambda: 1_800_000_000.9, secret_bytes(secret))


async def test_the_receiver_can_verify_it(message: Callable[..., Message]) -> None:
    """The signature is HMAC-SHA256 over id, timestamp and the very body, with the secret's bytes."""
    async with HttpSink() as sink:
        await hook(sink.port).send(message(key="k-1.phone"))
    (posted,) = sink.posted
    assert posted.path == "/hook?x=1"
    assert posted.headers["webhook-id"] == posted.headers["idempotency-key"] == "k-1.phone"
    assert posted.headers["webhook-timestamp"] == "1800000000"
    said = b"k-1.phone.1800000000." + posted.body
    mac = hmac.new(b"0123456789abcdef01234567", said, hashlib.sha256).digest()
    assert posted.headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"


async def test_it_is_a_cloud_event_with_texts_in_each_language(message: Callable[..., Message]) -> None:
    """Structured mode: the event's own fields, and in its data lateness, time of sending and both texts."""
    made = message()
    async with HttpSink() as sink:
        await hook(sink.port).send(made)
    (posted,) = sink.posted
    event = json.loads(posted.body)
    assert posted.headers["content-type"].startswith("application/cloudevents+json")
    assert {name: event[name] for name in ("specversion", "type", "source", "subject", "id")} == {
        "specversion": "1.0", "type": "nabd.alert.raised", "source": "/nabd/home/gw", "subject": "gw_main",
        "id": made.alert.key,
    }  # fmt: skip
    assert (event["data"]["late"], event["data"]["sent"]) == (False, 1_800_000_000_000)
    assert event["data"]["texts"]["ar"]["title"].startswith("حمل زائد")
    assert event["data"]["texts"]["en"]["title"].startswith("Overload")


async def test_a_redirect_is_not_followed(message: Callable[..., Message]) -> None:
    """Nobody sends our message elsewhere by an answer."""
    async with HttpSink() as other, HttpSink() as sink:
        sink.say(307, location=f"http://127.0.0.1:{other.port}/")
        assert isinstance(await hook(sink.port).send(message()), Refused)
    assert other.posted == []


@pytest.mark.parametrize(
    ("said", "waits"), [("7", 7), ("999999", 3600), ("", 0), ("-5", 0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0), ("٣", 0)]
)
async def test_the_wait_a_provider_asks_for_is_kept_within_reason(
    said: str, waits: float, message: Callable[..., Message]
) -> None:
    """Seconds are obeyed up to an hour; anything else is no wish."""
    async with HttpSink() as sink:
        sink.answer = f"HTTP/1.1 429 Slow\r\nretry-after: {said}\r\ncontent-length: 0\r\n\r\n".encode()
        receipt = await hook(sink.port).send(message())
    assert isinstance(receipt, TryLater)
    assert receipt.after == waits


async def test_tls_is_verified(message: Callable[..., Message], certificate: tuple[ssl.SSLContext, Path]) -> None:
    """A certificate nobody vouches for is no receiver; the configured one is."""
    context, file = certificate
    async with HttpSink(tls=context) as sink:
        receipt = await hook(sink.port, scheme="https").send(message())
        assert isinstance(receipt, TryLater)
        assert "certificate" in receipt.why
        trusted = Webhook(f"https://127.0.0.1:{sink.port}/", lambda: 0.0, tls=ssl.create_default_context(cafile=file))
        assert isinstance(await trusted.send(message()), Delivered)
    assert len(sink.posted) == 1


def test_a_secret_that_is_no_base64_is_taken_as_it_is() -> None:
    """What people type is what is signed with."""
    assert secret_bytes("plain words") == b"plain words"
    assert secret_bytes("whsec_%%") == b"whsec_%%"
