"""The transport on real brokers: what all must agree on, and what only a real one can show."""

import asyncio
import contextlib
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway import mqtt
from gateway.transport import Endpoint, Lost, Message, NotTaken
from tests.support.mqtt_calls import DATA, first, loss, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.brokers import Mosquitto


@pytest.fixture(params=["fake", "mosquitto", "iotcore"])
def broker_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of each broker in turn."""
    fixture = {"fake": "fake_broker", "mosquitto": "mosquitto", "iotcore": "iotcore_broker"}[request.param]
    url: str = request.getfixturevalue(fixture).url
    return url


# On every broker.


async def test_message_passes_whole(broker_url: str) -> None:
    """Payload and all five properties come out as they went in."""
    async with opened(broker_url) as gateway, opened(broker_url, "hub") as hub:
        await hub.subscribe(["nabd/v1/+/+/data"])
        assert await gateway.publish(DATA) == 0
        (arrived,) = await first(hub)
        arrived.ack()
        assert arrived.message == DATA


async def test_retained_message_waits_for_subscribers(broker_url: str) -> None:
    """A retained message reaches whoever subscribes later, marked as retained."""
    async with opened(broker_url) as gateway, opened(broker_url, "page") as page:
        await gateway.publish(Message("nabd/v1/home/gw-1/status", b"online", qos=1, retain=True))
        await page.subscribe(["nabd/v1/home/gw-1/status"])
        (arrived,) = await first(page)
        assert (arrived.message.payload, arrived.message.retain) == (b"online", True)


async def test_post_arrives(broker_url: str) -> None:
    """QoS 0 is sent without waiting, in order."""
    async with opened(broker_url) as gateway, opened(broker_url, "page") as page:
        await page.subscribe(["live/#"], qos=0)
        for number in range(10):
            gateway.post(Message("live/m1", str(number).encode()))
        assert [one.message.payload for one in await first(page, 10)] == [str(n).encode() for n in range(10)]
        assert gateway.dropped == 0


async def test_shared_subscription_divides(broker_url: str) -> None:
    """Each message reaches one member of a group, and none is lost."""
    async with opened(broker_url, "hub-1") as one, opened(broker_url, "hub-2") as two, opened(broker_url) as gateway:
        got: list[bytes] = []
        done = asyncio.Event()

        async def collect(connection: mqtt.PahoConnection) -> None:
            with contextlib.suppress(Lost):
                async for arrived in connection.messages():
                    arrived.ack()
                    got.append(arrived.message.payload)
                    if len(got) == 20:
                        done.set()

        for member in (one, two):
            await member.subscribe(["$share/store/data/#"])
        readers = [asyncio.create_task(collect(member)) for member in (one, two)]
        await asyncio.gather(*(gateway.publish(Message("data/x", bytes([n]), qos=1)) for n in range(20)))
        async with asyncio.timeout(5):
            await done.wait()
        assert sorted(got) == [bytes([n]) for n in range(20)]
    await asyncio.gather(*readers)


async def test_will_is_published_after_a_crash(broker_url: str) -> None:
    """A connection that ends without DISCONNECT publishes the will; close() does not."""
    will = Message("nabd/v1/home/gw-1/status", b"offline", qos=1)
    async with opened(broker_url, "page") as page:
        await page.subscribe([will.topic])
        async with opened(broker_url, "gw-0", will=will, will_delay=0):
            pass
        crashing = await mqtt.connect(Endpoint(broker_url, "gw-1", will=will, will_delay=0))
        await crashing.publish(Message(will.topic, b"online", qos=1))
        crashing._lose("kill -9")
        assert [one.message.payload for one in await first(page, 2)] == [b"online", b"offline"]


async def test_broker_killed_loses_all_in_flight(mosquitto: "Mosquitto") -> None:
    """SIGKILL of the broker fails every call at once, and the same address works again after its start."""
    async with opened(mosquitto.url) as gateway:
        mosquitto.pause()
        calls = [asyncio.create_task(gateway.publish(DATA)) for _ in range(20)]
        await asyncio.sleep(0)
        mosquitto.kill()
        async with asyncio.timeout(2):
            results = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(result, Lost) for result in results)
        with pytest.raises(Lost):
            await gateway.publish(DATA)
    mosquitto.start()
    async with opened(mosquitto.url) as gateway:
        await gateway.publish(DATA)


# What only a real broker can show.


async def test_nobody_subscribed_is_told(mosquitto: "Mosquitto") -> None:
    """Mosquitto's reason 0x10 comes back as success with that code."""
    async with opened(mosquitto.url) as gateway:
        assert await gateway.publish(DATA) == 0x10


