"""Buses on loan, on virtual time: let go after the turn, given back in every way there is, and nobody blamed."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pytest

from drivers.contract import Meter, NotConnected, Reading
from gateway.lending import LONGEST, Lending, same_place
from gateway.poll import Poller
from tests.support.virtual_time import run_virtually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HERE, THERE = "/dev/ttyUSB0", "tcp://192.0.2.1:502"
PROFILE: Any = None


@dataclass
class Wire:
    """A driver whose port is open or not, and that takes `takes` seconds for a reading."""

    turns: Literal["asked", "pushed"] = "asked"
    takes: float = 0.1
    is_open: bool = False
    broken: bool = False

    async def connect(self) -> None:
        """Open the port."""
        if self.broken:
            raise NotConnected("no such port")
        self.is_open = True

    async def read(self, meter: Meter) -> Reading:
        """Answer after a while."""
        await asyncio.sleep(self.takes)
        assert self.is_open
        return Reading(meter.id, 0, {"power_w": 1})

    async def close(self) -> None:
        """Close it."""
        self.is_open = False

    def counters(self) -> Mapping[str, int]:
        """Nothing was rejected."""
        return {}


@dataclass
class Site:
    """Two buses that are polled, and what was read when."""

    here: Wire = field(default_factory=Wire)
    there: Wire = field(default_factory=Wire)
    read: list[tuple[str, float]] = field(default_factory=list)
    pollers: dict[str, Poller] = field(default_factory=dict)

    def places(self) -> Sequence[tuple[str, Poller]]:
        """List the buses as `Buses` does."""
        return list(self.pollers.items())

    @property
    def lending(self) -> Any:
        """Lend these buses."""
        buses: Any = self
        return Lending(buses)

    def since(self, moment: float, meter: str = "here") -> list[float]:
        """Say when a meter was read after a moment."""
        return [at for name, at in self.read if name == meter and at > moment]

    @asynccontextmanager
    async def polling(self) -> "AsyncIterator[None]":
        """Poll for a while."""
        loop = asyncio.get_running_loop()
        for place, name, wire in ((HERE, "here", self.here), (THERE, "there", self.there)):
            meters = [(Meter(name, PROFILE, 1, 1.0), 1.0)]
            take = lambda reading: self.read.append((reading.meter, loop.time()))  # noqa: E731
            self.pollers[place] = Poller(name, wire, meters, take, dice=random.Random(1))
        tasks = [asyncio.create_task(poller.run()) for poller in self.pollers.values()]
        await asyncio.sleep(5.05)
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def play(site: Site, story: Callable[[Callable[[], float]], Awaitable[None]]) -> None:
    """Run a story beside the polling; it gets the time."""

    async def run() -> None:
        async with site.polling():
            await story(asyncio.get_running_loop().time)

    run_virtually(run())


@pytest.mark.parametrize("turns", ["asked", "pushed"])
def test_a_bus_is_lent_and_returned(turns: Literal["asked", "pushed"]) -> None:
    """Its port is closed when the answer comes, nothing is read meanwhile, the other bus misses nothing."""
    site = Site(here=Wire(turns))

    async def story(now: Callable[[], float]) -> None:
        async with site.lending.talk() as answer:
            assert await answer({"do": "lend", "where": HERE, "seconds": 60}) == {"lent": ["here"], "seconds": 60}
            lent = now()
            assert [site.here.is_open, site.there.is_open] == [False, True]
            await asyncio.sleep(30)
            assert site.since(lent) == []
            assert len(site.since(lent, "there")) >= 29
            assert site.pollers[THERE].turns[0].missed == 0
            returned = now()
            assert await answer({"do": "return"}) == {"returned": ["here"]}
            await asyncio.sleep(0.01)
            assert site.here.is_open
            await asyncio.sleep(1.2)
            assert site.since(returned)
            assert not site.pollers[HERE].turns[0].error
            assert site.pollers[HERE].reconnects == 0

    play(site, story)


def test_the_present_turn_is_finished_first() -> None:
    """A meter that is being read is read to its end, though that takes longer than the lease."""
    site = Site(here=Wire(takes=200.0))

    async def story(now: Callable[[], float]) -> None:
        begun = now()
        async with site.lending.talk() as answer:
            await answer({"do": "lend", "where": HERE, "seconds": 50})
            assert len(site.since(begun)) == 1
            assert not site.here.is_open
            await asyncio.sleep(49)
            assert not site.here.is_open
            await asyncio.sleep(2)
            assert site.here.is_open

    play(site, story)


def test_who_hangs_up_gives_it_back() -> None:
    """A killed search hangs up: polling goes on at once."""
    site = Site()

    async def story(now: Callable[[], float]) -> None:
        async with site.lending.talk() as answer:
            await answer({"do": "lend", "where": HERE})
        gone = now()
        await asyncio.sleep(0.01)
        assert site.here.is_open
        await asyncio.sleep(1.2)
        assert site.since(gone)

    play(site, story)


def test_a_lease_runs_out_unless_it_is_renewed() -> None:
    """Asked again in time it goes on; then a program that hangs keeps the bus no longer than it asked for."""
    site = Site()

    async def story(now: Callable[[], float]) -> None:
        async with site.lending.talk() as answer:
            for _ in range(4):
                await answer({"do": "lend", "where": HERE, "seconds": 60})
                begun = now()
                await asyncio.sleep(50)
                assert site.since(begun) == []
            await asyncio.sleep(10.5)
            assert site.here.is_open
            assert await answer({"do": "return"}) == {"returned": []}

    play(site, story)


def test_only_one_has_a_bus() -> None:
    """Another asker is refused, and its going takes nothing away; a meter asked for meanwhile is refused too."""
    site = Site()

    async def story(now: Callable[[], float]) -> None:
        del now
        lending = site.lending
        async with lending.talk() as answer:
            await answer({"do": "lend", "where": HERE})
            async with lending.talk() as other:
                assert "already" in (await other({"do": "lend", "where": HERE}))["error"]
            with pytest.raises(NotConnected, match="lent"):
                await site.pollers[HERE].read_now("here")
            await asyncio.sleep(5)
            assert not site.here.is_open

    play(site, story)


def test_of_two_who_ask_at_once_one_has_a_bus() -> None:
    """Both ask while its port is still open: the second is refused before the first has its answer."""
    site = Site()

    async def story(now: Callable[[], float]) -> None:
        del now
        lending = site.lending
        async with lending.talk() as one, lending.talk() as other:
            question = {"do": "lend", "where": HERE}
            got = await asyncio.gather(one(question), other(question))
            assert [sorted(answer) for answer in got] == [["lent", "seconds"], ["error"]]

    play(site, story)


def test_a_reading_that_was_asked_for_is_refused_when_the_bus_goes() -> None:
    """Nobody waits two minutes for a meter whose bus is away."""
    site = Site(here=Wire("pushed", takes=20.0))

    async def story(now: Callable[[], float]) -> None:
        del now
        asked = asyncio.create_task(site.pollers[HERE].read_now("here"))
        await asyncio.sleep(0)
        async with site.lending.talk() as answer:
            await answer({"do": "lend", "where": HERE})
            with pytest.raises(NotConnected, match="lent"):
                await asked

    play(site, story)


def test_a_bus_that_is_down_is_lent_at_once_and_kept_closed() -> None:
    """Its poller, which waits before it tries again, waits on."""
    site = Site(here=Wire(broken=True))

    async def story(now: Callable[[], float]) -> None:
        begun = now()
        async with site.lending.talk() as answer:
            await answer({"do": "lend", "where": HERE})
            assert now() == begun
            site.here.broken = False
            await asyncio.sleep(100)
            assert not site.here.is_open
        await asyncio.sleep(2)
        assert site.since(begun)

    play(site, story)


@pytest.mark.parametrize(
    "question",
    [{"do": "lend"}, {"do": "lend", "where": 7}, {"do": "lend", "where": HERE, "seconds": 0},
     {"do": "lend", "where": HERE, "seconds": LONGEST + 1}, {"do": "lend", "where": HERE, "seconds": "60"},
     {"do": "lend", "where": HERE, "seconds": float("nan")}],
)  # fmt: skip
def test_nonsense_borrows_nothing(question: dict[str, Any]) -> None:
    """A question without a place, or with a lease that is none, is refused."""
    site = Site()

    async def story(now: Callable[[], float]) -> None:
        del now
        async with site.lending.talk() as answer:
            assert "error" in await answer(question)
            assert site.here.is_open

    play(site, story)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/dev/null", "/dev/../dev/null", True),
        ("/dev/null", "/dev/zero", False),
        ("tcp://192.0.2.1:502", "rtu+tcp://192.0.2.1:502", True),
        ("tcp://192.0.2.1", "tcp://192.0.2.1:502", True),
        ("tcp://192.0.2.1:503", "tcp://192.0.2.1:502", False),
        ("tcp://192.0.2.1:502", "tcp://192.0.2.2:502", False),
        ("tcp://192.0.2.1:99999999", "tcp://192.0.2.1:502", False),
        ("capture:/dev/null", "/dev/null", False),
    ],
)
def test_a_port_is_known_by_any_of_its_names(one: str, other: str, same: bool) -> None:
    """Links to a device are the device; a host is one, whatever is spoken with it."""
    assert same_place(one, other) is same
    assert same_place(other, one) is same
