"""The transport's contract: on the fake broker for every fault, on real brokers for what they must agree on."""

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import mqtt
from gateway.transport import Endpoint, Lost, Message, NotTaken, TransportError
from tests.support.mqtt5 import DISCONNECT, PUBLISH, packet
from tests.support.mqtt_calls import DATA, first, loss, opened
from tests.support.proxy import TcpProxy

if TYPE_CHECKING:
    from tests.support.fake_broker import FakeBroker


# Faults, on the fake broker.


async def test_connack_limits(fake_broker: "FakeBroker") -> None:
    """Receive Maximum, Maximum Packet Size and Session Present are read; silence means the standard's defaults."""
    async with opened(fake_broker.url) as gateway:
        assert (gateway.receive_maximum, gateway.maximum_packet_size) == (65535, None)
    fake_broker.limits = {"receive_maximum": 5, "maximum_packet_size": 300}
    fake_broker.session_present = True
    async with opened(fake_broker.url, session_expiry=60) as gateway:
        assert (gateway.receive_maximum, gateway.maximum_packet_size) == (5, 300)
        assert gateway.session_present


async def test_connect_says_what_the_endpoint_says(fake_broker: "FakeBroker") -> None:
    """CONNECT carries identity, session, will and our own limits."""
    will = Message("s", b"gone", qos=1, retain=True, content_type="text/plain")
    options: dict[str, Any] = {
        "username": "u",
        "password": "p",
        "session_expiry": 86400,
        "receive_maximum": 7,
        "keepalive": 30,
    }
    async with opened(fake_broker.url, will=will, will_delay=10, **options):
        (connect,) = fake_broker.connects
    assert (connect.client_id, connect.username, connect.password) == ("gw-1", "u", b"p")
    assert not connect.clean_start
    assert connect.properties["session_expiry"] == 86400
    assert connect.properties["receive_maximum"] == 7
    assert connect.properties["maximum_packet_size"] >= 1024 * 1024
    assert connect.keepalive <= 30
    assert connect.will is not None
    assert (connect.will.topic, connect.will.payload, connect.will.qos, connect.will.retain) == ("s", b"gone", 1, True)
    assert (connect.will.properties, connect.will_delay) == ({"content_type": "text/plain"}, 10)
    async with opened(fake_broker.url):
        assert fake_broker.connects[1].clean_start


@pytest.mark.parametrize(("code", "hint"), [(0x87, "access list"), (0x97, "quota"), (0x99, "payload"), (0x83, "")])
async def test_refused_puback(fake_broker: "FakeBroker", code: int, hint: str) -> None:
    """A PUBACK of 0x80 or more is NotTaken with its code, name and hint, and the connection lives on."""
    fake_broker.refuse = lambda publish: code if publish.topic == DATA.topic else 0
    async with opened(fake_broker.url) as gateway:
        with pytest.raises(NotTaken, match=f"0x{code:02X}") as refused:
            await gateway.publish(DATA)
        assert refused.value.code == code
        assert hint in refused.value.hint
        assert await gateway.publish(Message("other", b"", qos=1)) == 0x10


async def test_refused_filter(fake_broker: "FakeBroker") -> None:
    """One refused filter of several is NotTaken and named."""
    fake_broker.refuse_filter = lambda name: 0x87 if name == "cmd/+" else 0
    async with opened(fake_broker.url) as gateway:
        with pytest.raises(NotTaken, match=r"cmd/\+") as refused:
            await gateway.subscribe(["ack", "cmd/+"])
        assert refused.value.code == 0x87


@pytest.mark.parametrize("code", [0x84, 0x86, 0x87, 0x88, 0x8A, 0x97])
async def test_refused_connack(fake_broker: "FakeBroker", code: int) -> None:
    """A refused CONNECT is NotTaken with code and hint, and leaves no socket behind."""
    fake_broker.connack = code
    with pytest.raises(NotTaken) as refused:
        await mqtt.connect(Endpoint(fake_broker.url, "gw-1", username="u", password="p"))
    assert refused.value.code == code
    assert refused.value.hint


