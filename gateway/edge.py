"""The edge: a station of meters whose journal flows to a broker.

Told to stop, it stops polling, keeps the open window, says goodbye to the broker, and leaves within seconds; what the
store does not have yet is sent after the next start.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from zlib import crc32

import orjson

import gateway
from drivers.contract import DriverError
from gateway import control
from gateway.config.build import endpoint_of
from gateway.config.models import EdgeConfig
from gateway.live import LivePoster
from gateway.message import Topics
from gateway.mqtt import connect
from gateway.program import run_until_signal
from gateway.station import Station, station
from gateway.transport import Endpoint, Message
from gateway.uplink import Uplink

SESSION = 86400
"""Seconds a broker keeps our subscription while we are away, so that acknowledgements wait for us."""
HEALTH_EVERY = 60.0
HEALTH_EXPIRY = 300
FRESH_BOOT_MS = 5 * 60 * 1000
SPREAD = 30
"""After a power cut a whole town boots at once; each gateway waits its own share of this many seconds."""


async def run(config: EdgeConfig) -> None:
    """Run the edge until a signal."""
    topics = Topics(config.gateway.tenant, config.gateway.id, config.mqtt.root)
    poster = LivePoster(topics, config.mqtt.live_every)
    async with station(config, poster.post) as here:
        uplink = Uplink(
            here.journal,
            connect,
            _endpoint(config, topics),
            topics,
            lambda: [_status(topics, here, "online"), _info(topics, here)],
            ack_mode=config.mqtt.ack_mode,
            ack_timeout=config.mqtt.ack_timeout,
            handle=Commands(topics, here).handle,
        )
        poster.uplink = uplink
        polling: list[asyncio.Task[None]] = []

        async def start(group: asyncio.TaskGroup) -> None:
            polling.extend(here.start(group))
            group.create_task(_uplink_when_spread(uplink, config, here), name="uplink")
            group.create_task(_health(topics, here, uplink), name="health")

        async def goodbye() -> None:
            await _drain(polling, here)
            await uplink.stop(_status(topics, here, "offline", reason="shutdown"))

        async def drain(_: Mapping[str, Any]) -> Mapping[str, Any]:
            await _drain(polling, here)
            return {"done": True}

        async def status(_: Mapping[str, Any]) -> Mapping[str, Any]:
            return here.status() | {"uplink": uplink.status()}

        async def read(question: Mapping[str, Any]) -> Mapping[str, Any]:
            return await _read_now(here, str(question.get("meter", "")))

        answers = {"status": status, "read": read, "drain": drain}
        async with control.listening(socket_of(config), answers):
            await run_until_signal(start, goodbye=goodbye)


def socket_of(config: EdgeConfig) -> "control.Path":
    """Name the socket of a running edge: beside its journal."""
    return config.journal.folder / "edge.sock"


class Commands:
    """What a hub may ask of a gateway; every answer goes to `reply` with the question's correlation data."""

    def __init__(self, topics: Topics, here: Station) -> None:
        """Serve the meters of one station."""
        self._topics, self._here = topics, here

    async def handle(self, kind: str, message: Message) -> Message | None:
        """Answer `cmd/ping` and `cmd/read_now`; anything else is not ours."""
        if kind == "cmd/ping":
            return self._reply(message, {"pong": self._here.clock.wall()})
        if kind == "cmd/read_now":
            try:
                meter = str(orjson.loads(message.payload)["meter"])
            except (orjson.JSONDecodeError, KeyError, TypeError):
                return self._reply(message, {"error": 'the payload is not {"meter": ID}'})
            return self._reply(message, await _read_now(self._here, meter))
        return None

    def _reply(self, message: Message, answer: Mapping[str, Any]) -> Message:
        return Message(
            self._topics.of("reply"), orjson.dumps(answer, default=str), qos=1, correlation=message.correlation
        )


async def _read_now(here: Station, meter: str) -> Mapping[str, Any]:
    try:
        return await here.read_now(meter)
    except KeyError:
        return {"error": f"there is no meter {meter!r} here"}
    except DriverError as error:
        return {"error": str(error)}


async def _drain(polling: list["asyncio.Task[None]"], here: Station) -> None:
    for task in polling:
        task.cancel()
    await asyncio.gather(*polling, return_exceptions=True)
    await here.journal.flush()


async def _uplink_when_spread(uplink: Uplink, config: EdgeConfig, here: Station) -> None:
    local = any(host in config.mqtt.url for host in ("//127.", "//localhost", "//[::1]"))
    if here.clock.boot_ms() < FRESH_BOOT_MS and not local:
        await asyncio.sleep(crc32(config.gateway.id.encode()) % SPREAD)
    await uplink.run()


async def _health(topics: Topics, here: Station, uplink: Uplink) -> None:
    while True:
        await asyncio.sleep(HEALTH_EVERY)
        if uplink.connection is not None:
            payload = orjson.dumps(here.status() | {"uplink": uplink.status()}, default=str)
            uplink.connection.post(Message(topics.of("health"), payload, retain=True, expiry=HEALTH_EXPIRY))


def _endpoint(config: EdgeConfig, topics: Topics) -> Endpoint:
    will = Message(topics.of("status"), orjson.dumps({"state": "offline", "reason": "lwt"}), qos=1, retain=True)
    user = f"{config.gateway.tenant}/{config.gateway.id}"
    return endpoint_of(config.mqtt, config.gateway.id, user=user, session_expiry=SESSION, will=will)


def _status(topics: Topics, here: Station, state: str, **more: str) -> Message:
    document = {
        "state": state,
        "ts": here.clock.wall(),
        "boot": here.clock.boot_id,
        "version": gateway.VERSION,
        "stream": here.journal.stream,
        **more,
    }
    return Message(topics.of("status"), orjson.dumps(document), qos=1, retain=True)


def _info(topics: Topics, here: Station) -> Message:
    return Message(topics.of("info"), here.info().model_dump_json().encode(), qos=1, retain=True)
