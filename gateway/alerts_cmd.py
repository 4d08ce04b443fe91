"""`nabd alerts explain | shadow | test`: one alert's reasons, a configuration on trial, and whether messages arrive.

`explain` and `shadow` read the store and the hub database of a home or hub, also while that runs; nothing is written
and nothing is sent. Exit codes: 0 identical, or done; 1 not identical, or a channel that did not take the test; 2 it
could not run.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from gateway.alerts.event import AlertEvent, parse
from gateway.alerts.explain import judge
from gateway.alerts.explain import lines as explained
from gateway.alerts.past import Past
from gateway.alerts.replay import shown
from gateway.alerts.settings import MeterSettings, Settings, decode
from gateway.alerts.shadow import DAY_MS, LEARN_DAYS, shadow
from gateway.alerts.shadow import lines as reported
from gateway.config.build import meter_id
from gateway.config.customers import Document, HomeConfig, HubChannelTable, HubConfig
from gateway.config.models import EdgeConfig
from gateway.hubdb import HubDatabase
from gateway.message import MessageError
from gateway.notify.render import Occasion, render
from gateway.notify.sms import plain
from gateway.settings import about
from gateway.store import open_store
from gateway.store.contract import Store

Say = Callable[[str], None]
FILE_LIMIT = 64 * 1024
"""Bytes of an event's file: one with all its points has under 8 kB."""
NOTHING = MeterSettings()

SOURCE_PARTS = 4

TENANTS = "SELECT DISTINCT tenant FROM meter ORDER BY tenant"
EVENT = "SELECT tenant, body FROM event WHERE instr(body, ?) ORDER BY id"
SETTINGS = "SELECT tenant, body FROM sent_settings"


@dataclass
class AlertsError(Exception):
    """What was asked cannot be done: why, and what to do."""

    what: str
    hint: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.what} ({self.hint})"


@dataclass
class House:
    """What a home or hub keeps, opened for reading: its store, its database, and its configuration."""

    config: HomeConfig | HubConfig
    store: Store
    database: HubDatabase

    async def pasts(self) -> list[Past]:
        """Give the past of every meter."""
        file = self.database.file
        tenants = await file.read(lambda c: [row[0] for row in c.execute(TENANTS)])
        known = _settings(await file.read(lambda c: c.execute(SETTINGS).fetchall()))
        config, place = self.config, _place(self.config)
        rows = {meter_id(config, row): row for row in config.meter} if isinstance(config, HomeConfig) else {}
        calendar = config.alerts.calendar.of(place.zone)
        pasts = []
        for tenant in tenants:
            for meter in await self.database.meters(tenant):
                said = known.get((tenant, meter.meter), NOTHING)
                if row := rows.get(meter.meter):
                    said = about(Settings(meters={meter.meter: said}), meter.meter, row)
                plan = config.tariff.plan(meter.commodity, said.rating_a)
                pasts.append(Past(self.store, tenant, meter.meter, said, config.alerts, calendar, plan))
        return pasts


def _settings(rows: Sequence[tuple[str, bytes]]) -> dict[tuple[str, str], MeterSettings]:
    """Read the newest documents that gateways were sent."""
    found: dict[tuple[str, str], MeterSettings] = {}
    for tenant, body in rows:
        try:
            found |= {(tenant, meter): said for meter, said in decode(body).meters.items()}
        except MessageError:  # of another version: the file's own word holds
            continue
    return found


def _place(config: HomeConfig | HubConfig) -> Any:
    return config.hub if isinstance(config, HubConfig) else config.gateway


@asynccontextmanager
async def opened(config: HomeConfig | HubConfig) -> AsyncIterator[House]:
    """Open store and database; raises StoreError, and AlertsError where there is nothing yet."""
    files = [config.hub.database] + ([config.store.path] if config.store.kind == "sqlite" else [])
    for file in files:
        if not file.exists():
            raise AlertsError(f"{file} is not there", "nothing was stored yet, or -c names another configuration")
    store, database = open_store(config.store), HubDatabase(config.hub.database)
    await store.open()
    try:
        await database.open()
        try:
            yield House(config, store, database)
        finally:
            await database.close()
    finally:
        await store.close()


async def explain(config: HomeConfig | HubConfig, what: str, tell: Say) -> int:
    """Say an event's figures, and compute it once more from what is stored; raises AlertsError, StoreError."""
    async with opened(config) as house:
        tenant, event = from_file(Path(what)) if Path(what).is_file() else await _from_database(house, what)
        for line in explained(event, _options(config, event.rule)):
            tell(line)
        tell(_said(config, event))
        past = _past_of(tenant, event.meter, await house.pasts())
        start = event.raised - LEARN_DAYS * DAY_MS
        verdict = judge(event, [found async for found in past.events(start, event.at + 1)])
    since = f", from {shown(past.first)} on" if past.first else ""
    tell(f"computed again from {past.readings} stored readings{since}: {verdict.word}")
    for difference in verdict.differences:
        tell(f"  {difference}")
    return 0 if verdict.word == "identical" else 1


