"""From the configuration's channels to the notifier's readers and the outbox' customers."""

import ssl
import time
from collections.abc import Callable, Sequence
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from gateway.config.models import ChannelTable, HubChannelTable, PlaceTable, WebTable
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


async def open_notifier(
    database: Database,
    channels: Sequence[ChannelTable],
    place: PlaceTable,
    tenant: str,
    page: str,
    *,
    now: Callable[[], float] = time.time,
) -> tuple[Notifier, Outbox, bytes]:
    """Make the notifier of an open hub database, its outbox, and the key of its links.

    `tenant` is whose alerts a channel tells that names nobody, `page` the address links begin with. Raises StoreError,
    and ConfigError when a secret's file is gone since the configuration was loaded.
    """
    zone = ZoneInfo(place.zone)
    readers = [_reader(channel, place.language, zone, tenant, now) for channel in channels]
    customers = {
        name: Customer(name, zone, tuple(reader.contact for reader in readers if reader.tenant == name))
        for name in {tenant, *(reader.tenant for reader in readers)}
    }
    outbox = Outbox(database, customers)
    key = await outbox.link_key()
    return Notifier(outbox, readers, key, page=page, now=now), outbox, key


def page_of(web: WebTable, served: str) -> str:
    """Give the address links begin with: the one configured, else the one the pages are served at."""
    return (web.url or served).rstrip("/")


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
