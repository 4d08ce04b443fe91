"""Where the link of a message leads: to the one alert it is about, or to the live page for several."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gateway.alerts.event import AlertEvent, alert_id
from gateway.notify.bundle import Bundle
from gateway.notify.channels.contract import Message
from gateway.notify.planning import Waiting
from gateway.notify.router import Contact
from tests.support.telling import NOON, Receiver, Telling, virtually


def test_a_message_leads_to_its_alert(tmp_path: Path, event: Callable[..., AlertEvent]) -> None:
    """By a link that says so; several alerts at once are told with the live page."""

    async def work() -> tuple[Message, Message]:
        telling = Telling(tmp_path / "hub.sqlite", {"phone": Receiver()}, {"phone": Contact("phone", quiet=None)})
        await telling.open()
        notifier = telling.notifier()
        reader = notifier._readers[0]
        one = event(id=alert_id("overload", "m", NOON), severity="warning", raised=NOON, at=NOON)
        parts = [Waiting(n, f"k{n}", "home", "gw", "phone", 0, False, one, n, 0, "Home") for n in (1, 2)]
        messages = [notifier._message(reader, Bundle(tuple(some)), None) for some in (parts[:1], parts)]
        await telling.database.close()
        return messages[0], messages[1]

    single, several = virtually(work)
    assert single.words.page is not None
    assert single.words.page.url == f"https://nabd.example/alert/{single.thread}"
    assert single.words.page.label == "More about this alert"
    assert several.words.page == replace(single.words.page, label="Live page", url="https://nabd.example/")
