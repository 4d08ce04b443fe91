"""Browsers that subscribed to push on our pages: kept in the hub database, and told as configured channels are.

1. A browser is named by its endpoint, so subscribing again changes nothing. A customer has a few; the oldest falls.
2. Messages are signed by one key of this hub, made when it is first asked for: browsers were given its public half.
3. Only endpoints of the browsers' own push services are taken: nobody makes this hub call another address.
"""

import sqlite3
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal
from urllib.parse import urlsplit

from gateway.notify import pages_sql as sql
from gateway.notify.channels.webpush_crypto import encode, new_key, point, read_key, read_subscription

MOST = 8
"""Browsers of one customer: more devices than a family reads alerts on."""
NAMED = 8
"""Digits of the endpoint's hash in a name; the page's script computes them too."""
SERVICES = ("fcm.googleapis.com", "push.services.mozilla.com", "push.apple.com", "notify.windows.com")
"""The push services of the browsers there are; each may have names below its own."""


class NoSubscription(Exception):  # noqa: N818
    """What came is no subscription of a browser we know."""


@dataclass(frozen=True, slots=True)
class Browser:
    """One subscribed browser; `body` is its subscription as it gave it, `origin` the page's own address."""

    tenant: str
    name: str
    body: str
    language: Literal["en", "ar"]
    origin: str
    since: int


def name_of(body: str) -> str:
    """Name a subscription; raises NoSubscription."""
    try:
        endpoint = read_subscription(body).endpoint
        host = urlsplit(endpoint).hostname or ""
    except ValueError:
        raise NoSubscription from None
    if not any(host == service or host.endswith(f".{service}") for service in SERVICES):
        raise NoSubscription
    return f"browser-{sha256(endpoint.encode()).hexdigest()[:NAMED]}"


def key_of(connection: sqlite3.Connection) -> str:
    """Give the private key, made at the first call, inside the caller's transaction; as `read_key` takes it."""
    if (kept := kept_key(connection)) is not None:
        return kept
    made = new_key().private_numbers().private_value.to_bytes(32)
    connection.execute(sql.ADD_KEY, (made,))
    return encode(made)


def kept_key(connection: sqlite3.Connection) -> str | None:
    """Give the private key, if it was made already."""
    row = connection.execute(sql.KEY).fetchone()
    return encode(row[0]) if row is not None else None


def public_of(key: str) -> str:
    """Give the public half of a private key as browsers want it."""
    return encode(point(read_key(key)))


def add(connection: sqlite3.Connection, browser: Browser) -> None:
    """Keep a browser, inside the caller's transaction."""
    row = (browser.tenant, browser.name, browser.body, browser.language, browser.origin, browser.since)
    connection.execute(sql.ADD_BROWSER, row)
    connection.execute(sql.TRIM_BROWSERS, (browser.tenant, browser.tenant, MOST))


def remove(connection: sqlite3.Connection, tenant: str, name: str) -> bool:
    """Forget a browser; False when there was none."""
    return connection.execute(sql.REMOVE_BROWSER, (tenant, name)).rowcount > 0


def every(connection: sqlite3.Connection) -> list[Browser]:
    """List all browsers, each customer's oldest first."""
    return [Browser(*row) for row in connection.execute(sql.BROWSERS)]
