"""From the configuration's channels to the notifier's readers and the outbox' customers."""

import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from gateway.config.channels import MACHINES
from gateway.config.customers import ChannelTable, HubChannelTable, TellingTable
from gateway.notify import browsers
from gateway.notify.absence import Absences
from gateway.notify.browsers import Browser
from gateway.notify.channels.build import channel_of
from gateway.notify.channels.telegram import Telegram
from gateway.notify.channels.telegram_replies import TelegramReplies
from gateway.notify.costs import Costs
from gateway.notify.digests import Digests
from gateway.notify.kinds import KINDS, Frequency, Kind
from gateway.notify.notifier import Notifier, Reader
from gateway.notify.outbox import Outbox
from gateway.notify.planning import Customer
from gateway.notify.router import Contact
from gateway.store.contract import StoreError, TryAgain
from gateway.store.database import Database


@dataclass(frozen=True)
class Notices:
    """What telling needs: the outbox, its readers, and the key that signs links."""

    outbox: Outbox
    readers: Sequence[Reader]
    key: bytes
    now: Callable[[], float]
    digests: Digests
    absences: Absences

    def notifier(self, page: str, costs: Costs | None = None) -> Notifier:
        """Make the notifier; `page` is the address people reach the pages by, with which links begin."""
        besides = self._besides()
        notifier = Notifier(self.outbox, self.readers, self.key, page=page, now=self.now, besides=besides, costs=costs)
        self.digests.wake = self.absences.wake = notifier.wake
        self.digests.costs = costs
        return notifier

    def _besides(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        """Name what runs beside planning and sending: digests, the ends of absences, one listener for each bot."""
        listeners = {f"replies[{number}]": bot.run for number, bot in enumerate(_bots(self.readers, self))}
        return {"digests": self.digests.run, "absences": self.absences.run, **listeners}


async def open_notices(
    database: Database,
    channels: Sequence[ChannelTable],
    place: TellingTable,
    tenant: str = "",
    *,
    now: Callable[[], float] = time.time,
) -> Notices:
    """Make ready to tell what is in an open hub database; `tenant` is the one of a house, a hub's channels name theirs.

    Raises StoreError, and ConfigError when a secret's file is gone since the configuration was loaded.
    """
    zone = ZoneInfo(place.zone)
    readers = [_reader(channel, place, tenant, now) for channel in channels]
    readers += await _browsers(database, place, now)
    customers = {
        name: Customer(
            name, zone, tuple(reader.contact for reader in readers if reader.tenant == name), place.emergency or ""
        )
        for name in {reader.tenant for reader in readers}
    }
    outbox = Outbox(database, customers)
    await outbox.retire({reader.name for reader in readers}, round(now() * 1000))
    digests, absences = Digests(database, customers, now), Absences(database, customers, now)
    await absences.open()
    return Notices(outbox, readers, await outbox.link_key(), now, digests, absences)


def _bots(readers: Sequence[Reader], notices: Notices) -> list[TelegramReplies]:
    """Make a listener for each bot; several chats may share one."""
    bots: dict[str, tuple[Telegram, dict[str, tuple[str, str]]]] = {}
    for reader in readers:
        if isinstance(reader.channel, Telegram):
            _, chats = bots.setdefault(reader.channel.token, (reader.channel, {}))
            chats[reader.channel.chat] = (reader.tenant, reader.name)
    return [TelegramReplies(bot, chats, notices.outbox, notices.now) for bot, chats in bots.values()]


def _reader(table: ChannelTable, place: TellingTable, tenant: str, now: Callable[[], float]) -> Reader:
    owner = table.tenant if isinstance(table, HubChannelTable) else tenant
    return Reader(
        tenant=owner,
        contact=_contact(table),
        channel=channel_of(table, now, owner),
        language=table.language or place.language,
        zone=ZoneInfo(place.zone),
        provider=_provider(table),
        emergency=place.emergency or "",
    )


async def _browsers(database: Database, place: TellingTable, now: Callable[[], float]) -> list[Reader]:
    """Make readers of the browsers that subscribed on our pages; they come after what is configured."""
    known = await database.read(browsers.every)
    if not known:
        return []
    key = await database.write(browsers.key_of)
    if isinstance(key, TryAgain):
        raise StoreError(key.why, "look at the disk of the hub's database")
    zone, emergency = ZoneInfo(place.zone), place.emergency or ""
    return [_pushed(one, key, zone, emergency, now) for one in known]


def _pushed(browser: Browser, key: str, zone: ZoneInfo, emergency: str, now: Callable[[], float]) -> Reader:
    from gateway.notify.channels.webpush import WebPush  # noqa: PLC0415
    from gateway.notify.channels.webpush_crypto import read_key, read_subscription  # noqa: PLC0415

    channel = WebPush(read_subscription(browser.body), read_key(key), browser.origin, now)
    # A digest is read, not glanced at.
    contact = Contact(browser.name, frequency={"digest": "off"})
    return Reader(browser.tenant, contact, channel, browser.language, zone, "push to browsers", emergency)


def _contact(table: ChannelTable) -> Contact:
    frequency: dict[Kind, Frequency] = {kind: often for kind in KINDS if (often := getattr(table, kind)) is not None}
    if table.kind == "sms":
        # A digest has no place in a text message.
        frequency.setdefault("digest", "off")
    return Contact(
        table.name,
        table.severity,
        table.quiet,
        machine=table.kind in MACHINES,
        frequency=frequency,
        fasting=table.fasting,
        second=table.second,
    )


def _provider(table: ChannelTable) -> str:
    """Name who carries a channel's messages: one server is up or down for all; a webhook is a world of its own."""
    if table.kind in ("ntfy", "smtp", "sms", "mqtt"):
        return f"{table.kind} {urlsplit(table.url or '').netloc}"
    return table.kind if table.kind == "telegram" else table.name
