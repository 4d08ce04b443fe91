"""What of a configuration is private: its secrets, and every text but those known to be harmless.

A text is shown only if its option is named here. An option added tomorrow is hidden until somebody thinks about it.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.config.errors import ConfigError
from gateway.config.secret import fault_of, locate
from gateway.support.redact import Redactor

SHOWN = frozenset({
    "zone", "language", "currency", "trust", "wait", "window", "quota", "keep", "keepalive", "ack_mode", "ack_timeout",
    "live_every", "kind", "stay", "severity", "safety", "leak", "usage", "cost", "operator", "digest", "quiet",
    "fasting", "driver", "framing", "profile", "every", "thin", "deadline", "within", "weekend", "duration", "for",
    "electricity", "water", "gas", "heat",
})  # fmt: skip
"""Options whose texts say how Nabd is set, not whose it is."""
USUAL = frozenset({"home", "hub", "nabd", "homeassistant", "localhost", "main", "true", "false"})
"""Names that half of the world has: hiding them would only hide what a text says."""
_PLAIN_DEVICE = re.compile(r"/dev/tty[A-Z]{1,4}\d{1,3}")
_SMALL = 256
"""Addresses on a wire are below it; a larger one is a meter's number."""

Tables = Mapping[str, Any]


def secrets_of(tables: Tables, folder: Path, env: Mapping[str, str]) -> Iterator[str]:
    """Give every secret that a configuration names, as far as we may read it: whole, and each of its lines."""
    for option, value in _leaves(tables):
        if not option.endswith("_file") or not isinstance(value, str):
            continue
        place = locate(value, folder, env)
        if place.path is None:
            continue
        if fault_of(place.path):
            yield from (
                () if _exists(place.path) else (value,)
            )  # people put the secret itself where its file should stand
            continue
        try:
            text = place.read().reveal()
        except (ConfigError, OSError, ValueError):
            continue
        yield text.strip()
        yield from (line.strip() for line in text.splitlines() if not line.startswith("-----"))


def names_of(tables: Tables) -> Iterator[tuple[str, str]]:
    """Give (kind, name) of all that must not be read in a text: names, hosts, users, addresses.

    A name that is a word of the configuration itself, such as journal, says nothing of anybody.
    """
    usual = USUAL | set(_keys(tables))
    for option, value in _leaves(tables):
        if option.endswith("_file") or isinstance(value, bool) or value is None:
            continue
        if not isinstance(value, str):
            if option == "address" and _is_number_of_a_meter(value):
                yield "id", str(value)
            continue
        if option in SHOWN or _PLAIN_DEVICE.fullmatch(value):
            continue
        for kind, part in _parts(option, value):
            if part.casefold() not in usual:
                yield kind, part


def shown(tables: Tables, redactor: Redactor) -> dict[str, Any]:
    """Give a configuration to be shown: structure, numbers and harmless texts as they are, the rest as words."""
    return {key: _shown(key, value, redactor) for key, value in tables.items()}


def _shown(option: str, value: Any, redactor: Redactor) -> Any:
    if isinstance(value, dict):
        return shown(value, redactor)
    if isinstance(value, list):
        return [_shown(option, inner, redactor) for inner in value]
    if isinstance(value, bool) or (isinstance(value, int | float) and not _is_number_of_a_meter(value, option)):
        return value
    return _shown_text(option, str(value), redactor)


def _shown_text(option: str, value: str, redactor: Redactor) -> str:
    if option in SHOWN or _PLAIN_DEVICE.fullmatch(value):
        return redactor.text(value)
    if option.endswith("_file"):
        return "[a credential]" if value.startswith("credential:") else redactor.word("path", value)
    if option == "url":
        return _url(value, redactor)
    return redactor.word("name" if option in {"id", "name", "tenant", "bus"} else "text", value)


def places_of(path: Path, hostname: str) -> Iterator[tuple[str, str]]:
    """Give what names a machine: its own name, and where its configuration lies unless that is where all have it."""
    yield "host", hostname
    yield "host", hostname.partition(".")[0]
    if path.parent != Path("/etc/nabd"):
        yield "path", str(path.parent)
        yield "path", str(path.resolve().parent)


def _is_number_of_a_meter(value: Any, option: str = "address") -> bool:
    return option == "address" and (not isinstance(value, int) or value >= _SMALL)


def _url(value: str, redactor: Redactor) -> str:
    """Show how a server is reached, and on which port, but not which."""
    scheme, host, port = _split(value)
    return (
        f"{scheme}://{redactor.word('host', host)}{f':{port}' if port else ''}"
        if host
        else redactor.word("host", value)
    )


def _parts(option: str, value: str) -> Iterator[tuple[str, str]]:
    if option in {"url", "listen"}:
        _, host, _ = _split(value if "://" in value else f"//{value}")
        yield "host", host
        yield from (("text", part) for part in re.split(r"[/?&=@]", value.partition("://")[2]) if len(part) > 3)  # noqa: PLR2004  shorter ones are words like api
        return
    yield ("id" if option == "address" else "name"), value
    if "/" not in value:
        yield from (("name", part) for part in value.split("@") if len(part) > 3)  # noqa: PLR2004


def _split(url: str) -> tuple[str, str, int | None]:
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError:
        return "", "", None
    return found.scheme, found.hostname or "", port


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long for a file, such as a key
        return False


def _keys(value: Any) -> Iterator[str]:
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    yield from value if isinstance(value, Mapping) else ()
    for inner in inside:
        yield from _keys(inner)


def _leaves(value: Any, option: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, option)
    else:
        yield option, value
