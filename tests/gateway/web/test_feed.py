"""Server-sent events: what changed, at each listener's own pace."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import orjson
import pytest

from gateway.alerts.event import AlertEvent, alert_id
from gateway.live import LiveBook, LiveMeter
from gateway.web import feed as feeds
from gateway.web.alertbook import AlertBook
from gateway.web.crowd import HOUSE, HUB
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


def counted(monkeypatch: pytest.MonkeyPatch, kind: type, name: str) -> list[Any]:
    """Give a list that grows by what each call of a method was given first."""
    calls: list[Any] = []
    method = getattr(kind, name)

    def noted(owner: object, *given: Any, **named: Any) -> Any:
        calls.append(given[0] if given else owner)
        return method(owner, *given, **named)

    monkeypatch.setattr(kind, name, noted)
    return calls


def test_listeners_are_bounded_and_share_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its first look each of thirty-two shares the next rendering; a place is free again when somebody goes."""

    async def story() -> None:
        house = House()
        looks = counted(monkeypatch, Screen, "parts")
        listeners = [house.listen() for _ in range(HOUSE.listeners)]
        for listener in listeners:
            await first_look(listener)
        assert len(looks) == HOUSE.listeners
        house.read("a", 120.0)
        await asyncio.gather(*(anext(listener) for listener in listeners))
        assert len(looks) == HOUSE.listeners + 1
        assert house.feed.full(VISITOR)
        await listeners[0].aclose()  # type: ignore[attr-defined]
        assert not house.feed.full(VISITOR)

    run_virtually(story())


def test_who_finds_no_place_hears_when_to_ask_again() -> None:
    """The thirty-third is told so, and nothing else; who asks again finds the place that became free."""

    async def story() -> None:
        house = House()
        listeners = [house.listen() for _ in range(HOUSE.listeners)]
        for listener in listeners:
            await anext(listener)
        assert [told(event) async for event in house.listen()] == [("full", feeds.AGAIN)]
        assert house.feed.listeners == HOUSE.listeners
        await listeners[7].aclose()  # type: ignore[attr-defined]
        assert told(await anext(house.listen())) == ("beat", NOW)

    run_virtually(story())


def test_what_did_not_change_is_not_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a page that listens for a minute only the card of the meter that was read is rendered, and once."""

    async def story() -> None:
        house, loop = House(), asyncio.get_running_loop()
        listener = house.listen()
        await first_look(listener)
        rendered = counted(monkeypatch, Pages, "render")
        house.read("a", 120.0)
        begun = loop.time()
        while loop.time() < begun + 30.0:
            await anext(listener)
        assert rendered == ["card.html"]

    run_virtually(story())


def test_a_first_look_is_as_new_as_the_page_it_comes_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a page that others listen to is not shown what these were shown a while ago."""

    async def story() -> None:
        house = House()
        listeners = [house.listen(), house.listen()]
        await first_look(listeners[0])
        rendered = counted(monkeypatch, Pages, "render")
        await first_look(listeners[1])
        assert sorted(rendered) == ["alerts.html", "card.html", "card.html", "summary.html"]

    run_virtually(story())


def test_every_part_is_rendered_anew_each_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Days, bills and prices follow a reading without a sign of their own, so no part is older than a minute."""

    async def story() -> None:
        house = House()
        listener = house.listen()
        await first_look(listener)
        rendered = counted(monkeypatch, Pages, "render")
        house.ms += 60_000
        await anext(listener)
        assert sorted(rendered) == ["alerts.html", "card.html", "card.html", "summary.html"]

    run_virtually(story())


class Dear:
    """A screen whose every look takes a while, as on a small board; `looks` counts those at all of them."""

    looks = 0

    def __init__(self, _language: str, _visitor: Visitor) -> None:
        self._loop = asyncio.get_running_loop()

    def parts(self, *, anew: bool) -> dict[str, str]:  # noqa: ARG002  nothing is kept
        """Take 20 ms."""
        Dear.looks += 1
        self._loop._selector.now += 0.02  # type: ignore[attr-defined]
        return {"summary": str(Dear.looks)}


@pytest.mark.parametrize(("homes", "pause"), [(1, 0.5), (10, 2.0), (50, 10.0)])
def test_pauses_grow_with_what_all_views_cost(homes: int, pause: float) -> None:
    """Ten homes whose looks take 20 ms each rest two seconds, so all together take a tenth of the time."""

    async def story() -> None:
        feed, loop = Feed(Dear, lambda: NOW, replace(HOUSE, listeners=homes)), asyncio.get_running_loop()  # type: ignore[arg-type]
        listening = [asyncio.create_task(drain(feed, Visitor("customer", f"home-{number}"))) for number in range(homes)]
        await asyncio.sleep(30)
        assert feed.pause == pytest.approx(pause)
        Dear.looks, begun = 0, loop.time()
        await asyncio.sleep(60)
        share = Dear.looks * 0.02 / (loop.time() - begun)
        assert share <= max(HOUSE.share, 0.02 * homes / 0.5) * 1.3
        assert share >= HOUSE.share / 2 or homes == 1
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        assert feed.pause == 0.5

    run_virtually(story())


def test_a_hub_has_places_for_a_crowd() -> None:
    """Where a house has none for the 33rd, a hub tells two hundred customers of their own home, and has more."""

    async def story() -> None:
        house = House()
        tenants = [f"flat-{number}" for number in range(200)]
        for tenant in tenants:
            house.book.know(LiveMeter(f"{tenant}_main", tenant, "water", "M", 1.0, NOW, 0, {}, tenant))
        feed = Feed(partial(Screen, Pages(), Sources(house.book, lambda: NOW)), lambda: NOW, HUB)
        for tenant in tenants:
            listener = feed.listen("en", Visitor("customer", tenant), lambda: True)
            seen = [told(await anext(listener)) for _ in range(4)]
            assert [kind for kind, _ in seen] == ["beat", "part", "part", "part"]
            assert seen[3][1]["id"] == f"m-{tenant}_main"
        assert feed.listeners == 200
        assert not feed.full(Visitor("customer", "one-more"))

    run_virtually(story())


def test_listeners_that_woke_together_soon_wake_apart() -> None:
    """Fifty that came at one moment look at fifty moments half a minute later, so none waits for all others' looks."""

    async def story() -> None:
        feed = Feed(Still, lambda: NOW, HUB, random.Random(1))  # type: ignore[arg-type]
        looks = Still.looks = list[float]()
        homes = [Visitor("customer", f"home-{number}") for number in range(50)]
        listening = [asyncio.create_task(drain(feed, home)) for home in homes]
        await asyncio.sleep(0.1)
        assert len(set(looks)) == 1
        await asyncio.sleep(30)
        looks.clear()
        await asyncio.sleep(1)
        tenths = Counter(int(look * 10) for look in looks)
        assert max(tenths.values()) < 25
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)

    run_virtually(story())


class Still:
    """A screen that never changes; `looks` are the moments when somebody looked at any."""

    looks: ClassVar[list[float]] = []

    def __init__(self, _language: str, _visitor: Visitor) -> None:
        self._parts = {"summary": "all is well"}

    def parts(self, *, anew: bool) -> dict[str, str]:  # noqa: ARG002  nothing is kept
        """Note the moment."""
        self.looks.append(asyncio.get_running_loop().time())
        return self._parts


async def drain(feed: Feed, visitor: Visitor) -> None:
    """Listen for ever."""
    async for _ in feed.listen("en", visitor, lambda: True):
        pass