def _past_of(tenant: str, meter: str, pasts: Sequence[Past]) -> Past:
    """Find a meter's past; meters of several customers may have one name."""
    found = [past for past in pasts if past.meter == meter and tenant in ("", past.tenant)]
    if len(found) > 1:
        raise AlertsError(f"several customers have a meter {meter!r}", "give the alert's id, or its CloudEvent")
    if not found:
        raise AlertsError(f"there is no meter {meter!r} here", "name the configuration of its own hub or home")
    return found[0]


def _said(config: HomeConfig | HubConfig, event: AlertEvent) -> str:
    """Say an event as its readers were told of it."""
    place = _place(config)
    now = datetime.fromtimestamp(event.at / 1000, ZoneInfo(place.zone))
    words = render(Occasion(event, event.meter, place.language, now, emergency=place.emergency or ""))
    return f"said\n  {plain(words.title)}\n  {plain(words.text)}"


def from_file(file: Path) -> tuple[str, AlertEvent]:
    """Read an event, or a CloudEvent around one, which alone says whose it is; raises AlertsError."""
    hint = "the dict of an event, as a webhook, the topic event or a block has it"
    try:
        with file.open("rb") as opened_file:
            row = orjson.loads(opened_file.read(FILE_LIMIT + 1))
        if isinstance(row, dict) and "specversion" in row:
            return _tenant_of(str(row.get("source"))), parse(row["data"])
        return "", parse(row)
    except (OSError, orjson.JSONDecodeError, KeyError, MessageError) as error:
        raise AlertsError(f"{file}: {error}", hint) from None


def _tenant_of(source: str) -> str:
    """Give whose gateway a CloudEvent's source names, as in `/nabd/home/gw`; "" where it is none of ours."""
    parts = source.split("/")
    return parts[2] if len(parts) == SOURCE_PARTS else ""


async def _from_database(house: House, name: str) -> tuple[str, AlertEvent]:
    """Find an event by its key, or by its alert's id the newest that was still open."""
    alert = name.partition("-")[0].encode()
    rows = await house.database.file.read(lambda c: c.execute(EVENT, (alert,)).fetchall())
    events = []
    for tenant, body in rows:
        try:
            events.append((tenant, parse(orjson.loads(body))))
        except (orjson.JSONDecodeError, MessageError):
            continue
    found = [(tenant, event) for tenant, event in events if name in (event.key, event.id)]
    if not found:
        raise AlertsError(f"there is no event {name!r} here", "an id such as 9f2c3a41b07d5e11, a key, or a file")
    return next((one for one in reversed(found) if one[1].open), found[-1])


def _options(config: HomeConfig | HubConfig, rule: str) -> Mapping[str, Any]:
    table = getattr(config.alerts, rule, None)
    return table.model_dump() if table is not None else {}


async def report(config: HomeConfig | HubConfig, days: int, tell: Say, *, as_json: bool = False) -> int:
    """Say what the rules would have told of the last days; raises AlertsError, StoreError."""
    async with opened(config) as house:
        pasts = await house.pasts()
        alerts = await shadow(pasts, round(time.time() * 1000), days)
    for line in (
        (orjson.dumps(alert.to_dict()).decode() for alert in alerts) if as_json else reported(alerts, len(pasts), days)
    ):
        tell(line)
    return 0


async def test(config: HomeConfig | HubConfig, name: str | None, tell: Say) -> int:
    """Send a marked test alert by every channel, or one; raises AlertsError."""
    from gateway.config.errors import ConfigError  # noqa: PLC0415  what channels need is loaded only here
    from gateway.notify.channels.build import channel_of  # noqa: PLC0415
    from gateway.notify.channels.contract import Delivered, Refused  # noqa: PLC0415
    from gateway.notify.trial import trial  # noqa: PLC0415

    channels = [channel for channel in config.channel if name in (None, channel.name)]
    if not channels:
        names = ", ".join(channel.name for channel in config.channel) or "none"
        raise AlertsError(
            f"there is no channel {name!r}" if name else "no channel is configured", f"configured: {names}"
        )
    place, failed = _place(config), False
    for channel in channels:
        tenant = channel.tenant if isinstance(channel, HubChannelTable) else place.tenant
        now = datetime.now(ZoneInfo(place.zone))
        try:
            message = trial(place.id, tenant, channel.name, channel.language or place.language, now)
            receipt = await channel_of(channel, time.time, tenant).send(message)
        except ConfigError as error:  # a secret's file that is gone, an extra that is not installed
            receipt = Refused(str(error))
        failed |= not isinstance(receipt, Delivered)
        tell(f"{channel.name}: " + ("sent" if isinstance(receipt, Delivered) else f"could not be sent: {receipt.why}"))
    return 1 if failed else 0


async def run(config: Document, options: Any, tell: Say) -> int:
    """Do what the command line says; raises AlertsError, StoreError."""
    if isinstance(config, EdgeConfig):
        raise AlertsError("an edge keeps no store and tells nobody", "name a hub.toml or home.toml with -c")
    if options.what == "explain":
        return await explain(config, options.event, tell)
    if options.what == "shadow":
        return await report(config, options.days, tell, as_json=options.json)
    return await test(config, options.channel, tell)
