"""Looking up names: in threads of their own, in time, and from memory when the name server is silent."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from drivers.contract import NotConnected
from drivers.names import Names, look_up


@pytest.fixture
def silence() -> Iterator[threading.Event]:
    """A name server that answers when the event is set, at the latest when the test is over."""
    event = threading.Event()
    yield event
    event.set()


def deaf(silence: threading.Event, asked: list[str]) -> Callable[[str], list[str]]:
    """Make a lookup that hangs."""

    def lookup(host: str) -> list[str]:
        asked.append(host)
        silence.wait()
        return ["192.0.2.7"]

    return lookup


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "fe80::1%lo"])
async def test_an_address_needs_no_lookup(address: str) -> None:
    """It is what it is, and no name server is asked."""
    names = Names(lambda _: pytest.fail("asked"))
    assert await names.addresses(address) == [address]


async def test_a_name_is_looked_up_each_time() -> None:
    """Its address may have changed since the last connection."""
    answers = iter([["192.0.2.1"], ["192.0.2.2", "2001:db8::2"]])
    names = Names(lambda _: next(answers))
    assert await names.addresses("meter.lan") == ["192.0.2.1"]
    assert await names.addresses("meter.lan") == ["192.0.2.2", "2001:db8::2"]


async def test_eight_hanging_lookups_delay_nobody_else(silence: threading.Event) -> None:
    """Commits and files share a pool of threads; lookups that hang take none of it (F3)."""
    buses = [Names(deaf(silence, []), timeout=0.3) for _ in range(8)]
    lookups = [asyncio.create_task(names.addresses(f"meter-{n}.lan")) for n, names in enumerate(buses)]
    await asyncio.sleep(0.05)
    start = time.monotonic()
    await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.01) for _ in range(8)))
    assert time.monotonic() - start < 0.25
    outcomes = await asyncio.gather(*lookups, return_exceptions=True)
    assert all(isinstance(outcome, NotConnected) for outcome in outcomes)


async def test_the_last_address_is_used_when_the_server_is_silent(silence: threading.Event) -> None:
    """A meter that was found once is found again; the hanging lookup is joined, not doubled."""
    asked: list[str] = []
    hanging = deaf(silence, asked)
    answers: list[Callable[[str], list[str]]] = [lambda _: ["192.0.2.1"]]
    names = Names(lambda host: answers.pop()(host) if answers else hanging(host), timeout=0.05)
    for _ in range(4):
        assert await names.addresses("meter.lan") == ["192.0.2.1"]
    assert asked == ["meter.lan"]
    silence.set()
    async with asyncio.timeout(5):
        while await names.addresses("meter.lan") != ["192.0.2.7"]:
            await asyncio.sleep(0.01)


async def test_the_last_address_is_used_when_the_server_fails() -> None:
    """An error of the name server is no reason to lose a meter; one never found is."""
    answers = iter([["192.0.2.1"]])

    def lookup(_: str) -> list[str]:
        for found in answers:
            return found
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    names = Names(lookup)
    for _ in range(2):
        assert await names.addresses("meter.lan") == ["192.0.2.1"]
    with pytest.raises(NotConnected, match=r"other\.lan has no address"):
        await names.addresses("other.lan")


async def test_a_silent_server_and_a_name_never_heard_of(silence: threading.Event) -> None:
    """It ends in time, with what to do."""
    with pytest.raises(NotConnected, match="does not resolve in time") as caught:
        await Names(deaf(silence, []), timeout=0.02).addresses("meter.lan")
    assert "IP address" in caught.value.hint


async def test_a_name_no_resolver_takes() -> None:
    """Labels too long for any name are an error of the contract too."""
    with pytest.raises(NotConnected, match="has no address"):
        await Names().addresses("a" * 70 + ".lan")


def test_look_up() -> None:
    """The system's own lookup gives each address once."""
    found = look_up("localhost")
    assert set(found) <= {"127.0.0.1", "::1"}
    assert len(found) == len(set(found)) > 0


def test_a_lookup_that_outlives_its_loop(silence: threading.Event) -> None:
    """The program may end while a lookup hangs: nothing waits for it, and nothing is raised."""
    names = Names(deaf(silence, []), timeout=0.01)
    with pytest.raises(NotConnected):
        asyncio.run(names.addresses("meter.lan"))
    silence.set()
    time.sleep(0.05)
