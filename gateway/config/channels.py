"""What a channel's options must be to each other: each kind has its own, and secrets travel only under TLS."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.config.locate import Key
from gateway.config.models import ChannelTable
from gateway.config.near import shown

Finding = tuple[Key, str, str]

OPTIONS = {
    "webhook": {"secret_file"},
    "ntfy": {"token_file"},
    "smtp": {"to", "sender", "username", "password_file"},
}
"""The options that only one kind has."""
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


def _one(channel: ChannelTable, key: Key) -> Iterator[Finding]:
    url = urlsplit(channel.url)
    mail = url.scheme.startswith("smtp")
    if mail != (channel.kind == "smtp"):
        example = "smtps://mail.example" if channel.kind == "smtp" else "https://ntfy.example/topic"
        yield (*key, "url"), f"is not for kind {channel.kind}", f'write it like "{example}"'
    elif channel.kind == "ntfy" and "/" in (topic := url.path.strip("/") or "/"):
        yield (*key, "url"), "names no topic" if topic == "/" else "has more than a topic", "https://SERVER/TOPIC"
    if channel.kind == "smtp" and channel.to is None:
        yield key, "has no address to write to", 'to = "someone@mail.example"'
    if (channel.username is None) != (channel.password_file is None):
        there, gone = ("username", "password_file") if channel.username else ("password_file", "username")
        yield (*key, there), f"needs {gone} beside it", "a user and a password go together"
    for name in sorted(set().union(*OPTIONS.values()) - OPTIONS[channel.kind]):
        if getattr(channel, name) is not None:
            yield (*key, name), f"changes nothing with kind {channel.kind}", "delete it"
    secret = channel.token_file or channel.password_file
    if secret and url.scheme in ("http", "smtp+plain") and url.hostname not in LOCAL:
        yield (*key, "url"), "would send a secret without TLS", "write https://, smtps:// or smtp://"
