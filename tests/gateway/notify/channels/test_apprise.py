"""Apprise behind our contract: whatever a service does, it neither raises nor holds us up."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.notify.channels.apprise import Apprise, sender_of
from gateway.notify.channels.contract import Delivered, Message, Receipt, Refused, TryLater


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
    monkeypatch.setattr("gateway.notify.channels.apprise.TIMEOUT", 0.1)
    service, made = Service(answer), message()
    receipt = await Apprise(service).send(made)
    assert isinstance(receipt, kind)
    assert "canary" not in repr(receipt)
    assert service.said == {"title": made.words.title, "body": made.words.text, "notify_type": "failure"}


async def test_an_address_nobody_knows_is_refused(message: Callable[..., Message]) -> None:
    """Also by the package itself, where it is installed."""
    assert isinstance(await Apprise(None).send(message()), Refused)
    pytest.importorskip("apprise", reason="the package apprise is not installed")
    assert sender_of("nonsense") is None
    assert sender_of("json://127.0.0.1") is not None
