"""The hub: collector, store, hub database and pages, wired together."""

import asyncio
from typing import Any

from gateway import control
from gateway.backoff import Backoff
from gateway.collector import Collector
from gateway.config.build import endpoint_of
from gateway.config.models import HubConfig
from gateway.hubdb import HubDatabase
from gateway.live import LiveBook
from gateway.mqtt import connect
from gateway.program import run_until_signal
from gateway.store import open_store
from gateway.transport import Endpoint, TransportError
from gateway.web.serve import serve


async def run(config: HubConfig) -> None:
    """Run the hub until a signal."""
    store = open_store(config.store)
    database = HubDatabase(config.hub.database)
    await store.open()
    await database.open()
    collector = Collector(
        connect, endpoint_of(config.mqtt, f"{config.hub.id}-collector"), store, database, root=config.mqtt.root
    )
    book = LiveBook()

    async def status(_: Any) -> dict[str, Any]:
        return {
            "hub": config.hub.id,
            "stored": await store.count(),
            "collector": collector.status(),
            "losses": await database.losses(),
            "pages": list(addresses),
        }

    addresses: list[str] = []

    async def start(group: asyncio.TaskGroup) -> None:
        group.create_task(collector.run(), name="collector")
        group.create_task(
            _listen(endpoint_of(config.mqtt, f"{config.hub.id}-live"), config.mqtt.root, book), name="live"
        )
        addresses.append(await serve(group, config.web.listen, book, language=config.hub.language))

    try:
        async with control.listening(config.hub.database.parent / "hub.sock", {"status": status}):
            await run_until_signal(start)
    finally:
        await database.close()
        await store.close()


async def _listen(endpoint: Endpoint, root: str, book: LiveBook) -> None:
    """Hear live values and birth documents of every gateway, for the pages."""
    backoff = Backoff(1.0, 60.0)
    while True:
        try:
            connection = await connect(endpoint)
            try:
                await connection.subscribe([f"{root}/v1/+/+/info", f"{root}/v1/+/+/live/+"], qos=1)
                backoff.reset()
                async for arrived in connection.messages():
                    book.hear(arrived.message)
                    arrived.ack()
            finally:
                await connection.close()
        except TransportError:
            await asyncio.sleep(backoff.next())
