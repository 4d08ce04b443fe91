"""Push: what the phone shows, and what its buttons do."""

import json
from collections.abc import Callable
from typing import Any

from gateway.notify.channels.contract import Delivered, Message
from gateway.notify.channels.ntfy import Ntfy
from tests.support.http_sink import HttpSink


async def published(message: Message) -> dict[str, Any]:
    """Publish to a real server and give what it read."""
    async with HttpSink() as sink:
        sink.say(200, b'{"id":"hwQ2YpKdmg","event":"message"}')
        receipt = await Ntfy(f"http://127.0.0.1:{sink.port}", "home", "tk_1").send(message)
    assert receipt == Delivered("hwQ2YpKdmg")
    (posted,) = sink.posted
    assert posted.path == "/"
    assert posted.headers["authorization"] == "Bearer tk_1"
    said: dict[str, Any] = json.loads(posted.body)
    return said


async def test_a_critical_alert_rings_and_can_be_answered(message: Callable[..., Message]) -> None:
    """Highest priority; "seen" acts from the notification, "mute" opens its page."""
    said = await published(message())
    assert (said["topic"], said["priority"], said["tags"]) == ("home", 5, ["rotating_light"])
    assert said["title"].startswith("حمل زائد")
    assert said["click"] == "https://nabd.example/"
    seen, mute = said["actions"]
    assert (seen["action"], seen["method"], seen["url"]) == ("http", "POST", "https://nabd.example/a")
    assert (mute["action"], mute["url"]) == ("view", "https://nabd.example/m")


async def test_what_is_over_makes_no_sound(message: Callable[..., Message]) -> None:
    """The end of a critical alert is good news."""
    said = await published(message(state="cleared", seq=2))
    assert (said["priority"], said["tags"]) == (2, ["white_check_mark"])


async def test_the_same_message_has_the_same_name(message: Callable[..., Message]) -> None:
    """A phone that knows sequence ids shows a message sent twice once."""
    one, again, other = [await published(message(key=key)) for key in ("a-1.p", "a-1.p", "a-2.p")]
    assert one["sequence_id"] == again["sequence_id"] != other["sequence_id"]


async def test_a_strange_answer_is_still_a_yes(message: Callable[..., Message]) -> None:
    """Only the status decides; an id nobody can read is none."""
    for body in (b"[]", b"no json", b'{"id":null}', b'{"id":"' + b"x" * 9999 + b'"}'):
        async with HttpSink() as sink:
            sink.say(200, body)
            receipt = await Ntfy(f"http://127.0.0.1:{sink.port}", "home").send(message())
        assert isinstance(receipt, Delivered)
        assert len(receipt.id) <= 200
