"""MQTT 5 by paho-mqtt, driven by the asyncio loop itself; transport.py says what its users may rely on.

1. `connect` opens the socket in a thread of its own, since name look-up and TLS block, then gives it to the loop
   (`mqtt_wire.py`): from there on no thread runs.
2. A connection has a paho Client of its own. What that still holds when the connection dies goes with it, so nothing is
   sent again behind our back.
3. Whoever waits for a PUBACK or SUBACK holds a future under its packet id; a loss fails all of them at once.
4. Only `Arrived.ack` sends a PUBACK, so the Receive Maximum of our CONNECT bounds what waits here.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway import mqtt_client as to_paho
from gateway import reasons
from gateway.inbox import Inbox
from gateway.mqtt_tls import Security, distrust
from gateway.mqtt_wire import BROKEN, Wire
from gateway.transport import Arrived, Endpoint, Lost, Message, NotTaken

BEHIND_LIMIT = 256 * 1024
"""Bytes of QoS 0 given to a socket since it last kept up: half a minute of a slow mobile link; older is not live."""
FAREWELL = 1.0
"""Seconds to get DISCONNECT out; a silent link would hold it for ever."""
KEEPALIVE_TIMEOUT = 0x8D
CLOSED = "the connection was closed"
OVERDUE = "the broker left a message unanswered until its packet id came round again"


async def connect(endpoint: Endpoint, timeout: float = 10.0) -> "PahoConnection":
    """Open a connection and wait for CONNACK; raises Lost, or NotTaken with the CONNACK reason."""
    where = endpoint.url.rpartition("@")[2]  # a password that stands there by mistake is not repeated
    try:
        connection = PahoConnection(endpoint)
        async with asyncio.timeout(timeout):
            await connection.open(timeout)
    except TimeoutError:
        raise Lost(f"no answer from {where} within {timeout:g} s", "is this the broker's address?") from None
    except ssl.SSLError as error:
        raise distrust(error, where) from error
    except (OSError, ValueError) as error:
        raise Lost(f"cannot connect to {where}: {error}", "is it the right address, and reachable?") from error
    return connection


class PahoConnection:
    """One MQTT session in the open state; made by `connect`.

    `dropped` counts QoS 0 messages that were not sent: the socket was behind or gone, or the broker takes none such.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.session_present = False
        self.dropped = 0
        self._limits = to_paho.Limits()
        self._endpoint = endpoint
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._lost: Lost | None = None
        self._end = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[Sequence[ReasonCode]]] = {}
        self._client = to_paho.make_client(endpoint)
        self._wire = Wire(self._client, endpoint.keepalive, self._lose)
        self._inbox = Inbox(endpoint.receive_maximum, self._ack)

    @property
    def receive_maximum(self) -> int:
        """How many QoS 1 messages may lack their PUBACK, says the broker."""
        return self._limits.receive_maximum

    @property
    def maximum_packet_size(self) -> int | None:
        """How many bytes the broker takes in one packet, if it says so."""
        return self._limits.packet_size

    @property
    def missed(self) -> int:
        """How many QoS 0 arrivals were pushed out by newer ones before anybody took them."""
        return self._inbox.missed

    async def publish(self, message: Message) -> int:
        """Send; for QoS 1 wait for PUBACK and give its reason code (0x10: nobody subscribed). Raises Lost, NotTaken."""
        self._require_open()
        if refusal := self._limits.refusal(message):
            raise refusal
        if message.qos == 0:
            self.post(message)
            return 0
        answer = await self._answer(self._send(message))
        return reasons.verdict(answer[0], message.topic)

    def post(self, message: Message) -> None:
        """Send a QoS 0 message without waiting; dropped when the socket is behind or gone, and counted in `dropped`."""
        size = to_paho.packet_size(message)
        if self._lost or self._wire.behind + size > BEHIND_LIMIT or self._limits.refusal(message):
            self.dropped += 1
            return
        try:
            mid = self._send(message)
        except NotTaken:
            self.dropped += 1
            return
        self._wire.behind += size
        if mid in self._waiting:  # paho reports the end of this message just as it reports that one's PUBACK
            self._lose(OVERDUE)

    async def subscribe(self, filters: Sequence[str], qos: int = 1) -> None:
        """Subscribe; raises Lost, NotTaken when a filter is refused."""
        self._require_open()
        # As published: whoever must not be retained, a command, is known by it also while it is new.
        options = SubscribeOptions(qos, retainAsPublished=True)
        try:
            _, mid = self._client.subscribe([(name, options) for name in filters])
        except ValueError as error:
            raise NotTaken(f"cannot subscribe to {', '.join(filters)}: {error}", code=reasons.TOPIC_INVALID) from error
        if mid is None:
            raise Lost(BROKEN)
        for name, reason in zip(filters, await self._answer(mid), strict=False):
            reasons.verdict(reason, name)

    async def messages(self) -> AsyncIterator[Arrived]:
        """What arrives, in order, bounded by `receive_maximum`; ends by raising Lost."""
        while (arrived := await self._inbox.take()) is not None:
            yield arrived
        self._require_open()

    async def closed(self) -> None:
        """Wait until the connection is gone; raises Lost with the reason."""
        await self._end.wait()
        self._require_open()

    async def close(self) -> None:
        """Send DISCONNECT (the will is not published) and let go; never raises."""
        try:
            if self._lost is None:
                self._client.disconnect()
                async with asyncio.timeout(FAREWELL):
                    await self._end.wait()
        except TimeoutError:
            pass
        finally:
            self._lose(CLOSED)

    async def open(self, timeout: float) -> None:
        """Dial in a thread, take the socket, wait for CONNACK; raises OSError, ValueError, Lost, NotTaken."""
        executor = ThreadPoolExecutor(1, thread_name_prefix="mqtt[dial]")
        dialled = executor.submit(to_paho.dial, self._client, self._endpoint, timeout)
        executor.shutdown(wait=False)
        try:
            security = await asyncio.wrap_future(dialled)
            try:
                self._listen()
                self._wire.take()
                await self._opened
            except Lost:
                if security is not None and security.alert is not None:
                    raise security.alert from None  # TLS 1.3 tells late that the broker does not take our certificate
                raise
        except BaseException:
            self._opened.cancel()
            self._lose("the connection never opened")
            dialled.add_done_callback(self._hang_up)  # the thread cannot be stopped; its socket, once it has one, can
            raise

    def _hang_up(self, _: "Future[Security | None]") -> None:
        if (late := self._client.socket()) is not None:
            late.close()

    def _listen(self) -> None:
        client = self._client
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_publish, client.on_subscribe = self._on_publish, self._on_subscribe
        client.on_message = self._on_message

    def _lose(self, why: str, hint: str = "") -> None:
        if self._lost is not None:
            return
        self._lost = Lost(why, hint)
        self._wire.close()
        futures: list[asyncio.Future[Any]] = [self._opened, *self._waiting.values()]
        for future in futures:
            if not future.done():
                future.set_exception(Lost(why, hint))
        self._inbox.shut()
        self._end.set()

    def _require_open(self) -> None:
        if self._lost is not None:
            raise Lost(self._lost.what, self._lost.hint)

    def _send(self, message: Message) -> int:
        topic, payload, properties = message.topic, message.payload, to_paho.Packed(message)
        try:
            info = self._client.publish(topic, payload, message.qos, message.retain, properties)
        except ValueError as error:
            raise NotTaken(f"{message.topic}: {error}", code=reasons.TOPIC_INVALID) from error
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lose(OVERDUE)
        return info.mid

    async def _answer(self, mid: int) -> Sequence[ReasonCode]:
        if mid in self._waiting:
            self._lose(OVERDUE)
        self._require_open()
        answer: asyncio.Future[Sequence[ReasonCode]] = self._loop.create_future()
        self._waiting[mid] = answer
        try:
            return await answer
        finally:
            del self._waiting[mid]

    def _ack(self, mid: int) -> None:
        self._client.ack(mid, 1)

    # paho calls what follows, always from the loop.

    def _on_connect(
        self, _: Client, __: object, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if self._opened.done():
            return
        if reason.value >= reasons.REFUSED:
            self._opened.set_exception(
                reasons.refusal(reason.value, f"the broker refused the connection: {reasons.name(reason)}")
            )
            return
        self.session_present = flags.session_present
        self._limits = to_paho.Limits.of(properties)
        self._opened.set_result(None)

    def _on_disconnect(
        self, _: Client, __: object, flags: DisconnectFlags, reason: ReasonCode, ___: Properties | None
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._lose(f"the broker ended the connection: {reasons.name(reason)}", reasons.hint(reason.value))
        elif reason.value == KEEPALIVE_TIMEOUT:
            self._lose("the broker stopped answering", "the network between may be down")
        elif not self._opened.done():
            self._lose("the broker hung up instead of answering CONNECT", reasons.hint(reasons.UNSUPPORTED_VERSION))
        else:
            self._lose(BROKEN if reason.value else CLOSED)

    def _on_publish(self, _: Client, __: object, mid: int, reason: ReasonCode, ___: Properties | None) -> None:
        self._on_subscribe(_, __, mid, [reason], ___)

    def _on_subscribe(
        self, _: Client, __: object, mid: int, answer: Sequence[ReasonCode], ___: Properties | None
    ) -> None:
        future = self._waiting.get(mid)
        if future is not None and not future.done():
            future.set_result(answer)

    def _on_message(self, _: Client, __: object, arrived: MQTTMessage) -> None:
        if self._lost is None and not self._inbox.put(to_paho.arrived_message(arrived), arrived.mid):
            self._lose("the broker ignores our Receive Maximum")
