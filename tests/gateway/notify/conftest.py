"""Alerts and messages to tell."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.alerts.event import AlertEvent, alert_id, cloud_event
from gateway.notify.channels.contract import Message
from gateway.notify.links import ACTIONS
from gateway.notify.render import Occasion, render
from gateway.notify.router import Contact
from tests.gateway.notify.moments import MS, NOW
from tests.support.telling import NOON, Receiver, Telling

OVERLOAD = AlertEvent(
    id=alert_id("overload", "gw_main", MS - 60_000),
    seq=1,
    rule="overload",
    meter="gw_main",
    state="raised",
    severity="critical",
    raised=MS - 60_000,
    at=MS - 1000,
    value=71.4,
    baseline=63.0,
    unit="A",
    quantity="current_l1_a",
    evidence={"limit_a": 63.0, "since_ms": MS - 60_000, "peak_a": 74.0},
)


@pytest.fixture
def event() -> Callable[..., AlertEvent]:
    """Give a callable that makes an event: an overload unless told otherwise."""

    def make(**changes: Any) -> AlertEvent:
        if changes.get("state") == "cleared":
            changes.setdefault("cleared", changes.get("at", OVERLOAD.at))
        return replace(OVERLOAD, **changes)

    return make


@pytest.fixture
def message(event: Callable[..., AlertEvent]) -> Callable[..., Message]:
    """Give a callable that makes a message of an event, with links, in Arabic unless told otherwise."""

    def make(key: str = "", language: str = "ar", name: str = "المنزل", **changes: Any) -> Message:
        made = event(**changes)
        every = {
            spoken: render(
                Occasion(
                    made,
                    name,
                    spoken,
                    NOW,
                    "https://nabd.example/",
                    {action: f"https://nabd.example/{action[0]}" for action in ACTIONS},
                )
            )
            for spoken in ("en", "ar")
        }
        return Message(
            key or f"{made.key}.phone", made.id, every[language], made, cloud_event(made, "home", "gw"), every
        )

    return make


@pytest.fixture
def make(event: Callable[..., AlertEvent]) -> Callable[..., AlertEvent]:
    """Give a callable that makes an event at noon plus `after` seconds; `n` tells alerts apart."""

    def made(n: int = 0, after: float = 0, **changes: object) -> AlertEvent:
        raised = NOON + n
        at = NOON + round(after * 1000)
        return event(id=alert_id("overload", "gw_main", raised), raised=raised, at=at, **changes)

    return made


@pytest.fixture
def telling(tmp_path: Path) -> Callable[..., Telling]:
    """Give a callable that makes a customer's channels, by name."""

    def made(*names: str, **contacts: Contact) -> Telling:
        return Telling(tmp_path / "hub.sqlite", {name: Receiver() for name in names}, contacts)

    return made