async def test_drop_fails_all_in_flight(fake_broker: "FakeBroker") -> None:
    """With acknowledgements kept back, a dropped link fails each call at once; nothing is sent again by itself."""
    fake_broker.withhold = lambda _: True
    async with opened(fake_broker.url) as gateway:
        calls = [asyncio.create_task(gateway.publish(DATA)) for _ in range(10)]
        reading = asyncio.create_task(first(gateway))
        closed = asyncio.create_task(gateway.closed())
        await fake_broker.until(lambda: len(fake_broker.published) == 10)
        fake_broker.drop()
        async with asyncio.timeout(1):
            results = await asyncio.gather(*calls, reading, closed, return_exceptions=True)
        assert all(isinstance(result, Lost) for result in results)
    async with opened(fake_broker.url) as gateway:
        await gateway.subscribe(["x"])
    assert len(fake_broker.published) == 10


@pytest.mark.parametrize("session_present", [False, True])
async def test_new_connection_starts_from_nothing(fake_broker: "FakeBroker", session_present: bool) -> None:
    """After a loss the next connection sends only what its user sends, DUP 0, whatever the broker remembers."""
    fake_broker.withhold = lambda publish: publish.connection == 0
    fake_broker.session_present = session_present
    gateway = await mqtt.connect(Endpoint(fake_broker.url, "gw-1", session_expiry=60))
    calls = [asyncio.create_task(gateway.publish(DATA)) for _ in range(5)]
    await fake_broker.until(lambda: len(fake_broker.published) == 5)
    fake_broker.drop()
    await asyncio.gather(*calls, return_exceptions=True)
    async with opened(fake_broker.url, session_expiry=60) as again:
        assert again.session_present is session_present
        await asyncio.gather(*(again.publish(DATA) for _ in range(5)))
    second = [publish for publish in fake_broker.published if publish.connection == 1]
    assert len(second) == 5
    assert not any(publish.dup for publish in second)


async def test_late_pubacks_answer_their_own_calls(fake_broker: "FakeBroker") -> None:
    """Acknowledgements kept back and then released end exactly the calls that wait."""
    fake_broker.withhold = lambda _: True
    async with opened(fake_broker.url) as gateway:
        calls = [asyncio.create_task(gateway.publish(DATA)) for _ in range(5)]
        await fake_broker.until(lambda: len(fake_broker.published) == 5)
        calls[2].cancel()
        await asyncio.sleep(0)
        fake_broker.release()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [isinstance(result, asyncio.CancelledError) for result in results] == [False, False, True, False, False]


@pytest.mark.parametrize(("code", "words"), [(0x8B, "shutting down"), (0x8E, "client id"), (0x97, "quota")])
async def test_server_disconnect_says_why(fake_broker: "FakeBroker", code: int, words: str) -> None:
    """A DISCONNECT of the broker is Lost with its reason, and a hint where one is known."""
    async with opened(fake_broker.url) as gateway:
        fake_broker.disconnect(code)
        lost = await loss(gateway)
        assert f"0x{code:02X}" in lost.what
        assert words in str(lost)


async def test_limits_of_connack_are_obeyed(fake_broker: "FakeBroker") -> None:
    """What the broker would end the connection for is never sent, but told to the caller."""
    fake_broker.limits = {"maximum_packet_size": 100, "maximum_qos": 0, "retain_available": 0}
    async with opened(fake_broker.url) as gateway:
        for message, code in (
            (Message("t", bytes(95)), 0x95),  # 101 bytes as a packet
            (Message("t", b"", qos=1), 0x9B),
            (Message("t", b"", retain=True), 0x9A),
        ):
            with pytest.raises(NotTaken) as refused:
                await gateway.publish(message)
            assert refused.value.code == code
            assert refused.value.hint
        gateway.post(Message("t", bytes(100)))
        assert gateway.dropped == 1
        gateway.post(Message("t", b"last"))
        await fake_broker.until(lambda: bool(fake_broker.published))
    assert [publish.payload for publish in fake_broker.published] == [b"last"]


@pytest.mark.parametrize("topic", ["a/+/b", "a/#", "t" * 70000])
async def test_impossible_topic_is_not_taken(fake_broker: "FakeBroker", topic: str) -> None:
    """A topic MQTT cannot carry is NotTaken for publish, counted for post, and harms nothing else."""
    async with opened(fake_broker.url) as gateway:
        with pytest.raises(NotTaken):
            await gateway.publish(Message(topic, b"", qos=1))
        gateway.post(Message(topic, b""))
        assert gateway.dropped == 1
        await gateway.publish(DATA)


