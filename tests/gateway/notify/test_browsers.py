"""Browsers that subscribed: a few for each customer, told after what is configured, by one key."""

import asyncio
from pathlib import Path

import pytest

from gateway.notify import browsers
from gateway.notify.browsers import MOST, Browser, NoSubscription
from gateway.notify.channels.webpush import WebPush
from tests.support.desk import open_desk

NOW = 1_795_219_210_000
BODY = (
    '{{"endpoint":"https://{host}/x{n}","keys":{{"p256dh":'
    '"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",'
    '"auth":"BTBZMqHH6r4Tts7J_aSIgg"}}}}'
)


def body(n: int = 1, host: str = "fcm.googleapis.com") -> str:
    """Make what a browser gives."""
    return BODY.format(n=n, host=host)


@pytest.mark.parametrize("host", ["fcm.googleapis.com", "web.push.apple.com", "db5p.notify.windows.com"])
def test_a_browser_is_named_by_its_endpoint(host: str) -> None:
    """The same always, another for another, and its name tells nothing of it."""
    assert browsers.name_of(body(1, host)) == browsers.name_of(body(1, host)) != browsers.name_of(body(2, host))


@pytest.mark.parametrize("text", ["", "{}", "[]", body(1, "googleapis.com"), body(1, "fcm.googleapis.com.evil.test")])
def test_what_is_no_browser_is_refused(text: str) -> None:
    """Rubbish, and addresses that are no push service's."""
    with pytest.raises(NoSubscription):
        browsers.name_of(text)


async def test_the_oldest_falls(tmp_path: Path) -> None:
    """A customer keeps the newest few, and each customer their own."""
    async with open_desk(tmp_path, lambda: NOW) as (_, database):
        for n in range(MOST + 2):
            made = Browser("home", browsers.name_of(body(n)), body(n), "ar", "https://nabd.test", NOW + n)
            await database.file.write(lambda c, one=made: browsers.add(c, one))  # type: ignore[misc]
        other = Browser("other", "browser-0", body(), "en", "https://nabd.test", 1)
        await database.file.write(lambda c: browsers.add(c, other))
        kept = await database.file.read(browsers.every)
    assert [one.since - NOW for one in kept if one.tenant == "home"] == list(range(2, MOST + 2))
    assert kept[-1] == other


async def test_a_subscribed_browser_becomes_a_channel(tmp_path: Path) -> None:
    """In the language of the page it subscribed on, without digests, and over a restart under the same key."""
    keys = set()
    async with open_desk(tmp_path, lambda: NOW) as (desk, _):
        assert await desk.subscribe("home", body(), "ar", "https://nabd.test") is None
        keys.add(await desk.push_key())
    async with open_desk(tmp_path, lambda: NOW) as (desk, _):
        reader = desk.telling._notices.readers[-1]
        keys.add(await desk.push_key())
    assert len(keys) == 1
    assert (reader.language, reader.contact.often("digest"), reader.tenant) == ("ar", "off", "home")
    assert isinstance(reader.channel, WebPush)
    assert reader.channel.contact == "https://nabd.test"
    assert reader.name == browsers.name_of(body())


async def test_subscribing_changes_whom_a_running_notifier_tells(tmp_path: Path) -> None:
    """The one that runs ends, and one that knows the browser goes on; removing it is the same again."""
    async with open_desk(tmp_path, lambda: NOW) as (desk, _), asyncio.TaskGroup() as group:
        telling = desk.telling
        telling.start(group, "https://nabd.test/")
        first = telling._task
        await desk.subscribe("home", body(), "en", "https://nabd.test")
        second = telling._task
        assert first is not None
        assert second is not None
        assert (first.cancelled(), second.done()) == (True, False)
        assert "push to browsers" in await desk.providers()
        await desk.unsubscribe("home", browsers.name_of(body()))
        assert second.cancelled()
        assert "push to browsers" not in await desk.providers()
        assert telling._task is not None
        telling._task.cancel()