async def test_receive_maximum_of_mosquitto(mosquitto_with: "Callable[..., Mosquitto]") -> None:
    """The limits of a configured broker are read from its CONNACK."""
    broker = mosquitto_with("max_inflight_messages 7", "max_packet_size 2000")
    async with opened(broker.url) as gateway:
        assert gateway.receive_maximum == 7
        assert gateway.maximum_packet_size == 2000
        with pytest.raises(NotTaken, match="larger"):
            await gateway.publish(Message("x", bytes(2000), qos=1))
        await gateway.publish(Message("x", bytes(2000 - 13 - 1), qos=1))


async def test_denied_topic_is_not_taken(mosquitto_with: "Callable[..., Mosquitto]", tmp_path: Path) -> None:
    """An access list that forbids a topic is an error of that message, not a success and not a loss."""
    (tmp_path / "acl").write_text("topic readwrite allowed/#\n")
    broker = mosquitto_with(f"acl_file {tmp_path / 'acl'}")
    async with opened(broker.url) as gateway:
        await gateway.publish(Message("allowed/x", b"", qos=1))
        with pytest.raises(NotTaken, match="access list") as refused:
            await gateway.publish(DATA)
        assert refused.value.code == 0x87
        await gateway.publish(Message("allowed/x", b"", qos=1))


@pytest.fixture
def with_password(mosquitto_with: "Callable[..., Mosquitto]", tmp_path: Path) -> "Mosquitto":
    """Give a Mosquitto that knows one user."""
    known = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", str(known), "home/gw-1", "right"], check=True)
    return mosquitto_with("allow_anonymous false", f"password_file {known}")


async def test_wrong_password_is_refused(with_password: "Mosquitto") -> None:
    """The right password opens; a wrong one is NotTaken with a hint and stands in no text."""
    async with opened(with_password.url, username="home/gw-1", password="right"):
        pass
    with pytest.raises(NotTaken, match="password") as refused:
        await mqtt.connect(Endpoint(with_password.url, "gw-1", username="home/gw-1", password="wr0ng"))
    assert refused.value.code in (0x86, 0x87)
    assert "wr0ng" not in str(refused.value) + repr(refused.value)


async def test_unacked_comes_again_on_a_resumed_session(mosquitto: "Mosquitto") -> None:
    """What `ack` was not called for is delivered again; what it was called for is not."""
    async with opened(mosquitto.url) as gateway:
        hub = await mqtt.connect(Endpoint(mosquitto.url, "hub", session_expiry=3600))
        assert not hub.session_present
        await hub.subscribe(["data/#"])
        for number in range(3):
            await gateway.publish(Message(f"data/{number}", b"", qos=1))
        (_, second, _) = await first(hub, 3)
        second.ack()
        await hub.close()
        async with opened(mosquitto.url, "hub", session_expiry=3600) as again:
            assert again.session_present
            back = await first(again, 2)
            assert [one.message.topic for one in back] == ["data/0", "data/2"]


async def test_take_over_is_lost(broker_url: str) -> None:
    """A second client with the same id pushes the first one out."""
    async with opened(broker_url) as one, opened(broker_url):
        await loss(one)
