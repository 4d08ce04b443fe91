"""A desk over a real hub database: two channels and a second contact of one home, two meters, nothing answered yet."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.alerts.event import AlertEvent
from gateway.config.customers import ChannelTable, TellingTable
from gateway.desk import Desk
from gateway.hubdb import BlockRecord, HubDatabase
from gateway.message import MeterInfo
from gateway.progress import Progress
from gateway.reset.wanted import Reset
from gateway.telling import Telling

CHANNELS = (
    ChannelTable(name="phone", kind="ntfy", url="http://127.0.0.1:9/topic"),
    ChannelTable(name="mail", kind="smtp", url="smtp+plain://127.0.0.1:9", to="a@mail.example", cost="weekly"),
    ChannelTable(name="neighbour", kind="ntfy", url="http://127.0.0.1:9/other", second=True),
)
METERS = (("home_main", "House", "electricity"), ("home_water", "Garden and house", "water"))


@asynccontextmanager
async def open_desk(
    folder: Path,
    now: Callable[[], int],
    zone: str = "Asia/Riyadh",
    wake: Callable[[], None] = lambda: None,
    reset: Reset | None = None,
) -> AsyncIterator[tuple[Desk, HubDatabase]]:
    """Give a desk and its database, which ends with the block."""
    database = HubDatabase(folder / "hub.sqlite")
    await database.open()
    try:
        infos = [
            MeterInfo(id=meter, name=name, commodity=commodity, model="m", every=900, quantities={})
            for meter, name, commodity in METERS
        ]
        await database.enrol("home", "gw", infos)
        place = TellingTable(zone=zone)
        telling = await Telling.open(database.file, CHANNELS, place, Progress(lambda: 0.0), tenant="home")
        yield Desk(telling, database.file, ZoneInfo(zone), now, wake, forgetting=reset), database
    finally:
        await database.close()


async def arrive(desk: Desk, database: HubDatabase, *events: AlertEvent) -> None:
    """Let alerts come in and be planned."""
    now = desk.now()
    for number, event in enumerate(events, 1):
        await database.write([BlockRecord("home", "gw", 1, now + number, now, events=[event.encode()])])
    await desk.telling.outbox.plan(now)
