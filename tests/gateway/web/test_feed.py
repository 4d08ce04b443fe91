"""Server-sent events: what changed, at each listener's own pace."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import orjson
import pytest

from gateway.alerts.event import AlertEvent, alert_id
from gateway.live import LiveBook, LiveMeter
from gateway.web import feed as feeds
from gateway.web.alertbook import AlertBook
from gateway.web.feed import Feed
from gateway.web.rights import Visitor
from gateway.web.screen import Pages, Screen, Sources
from tests.support.virtual_time import run_virtually

NOW = 1_795_219_210_000
VISITOR = Visitor("operator", "home")


class House:
    """Two meters on virtual time, a feed, and what a listener was told."""

    def __init__(self) -> None:
        """Know both meters."""
        self.ms = NOW
        self.book, self.alerts = LiveBook("home"), AlertBook(lambda: self.ms)
        for name in ("a", "b"):
            self.book.know(LiveMeter(name, name, "water", "M", 1.0, NOW, 0, {"water_flow_l_h": 60.0}))
        sources = Sources(self.book, lambda: self.ms, None, self.alerts)
        self.feed = Feed(partial(Screen, Pages(), sources), lambda: self.ms)
        self.allowed = True

    def listen(self) -> AsyncIterator[bytes]:
        """Begin to listen."""
        return self.feed.listen("en", VISITOR, lambda: self.allowed)

    def read(self, meter: str, flow: float) -> None:
        """Give a meter a new value."""
        self.ms += 1000
        self.book.update(meter, self.ms, 0, {"water_flow_l_h": flow})


def told(event: bytes) -> tuple[str, Any]:
    """Split an event into its kind and data."""
    kind, data, *_ = event.decode().split("\n")
    return kind.removeprefix("event: "), orjson.loads(data.removeprefix("data: "))


async def first_look(listener: AsyncIterator[bytes]) -> list[tuple[str, Any]]:
    """Take the beat and every part."""
    return [told(await anext(listener)) for _ in range(5)]


def test_a_first_look_gives_every_part() -> None:
    """A browser that comes back after a night has the whole page at once."""

    async def story() -> None:
        told_first = await first_look(House().listen())
        assert told_first[0] == ("beat", NOW)
        assert [data["id"] for _, data in told_first[1:]] == ["summary", "alerts", "m-a", "m-b"]
        assert "1.0" in told_first[3][1]["html"]

    run_virtually(story())


def test_only_what_changed_is_told() -> None:
    """A new reading of one meter sends that meter's card within a second, without the text of its age."""

    async def story() -> None:
        house, loop = House(), asyncio.get_running_loop()
        listener = house.listen()
        await first_look(listener)
        house.read("b", 120.0)
        begun = loop.time()
        kind, data = told(await anext(listener))
        assert (kind, data["id"]) == ("part", "m-b")
        assert "2.0" in data["html"]
        assert f'<time data-at="{house.ms}"></time>' in data["html"]
        assert loop.time() - begun <= 1.0

    run_virtually(story())


def test_time_alone_sends_beats_only_until_a_meter_is_late() -> None:
    """Ages tick in the browser; that a value became old is told."""

    async def story() -> None:
        house = House()
        listener = house.listen()
        await first_look(listener)
        house.ms += 20_000
        assert told(await anext(listener)) == ("beat", house.ms)
        house.ms += 20_000
        late = [told(await anext(listener)) for _ in range(3)]
        assert [data["id"] for _, data in late] == ["summary", "m-a", "m-b"]
        assert "Late" in late[1][1]["html"]

    run_virtually(story())


def test_an_alert_is_told_and_its_answer_too() -> None:
    """Raised elsewhere, answered elsewhere: every open page follows."""

    async def story() -> None:
        house = House()
        listener = house.listen()
        await first_look(listener)
        name = alert_id("overload", "a", NOW)
        event = AlertEvent(
            id=name, seq=1, rule="overload", meter="a", state="raised", severity="critical", raised=NOW, at=NOW
        )
        house.alerts.take("home", event)
        assert f"/alert/{name}/acknowledge" in told(await anext(listener))[1]["html"]
        house.alerts.answered("home", name, "acknowledge")
        assert "/acknowledge" not in told(await anext(listener))[1]["html"]

    run_virtually(story())


def test_new_meters_make_the_page_load_again() -> None:
    """What has no place on the page yet needs a new page."""

    async def story() -> None:
        house = House()
        listener = house.listen()
        await first_look(listener)
        house.book.know(LiveMeter("c", "c", "gas", "M", 1.0))
        assert told(await anext(listener)) == ("anew", "")
        with pytest.raises(StopAsyncIteration):
            await anext(listener)

    run_virtually(story())


def test_a_slow_listener_skips_what_was_in_between() -> None:
    """Nothing is queued for whoever does not read: the next look shows the newest value only."""

    async def story() -> None:
        house = House()
        listener = house.listen()
        await first_look(listener)
        for flow in range(1000):
            house.read("a", flow * 60.0)
            house.book.update("b", house.ms, 0, {"water_flow_l_h": 60.0})
        assert "999.0" in told(await anext(listener))[1]["html"]
        assert told(await anext(listener))[1]["id"] == "m-b"
        house.read("b", 66.0)
        assert "1.1" in told(await anext(listener))[1]["html"]

    run_virtually(story())


def test_who_signed_out_is_told_no_more() -> None:
    """A session that ends ends its stream at the next look, and the page asks anew whether it may be shown."""

    async def story() -> None:
        house = House()
        listener = house.listen()
        await first_look(listener)
        house.allowed = False
        assert told(await anext(listener)) == ("anew", "")
        with pytest.raises(StopAsyncIteration):
            await anext(listener)

    run_virtually(story())


def test_listeners_are_bounded_and_share_one_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its first look each of thirty-two shares the rendering; a place is free again when somebody goes."""

    async def story() -> None:
        house = House()
        looks = 0
        render = Screen.parts

        def counted(screen: Screen) -> dict[str, str]:
            nonlocal looks
            looks += 1
            return render(screen)

        monkeypatch.setattr(Screen, "parts", counted)
        listeners = [house.listen() for _ in range(feeds.LISTENERS)]
        for listener in listeners:
            await first_look(listener)
        assert looks == feeds.LISTENERS
        house.read("a", 120.0)
        await asyncio.gather(*(anext(listener) for listener in listeners))
        assert looks == feeds.LISTENERS + 1
        assert house.feed.full(VISITOR)
        await listeners[0].aclose()  # type: ignore[attr-defined]
        assert not house.feed.full(VISITOR)

    run_virtually(story())
