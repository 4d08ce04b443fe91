"""A hub's site with two tenants whose gateways gave their meters the same ids, and browsers of both and the operator.

What belongs to Anna carries the words of `ANNAS`, what belongs to Bilal those of `BILALS`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
from starlette.applications import Starlette

from gateway.alerts.event import AlertEvent, alert_id
from gateway.config.customers import HubChannelTable, TellingTable
from gateway.desk import Desk
from gateway.hubdb import BlockRecord, HubDatabase
from gateway.live import LiveBook, LiveMeter
from gateway.message import MeterInfo
from gateway.moves import Moves
from gateway.notify.links import Action, Link
from gateway.outlook import Outlook
from gateway.progress import Progress
from gateway.reset.wanted import Reset
from gateway.telling import Telling
from gateway.today import Today
from gateway.web.access import OPERATOR, Access, Door
from gateway.web.alertbook import AlertBook
from gateway.web.page import app
from gateway.web.screen import Sources

NOW = 1_795_219_210_000
"""Saturday, 21 November 2026, 00:00:10 UTC."""
DAY = 86_400_000
HERE = "http://nabd.test"
KEY = b"k" * 32
METER = "gw_main"
ANNAS, BILALS = ("Annas-kitchen", "1.11", "annas-phone"), ("Bilals-cellar", "2.22", "bilals-phone")
OWNERS = {"anna": ANNAS, "bilal": BILALS}
POWER = {"anna": 1110.0, "bilal": 2220.0}


@dataclass
class TwoHomes:
    """The site and its parts; `browser` gives one for each who is let in."""

    site: Starlette
    access: Access
    desk: Desk
    database: HubDatabase
    book: LiveBook
    alerts: AlertBook
    today: Today
    money: dict[str, Outlook] = field(default_factory=dict)

    def browser(self, door: Door = OPERATOR) -> httpx.AsyncClient:
        """Give a browser that a link for `door` let in."""
        browser = httpx.AsyncClient(transport=httpx.ASGITransport(self.site), base_url=HERE, headers={"origin": HERE})
        browser.cookies.set("nabd", self.access.enter(self.access.link(door), "") or "")
        return browser

    def of(self, tenant: str) -> httpx.AsyncClient:
        """Give a customer's browser."""
        return self.browser(Door("customer", tenant))

    async def alert(self, tenant: str, raised: int = NOW, rule: str = "overload") -> AlertEvent:
        """Raise an alert at a tenant's meter; raised at one moment, both tenants' have one id."""
        event = AlertEvent(
            id=alert_id(rule, METER, raised), seq=1, rule=rule, meter=METER, state="raised",
            severity="warning", raised=raised, at=raised, value=29.0, baseline=25.0, unit="A",
            points=[(raised - 5000, 24.0), (raised, 29.0)],
        )  # fmt: skip
        await self.database.write([BlockRecord(tenant, "gw", 1, raised, NOW, events=[event.encode()])])
        await self.desk.telling.outbox.plan(NOW)
        self.alerts.take(tenant, event)
        return event


def signed(tenant: str, alert: str, action: Action = "acknowledge") -> str:
    """Give the address of a link as a message to a tenant carries it."""
    return f"/answer/{Link(action, tenant, alert, 'phone', NOW // 1000 + 86_400).sign(KEY)}"


@asynccontextmanager
async def two_homes(folder: Path, zone: str = "UTC") -> AsyncIterator[TwoHomes]:
    """Give the site; it ends with the block."""
    book, alerts, access = LiveBook(), AlertBook(lambda: NOW), Access(None, stay=86_400, now=lambda: NOW)
    database = HubDatabase(folder / "hub.sqlite")
    await database.open()
    try:
        for tenant, (name, _, _) in OWNERS.items():
            info = MeterInfo(id=METER, name=name, commodity="electricity", model="m", every=10, quantities={})
            await database.enrol(tenant, "gw", [info])
            power = {"power_w": POWER[tenant], "energy_import_wh": 5_000_000.0}
            book.know(LiveMeter(METER, name, "electricity", "m", 10.0, NOW, 0, power, tenant=tenant))
        channels = [
            HubChannelTable(name=phone, kind="ntfy", url=f"http://127.0.0.1:9/{phone}", tenant=tenant)
            for tenant, (_, _, phone) in OWNERS.items()
        ]
        telling = await Telling.open(database.file, channels, TellingTable(zone=zone), Progress(lambda: 0.0))
        moves = Moves(database.file, ZoneInfo(zone))
        await moves.open()
        forgetting = Reset("box", folder / "factory-reset", lambda: None)
        desk = Desk(telling, database.file, ZoneInfo(zone), lambda: NOW, moves=moves, forgetting=forgetting)
        today = Today(book, None, zone, lambda: NOW)
        money: dict[str, Outlook] = {}
        sources = Sources(book, lambda: NOW, today, alerts, zone, money=lambda meter: money.get(meter.tenant))
        site = app(sources, access, names={"nabd.test"}, answers=telling, link_key=KEY, desk=desk)
        yield TwoHomes(site, access, desk, database, book, alerts, today, money)
    finally:
        await database.close()
