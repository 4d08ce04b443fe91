"""From a channel's table in the configuration to the channel; what only some kinds need is imported only for those."""

import ssl
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from gateway.config.customers import ChannelTable
from gateway.config.errors import ConfigError, Problem
from gateway.config.secret import SecretFile
from gateway.notify.channels.contract import Channel
from gateway.tls import client_side

SECURITY: dict[str, tuple[Literal["tls", "starttls", "none"], int]] = {
    "smtps": ("tls", 465),
    "smtp": ("starttls", 587),
    "smtp+plain": ("none", 25),
}
"""By the URL's scheme: how the mail server is spoken to, and at which port unless it names one."""
WITH_TLS = ("https", "smtps", "smtp", "")

Now = Callable[[], float]


def channel_of(table: ChannelTable, now: Now, tenant: str = "") -> Channel:
    """Make a channel, reading its secrets; raises ConfigError."""
    try:
        return MAKERS[table.kind](table, now, tenant)
    except ImportError as error:
        raise _problem(table, f"needs the package {error.name}", f"install {error.name} beside Nabd") from None
    except ValueError as error:
        raise _problem(table, str(error), "look at its file") from None


def _problem(table: ChannelTable, what: str, hint: str) -> ConfigError:
    secret = table.address_file or table.key_file
    file = secret.path if secret is not None and secret.path is not None else Path()
    return ConfigError(Problem(file, None, "channel", f"[[channel]] {table.name}", what, hint))


def _webhook(table: ChannelTable, now: Now, _tenant: str) -> Channel:
    from gateway.notify.channels.webhook import Webhook, secret_bytes  # noqa: PLC0415

    secret = _reveal(table.secret_file)
    return Webhook(table.url or "", now, secret_bytes(secret) if secret is not None else None, _tls(table))


def _ntfy(table: ChannelTable, _now: Now, _tenant: str) -> Channel:
    from gateway.notify.channels.ntfy import Ntfy  # noqa: PLC0415

    url = urlsplit(table.url or "")
    return Ntfy(f"{url.scheme}://{url.netloc}", url.path.strip("/"), _reveal(table.token_file), _tls(table))


def _smtp(table: ChannelTable, now: Now, _tenant: str) -> Channel:
    from gateway.notify.channels.smtp import Smtp  # noqa: PLC0415

    url = urlsplit(table.url or "")
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
        tls=_tls(table),
    )


def _telegram(table: ChannelTable, _now: Now, _tenant: str) -> Channel:
    from gateway.notify.channels.telegram import Telegram  # noqa: PLC0415

    return Telegram((_reveal(table.token_file) or "").strip(), table.chat or "", tls=_tls(table))


def _sms(table: ChannelTable, _now: Now, _tenant: str) -> Channel:
    from gateway.notify.channels.sms import Sms, Template  # noqa: PLC0415

    return Sms(
        table.url or "",
        table.number or "",
        Template.read(table.body or ""),
        _reveal(table.token_file),
        table.username,
        _reveal(table.password_file),
        _tls(table),
    )


def _mqtt(table: ChannelTable, _now: Now, tenant: str) -> Channel:
    from gateway.mqtt import connect  # noqa: PLC0415
    from gateway.notify.channels.mqtt import Mqtt  # noqa: PLC0415
    from gateway.transport import Endpoint  # noqa: PLC0415

    endpoint = Endpoint(
        table.url or "", f"nabd-{table.name}", table.username, _reveal(table.password_file), ca_file=table.ca_file
    )
    return Mqtt(connect, endpoint, table.topic or f"nabd/message/{tenant}/{table.name}")


def _webpush(table: ChannelTable, now: Now, _tenant: str) -> Channel:
    from gateway.notify.channels.webpush import WebPush  # noqa: PLC0415
    from gateway.notify.channels.webpush_crypto import read_key, read_subscription  # noqa: PLC0415

    subscription = read_subscription(_reveal(table.address_file) or "")
    key = read_key(_reveal(table.key_file) or "")
    return WebPush(subscription, key, f"mailto:{table.sender}", now, _tls(table))


def _apprise(table: ChannelTable, _now: Now, _tenant: str) -> Channel:
    from gateway.notify.channels.apprise import Apprise, sender_of  # noqa: PLC0415

    if find_spec("apprise") is None:
        raise ModuleNotFoundError(name="apprise")
    return Apprise(partial(sender_of, (_reveal(table.address_file) or "").strip()))


MAKERS: Mapping[str, Callable[[ChannelTable, Now, str], Channel]] = {
    "webhook": _webhook,
    "ntfy": _ntfy,
    "smtp": _smtp,
    "telegram": _telegram,
    "sms": _sms,
    "mqtt": _mqtt,
    "webpush": _webpush,
    "apprise": _apprise,
}


def _tls(table: ChannelTable) -> ssl.SSLContext | None:
    scheme = urlsplit(table.url or "").scheme
    return client_side(table.ca_file) if scheme in WITH_TLS else None


def _reveal(secret: SecretFile | None) -> str | None:
    return secret.read().reveal() if secret is not None else None
