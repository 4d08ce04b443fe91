"""URLs an installer types: of a broker, a bus, a store, a channel. No user and no password ever stands in them."""

from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import PlainValidator, ValidationInfo

from gateway.config.values import Context, given, text, wrong


def _split(value: Any, schemes: tuple[str, ...], example: str) -> SplitResult:
    hint = f'write it like "{example}"'
    try:
        url = urlsplit(text(value))
        port = url.port
    except ValueError:
        raise wrong("is not a URL", hint) from None
    if url.username is not None or url.password is not None:
        raise wrong("must hold no user and no password", "username and password_file are options of their own")
    if url.scheme not in schemes or not url.hostname or port == 0:
        raise wrong("is not a URL that can be used here", hint)
    if url.query or url.fragment or any(char.isspace() for char in value):
        raise wrong("is not a URL that can be used here", hint)
    return url


def broker(value: Any) -> str:
    """Take the URL of an MQTT broker."""
    url = _split(value, ("mqtt", "mqtts"), "mqtts://broker.example:8883")
    if url.path not in ("", "/"):
        raise wrong("has a path", "topics start with the option root")
    return str(value)


def bus(value: Any, info: ValidationInfo[Context]) -> str:
    """Take the URL of a bus; the path of a recording becomes absolute."""
    if text(value).startswith("capture:"):
        return f"capture:{given(info).folder / value.removeprefix('capture:')}"
    url = _split(value, ("tcp", "rtu+tcp"), "tcp://192.0.2.10:502")
    if url.port is None or url.path not in ("", "/"):
        raise wrong("needs a host and a port, and no more", 'write it like "tcp://192.0.2.10:502"')
    return str(value)


def web(value: Any) -> str:
    """Take the URL of an HTTP server."""
    _split(value, ("http", "https"), "https://influx.example:8086")
    return str(value)


def store(value: Any) -> str:
    """Take where a store answers: a web address, or a PostgreSQL host and database."""
    url = _split(value, ("http", "https", "postgresql", "postgresql+plain"), "https://influx.example:8086")
    if url.scheme.startswith("postgresql") and not url.path.strip("/"):
        raise wrong("names no database", 'write it like "postgresql://db.example/nabd"')
    return str(value)


def channel(value: Any) -> str:
    """Take where a channel's messages go: a web address, a mail server, or a broker."""
    schemes = ("https", "http", "smtps", "smtp", "smtp+plain", "mqtts", "mqtt")
    url = _split(value, schemes, "https://ntfy.example/topic, smtps://mail.example")
    if url.scheme.startswith(("smtp", "mqtt")) and url.path not in ("", "/"):
        raise wrong("has a path", "a mail server or a broker has a host and a port, and no more")
    return str(value)


BrokerUrl = Annotated[str, PlainValidator(broker)]
BusUrl = Annotated[str, PlainValidator(bus)]
ChannelUrl = Annotated[str, PlainValidator(channel)]
StoreUrl = Annotated[str, PlainValidator(store)]
WebUrl = Annotated[str, PlainValidator(web)]