async def test_only_ack_sends_puback(fake_broker: "FakeBroker") -> None:
    """No PUBACK goes out before `ack`, one after it however often it is called, and none after the loss."""
    async with opened(fake_broker.url, "hub") as hub, opened(fake_broker.url) as gateway:
        await hub.subscribe(["data"])
        for _ in range(2):
            await gateway.publish(Message("data", b"", qos=1))
        one, two = await first(hub, 2)
        await hub.subscribe(["other"])
        assert fake_broker.acks == []
        one.ack()
        one.ack()
        await hub.subscribe(["another"])
        assert len(fake_broker.acks) == 1
        await hub.close()
        two.ack()
        await gateway.publish(DATA)
        assert len(fake_broker.acks) == 1


async def test_receive_maximum_bounds_what_waits(fake_broker: "FakeBroker") -> None:
    """A broker that sends far more than our Receive Maximum loses the connection; it cannot fill our memory."""
    async with opened(fake_broker.url, receive_maximum=5) as hub:
        for number in range(1, 20):
            fake_broker.inject(packet(PUBLISH, b"\x00\x01t" + number.to_bytes(2, "big") + b"\x00", 2))
        assert "Receive Maximum" in (await loss(hub)).what


async def test_oldest_quick_arrivals_make_room(fake_broker: "FakeBroker") -> None:
    """QoS 0 nobody takes is bounded: the newest stay, the rest is counted, and QoS 1 among it is untouched."""
    async with opened(fake_broker.url, receive_maximum=5) as page:
        await page.subscribe(["t"], qos=1)
        fake_broker.inject(packet(PUBLISH, b"\x00\x01t\x00\x01\x00one", 2))
        fake_broker.inject(b"".join(packet(PUBLISH, b"\x00\x01t\x00" + bytes([n])) for n in range(20)))
        await page.subscribe(["u"])
        got = [one.message.payload for one in await first(page, 6)]
        assert got == [b"one", *(bytes([n]) for n in range(15, 20))]
        assert page.missed == 15


async def test_post_keeps_up_with_a_healthy_socket(fake_broker: "FakeBroker") -> None:
    """However much is posted over time, nothing is dropped while the peer reads."""
    async with opened(fake_broker.url) as gateway:
        for number in range(100):
            gateway.post(Message("live", bytes(10_000)))
            await fake_broker.until(lambda wanted=number + 1: len(fake_broker.published) == wanted)  # type: ignore[misc]
        assert gateway.dropped == 0


async def test_window_is_the_callers(fake_broker: "FakeBroker") -> None:
    """No queue of the library's stands between a call and the wire: what is published is on its way."""
    fake_broker.withhold = lambda _: True
    async with opened(fake_broker.url) as gateway:
        calls = [asyncio.create_task(gateway.publish(DATA)) for _ in range(100)]
        await fake_broker.until(lambda: len(fake_broker.published) == 100)
        fake_broker.release()
        await asyncio.gather(*calls)


async def test_post_drops_when_the_socket_is_behind() -> None:
    """A peer that reads nothing makes posts drop beyond a bound; none of them waits or fails."""
    stuck = asyncio.Event()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(bytes.fromhex("2003000000"))
        await stuck.wait()
        writer.transport.abort()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, limit=1000)
    url = f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    connection = await mqtt.connect(Endpoint(url, "gw-1"))
    for _ in range(200):
        for _ in range(10):
            connection.post(Message("live", bytes(10_000)))
        await asyncio.sleep(0)
    assert connection.dropped > 0
    assert connection._wire.behind <= mqtt.BEHIND_LIMIT
    stuck.set()
    await loss(connection)
    dropped = connection.dropped
    connection.post(Message("live", b""))
    assert connection.dropped == dropped + 1
    server.close()


async def test_silent_peer_is_lost_within_one_and_a_half_keepalives(fake_broker: "FakeBroker") -> None:
    """A link that swallows everything ends the connection, though we go on sending."""
    async with TcpProxy("127.0.0.1", fake_broker.port) as proxy, opened(proxy.url, keepalive=2) as gateway:
        proxy.swallow()
        began = time.monotonic()
        ended = asyncio.create_task(gateway.closed())
        while not ended.done():
            gateway.post(Message("live", b"x"))
            await asyncio.wait([ended], timeout=0.1)
        with pytest.raises(Lost, match="stopped answering"):
            await ended
        assert 1 <= time.monotonic() - began < 3


async def test_quiet_connection_stays(fake_broker: "FakeBroker") -> None:
    """Pings keep a connection without traffic open beyond two keep-alives."""
    async with opened(fake_broker.url, keepalive=1) as gateway:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.5):
                await gateway.closed()
        await gateway.publish(DATA)


