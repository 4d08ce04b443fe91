"""From the configuration's channels to the notifier's readers and the outbox' customers."""

import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from gateway.config.models import ChannelTable, HubChannelTable, PlaceTable
from gateway.config.secret import SecretFile
from gateway.notify.channels.contract import Channel
from gateway.notify.channels.ntfy import Ntfy
from gateway.notify.channels.smtp import Smtp
from gateway.notify.channels.webhook import Webhook, secret_bytes
from gateway.notify.notifier import Notifier, Reader
from gateway.notify.outbox import Outbox
from gateway.notify.planning import Customer
from gateway.notify.router import Contact
from gateway.store.database import Database

SECURITY: dict[str, tuple[Literal["tls", "starttls", "none"], int]] = {
    "smtps": ("tls", 465),
    "smtp": ("starttls", 587),
    "smtp+plain": ("none", 25),
}
"""By the URL's scheme: how the mail server is spoken to, and at which port unless it names one."""


@dataclass(frozen=True)
class Notices:
    """What telling needs: the outbox, its readers, and the key that signs links."""

    outbox: Outbox
    readers: Sequence[Reader]
    key: bytes
    now: Callable[[], float]

    def notifier(self, page: str) -> Notifier:
        """Make the notifier; `page` is the address people reach the pages by, with which links begin."""
        return Notifier(self.outbox, self.readers, self.key, page=page, now=self.now)


async def open_notices(
    database: Database,
    channels: Sequence[ChannelTable],
    place: PlaceTable,
    tenant: str = "",
    *,
    now: Callable[[], float] = time.time,
) -> Notices:
    """Make ready to tell what is in an open hub database; `tenant` is the one of a house, a hub's channels name theirs.

    Raises StoreError, and ConfigError when a secret's file is gone since the configuration was loaded.
    """
    zone = ZoneInfo(place.zone)
    readers = [_reader(channel, place.language, zone, tenant, now) for channel in channels]
    customers = {
        name: Customer(name, zone, tuple(reader.contact for reader in readers if reader.tenant == name))
        for name in {reader.tenant for reader in readers}
    }
    outbox = Outbox(database, customers)
    await outbox.retire({reader.name for reader in readers}, round(now() * 1000))
    return Notices(outbox, readers, await outbox.link_key(), now)


def channel_of(table: ChannelTable, now: Callable[[], float]) -> Channel:
    """Make a channel, reading its secrets; raises ConfigError."""
    url = urlsplit(table.url)
    tls = ssl.create_default_context(cafile=table.ca_file) if url.scheme in ("https", "smtps", "smtp") else None
    if table.kind == "webhook":
        secret = _reveal(table.secret_file)
        return Webhook(table.url, now, secret_bytes(secret) if secret is not None else None, tls)
    if table.kind == "ntfy":
        return Ntfy(f"{url.scheme}://{url.netloc}", url.path.strip("/"), _reveal(table.token_file), tls)
    security, port = SECURITY[url.scheme]
    to = table.to or ""
    return Smtp(
        host=url.hostname or "",
        port=url.port or port,
        security=security,
        sender=table.sender or to,
        to=to,
        now=now,
        username=table.username,
        password=_reveal(table.password_file),
        tls=tls,
    )


def _reader(
    table: ChannelTable, language: Literal["en", "ar"], zone: ZoneInfo, tenant: str, now: Callable[[], float]
) -> Reader:
    return Reader(
        tenant=table.tenant if isinstance(table, HubChannelTable) else tenant,
        contact=Contact(table.name, table.severity, table.quiet, machine=table.kind == "webhook"),
        channel=channel_of(table, now),
        language=table.language or language,
        zone=zone,
    )


def _reveal(secret: SecretFile | None) -> str | None:
    return secret.read().reveal() if secret is not None else None
