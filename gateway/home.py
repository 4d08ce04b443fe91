"""One house in one process: a station of meters whose journal feeds the store directly, and the pages.

MQTT is optional here: a broker of the owner's gets live values, status and the birth document, for home automation.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from gateway import control
from gateway.alerts.post import EventPoster
from gateway.clock import wall_ms
from gateway.config.build import endpoint_of
from gateway.config.models import HomeConfig
from gateway.feeder import Feeder
from gateway.live import LivePoster
from gateway.message import Topics
from gateway.program import run_until_signal
from gateway.show import tell_link
from gateway.station import read_now, station
from gateway.store import open_store
from gateway.teller import Teller
from gateway.today import Today
from gateway.web.alertbook import AlertBook
from gateway.web.screen import Sources
from gateway.web.serve import Served, serve


async def run(config: HomeConfig) -> None:
    """Run the house until a signal."""
    topics = Topics(config.gateway.tenant, config.gateway.id, config.mqtt.root if config.mqtt else "nabd")
    poster = LivePoster(topics, config.mqtt.live_every) if config.mqtt else None
    store = open_store(config.store)
    await store.open()
    try:
        async with station(config, poster.post if poster else None) as here:
            feeder = Feeder(here.journal, store, topics, keep_raw=config.store.keep_raw)
            zone, tenant = config.gateway.zone, config.gateway.tenant
            today = Today(here.book, store, zone, wall_ms, tenant)
            pages: list[Served] = []
            polling: list[asyncio.Task[None]] = []

            async def start(group: asyncio.TaskGroup) -> None:
                polling.extend(here.start(group))
                group.create_task(feeder.run(), name="feeder")
                group.create_task(Teller(here.faults() | {"store": lambda: feeder.error}).run(), name="teller")
                if config.mqtt and poster:
                    from gateway.announce import Announcer, will_of  # noqa: PLC0415  no MQTT where no broker is
                    from gateway.mqtt import connect  # noqa: PLC0415

                    endpoint = endpoint_of(config.mqtt, config.gateway.id, will=will_of(topics))
                    announcer = Announcer(endpoint, topics, here)
                    poster.uplink = announcer
                    group.create_task(announcer.run(), name="announcer")
                    events = EventPoster(topics, announcer)
                    here.alerting.listeners.append(events.post)
                    group.create_task(events.run(), name="events")
                    if config.mqtt.discovery:
                        from gateway.discovery import Discovery  # noqa: PLC0415

                        where = endpoint_of(config.mqtt, f"{config.gateway.id}-discovery")
                        finder = Discovery(
                            connect, where, topics, here.info, config.mqtt.discovery_prefix, config.mqtt.live_every
                        )
                        group.create_task(finder.run(), name="discovery")
                group.create_task(today.run(), name="today")
                sources = Sources(here.book, wall_ms, today, AlertBook(wall_ms), zone)
                sessions = config.hub.database.with_name("sessions.json")
                pages.append(await serve(group, config.web, sources, sessions, language=config.gateway.language))
                tell_link(pages[0].link())

            async def goodbye() -> None:
                await here.drain(polling)
                async with asyncio.timeout(3):
                    await feeder.feed()

            async def status(_: Mapping[str, Any]) -> Mapping[str, Any]:
                return here.status() | {
                    "stored": feeder.stored,
                    "store_error": feeder.error,
                    "unreadable_blocks": feeder.unreadable,
                    "pages": [page.address for page in pages],
                }

            async def link(_: Mapping[str, Any]) -> Mapping[str, Any]:
                return {"link": pages[0].link()} if pages else {"error": "the pages are not served yet"}

            async def read(question: Mapping[str, Any]) -> Mapping[str, Any]:
                return await read_now(here, str(question.get("meter", "")))

            answers = {"status": status, "read": read, "link": link}
            async with control.listening(config.journal.folder / "edge.sock", answers):
                await run_until_signal(start, goodbye=goodbye)
    finally:
        await store.close()