async def test_silent_broker_at_connect(fake_broker: "FakeBroker") -> None:
    """No CONNACK in time is Lost."""
    fake_broker.silent = True
    with pytest.raises(Lost, match=r"within 0\.3 s"):
        await mqtt.connect(Endpoint(fake_broker.url, "gw-1"), timeout=0.3)


async def test_cancelled_connect_leaves_nothing(fake_broker: "FakeBroker") -> None:
    """Cancelling a connect hangs up, even in the middle of the dialling thread."""
    fake_broker.silent = True
    for pause in (0, 0.05):
        connecting = asyncio.create_task(mqtt.connect(Endpoint(fake_broker.url, "gw-1")))
        await asyncio.sleep(pause)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
    async with asyncio.timeout(2):
        await asyncio.gather(*fake_broker._tasks, return_exceptions=True)


@pytest.mark.parametrize("url", ["mqtt://127.0.0.1:1", "mqtt://no-such-host.invalid", "http://x", "mqtt://h:99999"])
async def test_no_broker_is_lost(url: str) -> None:
    """Nobody there, no such name, no such scheme: Lost, with the address and a hint."""
    with pytest.raises(Lost) as lost:
        await mqtt.connect(Endpoint(url, "gw-1"), timeout=5)
    assert url in str(lost.value)
    assert lost.value.hint


async def test_password_in_the_url_is_not_repeated() -> None:
    """A url with a password is refused, and the error keeps it to itself."""
    with pytest.raises(Lost, match="beside the url") as lost:
        await mqtt.connect(Endpoint("mqtt://me:s3cret@127.0.0.1:1", "gw-1"))
    assert "s3cret" not in str(lost.value)


async def test_close_is_polite_and_final(fake_broker: "FakeBroker") -> None:
    """DISCONNECT goes out once, the waiting ones are Lost, and closing again is harmless."""
    fake_broker.withhold = lambda _: True
    gateway = await mqtt.connect(Endpoint(fake_broker.url, "gw-1"))
    call = asyncio.create_task(gateway.publish(DATA))
    await fake_broker.until(lambda: bool(fake_broker.published))
    await asyncio.gather(gateway.close(), gateway.close())
    await gateway.close()
    with pytest.raises(Lost):
        await call
    await fake_broker.until(lambda: fake_broker.disconnects == [0])


async def test_close_on_a_dead_link_does_not_hang(fake_broker: "FakeBroker", monkeypatch: pytest.MonkeyPatch) -> None:
    """When DISCONNECT cannot be written, close gives up after its second."""
    monkeypatch.setattr(mqtt, "FAREWELL", 0.1)
    async with TcpProxy("127.0.0.1", fake_broker.port) as proxy:
        gateway = await mqtt.connect(Endpoint(proxy.url, "gw-1"))
        monkeypatch.setattr(gateway._client, "disconnect", lambda: None)
        async with asyncio.timeout(1):
            await gateway.close()
        await loss(gateway)


@given(st.binary(min_size=1, max_size=60) | st.binary(max_size=40).map(lambda body: packet(PUBLISH, body, 2)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_end_in_a_transport_error(data: bytes) -> None:
    """Whatever a broker says after CONNACK, the connection works on or is Lost; the loop hears of no exception."""
    from tests.support.fake_broker import FakeBroker

    async def scene() -> None:
        complaints: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with FakeBroker() as broker:
            gateway = await mqtt.connect(Endpoint(broker.url, "gw-1"))
            broker.inject(data)
            broker.inject(packet(DISCONNECT, b"\x00"))
            broker.links[0].writer.close()
            with contextlib.suppress(TransportError):
                async with asyncio.timeout(2):
                    await gateway.closed()
            await gateway.close()
        assert not complaints

    asyncio.run(scene())


async def test_unanswered_id_is_never_mistaken(fake_broker: "FakeBroker") -> None:
    """When packet ids come round to a message that still lacks its PUBACK, the connection ends; nothing is 'stored'."""
    fake_broker.withhold = lambda _: True
    async with opened(fake_broker.url) as gateway:
        call = asyncio.create_task(gateway.publish(DATA))
        await fake_broker.until(lambda: bool(fake_broker.published))
        gateway._client._last_mid = fake_broker.published[0].packet_id - 1
        gateway.post(Message("live", b""))
        with pytest.raises(Lost, match="unanswered"):
            await call
