"""What a channel's options must be to each other: each kind has its own, and secrets travel only under TLS."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.config.customers import ChannelTable, HubChannelTable
from gateway.config.locate import Key
from gateway.config.near import shown

Finding = tuple[Key, str, str]
HTTP = ("https", "http")

MACHINES = frozenset({"webhook"})
"""Kinds that a program reads: it gets every event at once, and hears of nothing in anybody's stead."""


@dataclass(frozen=True)
class Needs:
    """What one kind needs and may have; `schemes` are those of its url, none where it has no url."""

    schemes: tuple[str, ...]
    example: str
    required: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


KINDS = {
    "webhook": Needs(HTTP, "https://hook.example/in", allowed=("secret_file",)),
    "ntfy": Needs(HTTP, "https://ntfy.example/topic", allowed=("token_file",)),
    "smtp": Needs(
        ("smtps", "smtp", "smtp+plain"), "smtps://mail.example", ("to",), ("sender", "username", "password_file")
    ),
    "telegram": Needs((), "", ("chat", "token_file")),
    "sms": Needs(HTTP, "https://sms.example/send", ("number", "body"), ("username", "password_file", "token_file")),
    "mqtt": Needs(("mqtts", "mqtt"), "mqtts://broker.example", allowed=("topic", "username", "password_file")),
    "webpush": Needs((), "", ("key_file", "address_file", "sender")),
    "apprise": Needs((), "", ("address_file",)),
}
HINTS = {
    "to": 'to = "someone@mail.example"',
    "chat": 'chat = "123456789", which the bot is told when somebody writes to it',
    "token_file": "a bot's token goes into a file of its own",
    "number": 'number = "+966500000000"',
    "body": "the provider's page shows what it wants to be posted",
    "key_file": "32 random bytes in base64url",
    "address_file": "addresses that hold secrets go into a file of their own",
    "sender": "the push service's operator may write there when something is wrong",
}
WITHOUT_ADDRESS = {"to": "has no address to write to"}
LOCAL = ("localhost", "127.0.0.1", "::1")


def find(channels: tuple[ChannelTable, ...]) -> Iterator[Finding]:
    """Yield all that does not fit together."""
    names: dict[str, int] = {}
    for number, channel in enumerate(channels):
        key: Key = ("channel", number)
        if names.setdefault(channel.name, number) != number:
            first = names[channel.name] + 1
            yield (*key, "name"), f"is {shown(channel.name)}, as channel number {first} is", "rename one"
        yield from _one(channel, key)
        yield from _url(channel, key)
    yield from _safety(channels)


def _one(channel: ChannelTable, key: Key) -> Iterator[Finding]:
    needs = KINDS[channel.kind]
    for name in needs.required:
        if getattr(channel, name) is None:
            yield key, WITHOUT_ADDRESS.get(name, f"needs {name}"), HINTS[name]
    if (channel.username is None) != (channel.password_file is None):
        there, gone = ("username", "password_file") if channel.username else ("password_file", "username")
        yield (*key, there), f"needs {gone} beside it", "a user and a password go together"
    every = {name for kind in KINDS.values() for name in (*kind.required, *kind.allowed)}
    for name in sorted(every - {*needs.required, *needs.allowed}):
        if getattr(channel, name) is not None:
            yield (*key, name), f"changes nothing with kind {channel.kind}", "delete it"
    if channel.kind == "sms" and channel.body is not None and "{text}" not in channel.body:
        yield (
            (*key, "body"),
            "has no place for the text",
            "write {text} where the text belongs, and {to} for the number",
        )


def _url(channel: ChannelTable, key: Key) -> Iterator[Finding]:
    needs = KINDS[channel.kind]
    if channel.url is None:
        if needs.schemes:
            yield key, "needs url", f'url = "{needs.example}"'
        return
    url = urlsplit(channel.url)
    if not needs.schemes:
        yield (*key, "url"), f"changes nothing with kind {channel.kind}", "delete it"
    elif url.scheme not in needs.schemes:
        yield (*key, "url"), f"is not for kind {channel.kind}", f'write it like "{needs.example}"'
    elif channel.kind == "ntfy" and "/" in (topic := url.path.strip("/") or "/"):
        yield (*key, "url"), "names no topic" if topic == "/" else "has more than a topic", "https://SERVER/TOPIC"
    secret = channel.token_file or channel.password_file
    if secret and url.scheme in ("http", "smtp+plain", "mqtt") and url.hostname not in LOCAL:
        yield (*key, "url"), "would send a secret without TLS", "write https://, smtps://, smtp:// or mqtts://"


def _safety(channels: tuple[ChannelTable, ...]) -> Iterator[Finding]:
    """See that of each customer somebody hears of what is critical."""
    told: dict[str, bool] = {}
    first: dict[str, int] = {}
    for number, channel in enumerate(channels):
        if channel.kind not in MACHINES:
            tenant = channel.tenant if isinstance(channel, HubChannelTable) else ""
            first.setdefault(tenant, number)
            told[tenant] = told.get(tenant, False) or (channel.safety != "off" and not channel.second)
    for tenant, number in first.items():
        if not told[tenant]:
            what = "leaves nobody who is told at once of what is critical"
            yield ("channel", number), what, "take out safety or second at one channel"
