"""Where a configuration keeps what is somebody's: readings, journal, accounts, sessions, keys, secrets, itself."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.config.build import mirror_folder
from gateway.config.customers import Document, HubConfig
from gateway.config.models import EdgeConfig
from gateway.config.secret import SecretFile
from gateway.config.table import Table
from gateway.config.values import STATE
from gateway.journal.mirror import files, tag_of
from gateway.seclog import NAME
from gateway.show import socket_of

SYSTEM = tuple(map(Path, ("/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/opt", "/proc", "/root", "/run",
                          "/srv", "/sys", "/tmp", "/usr", "/var", "/var/lib")))  # fmt: skip  # noqa: S108
"""Folders that are never emptied, whatever a configuration says."""


def places(config: Document, file: Path, env: Mapping[str, str], *, configuration: bool) -> list[Path]:
    """Name every file and folder that goes, none inside another; `configuration` says whether it goes too, at the end.

    As long as the configuration is there, a reset that was interrupted finds the rest again.
    """
    found = [path.resolve() for path in _of_state(config, env)]
    if any(path.is_relative_to(_state(env)) for path in found):
        found += usual(env)
    collected = outermost(found)
    if not configuration:
        return collected
    whole = outermost([*found, *(path.resolve() for path in _of_configuration(config, file))])
    return sorted(whole, key=lambda path: path not in collected)


def usual(env: Mapping[str, str]) -> list[Path]:
    """Name all that lies in the state directory, whoever put it there."""
    return _inside(_state(env))


def outermost(found: Iterable[Path]) -> list[Path]:
    """Leave out what is not there, what lies inside another, and what is not ours alone; sorted."""
    there = sorted({path for path in found if os.path.lexists(path) and not _is_shared(path)})
    return [path for path in there if not any(path != other and path.is_relative_to(other) for other in there)]


def _state(env: Mapping[str, str]) -> Path:
    return Path(env.get("STATE_DIRECTORY", STATE).split(":")[0]).resolve()


def sockets(config: Document, env: Mapping[str, str]) -> list[Path]:
    """Name every socket at which a program may answer that keeps something in these places."""
    found = [socket_of(config)]
    for place in places(config, Path("/"), env, configuration=False):
        found += [place] if place.suffix == ".sock" else place.rglob("*.sock") if place.is_dir() else []
    return found


def _is_shared(path: Path) -> bool:
    return path in SYSTEM or path.parent == Path("/home") or path == Path.home() or path.is_mount()


def elsewhere(config: Document) -> list[str]:
    """Name secrets that stay, since they are not files of ours: systemd keeps them."""
    return sorted({secret.source for secret in _secrets(config) if secret.source.startswith("credential:")})


def _of_state(config: Document, env: Mapping[str, str]) -> Iterator[Path]:
    if not isinstance(config, HubConfig):
        yield config.journal.folder
        yield config.journal.folder.parent / "identity"
        if (mirror := mirror_folder(config, env)) is not None:
            yield from files(mirror, tag_of(config.journal.folder))
    yield from _with_its_tails(socket_of(config).with_name(NAME))
    if not isinstance(config, EdgeConfig):
        for database in (config.hub.database, config.store.path):
            yield from _with_its_tails(database)
        yield config.hub.database.with_name("sessions.json")
        yield config.hub.database.with_name("web-tls")
        yield config.hub.database.parent / "hub-identity"
    if config.mqtt is not None and config.mqtt.identity is not None:
        yield config.mqtt.identity


def _of_configuration(config: Document, file: Path) -> Iterator[Path]:
    """Give the file, copies that `nabd setup` kept of it, and the secrets beside it; others' files stay."""
    yield from (path for path in _inside(file.parent) if path == file or path.name.startswith(f"{file.name}."))
    for secret in _secrets(config):
        if secret.path is not None and secret.path.resolve().is_relative_to(file.parent.resolve()):
            yield secret.path


def _with_its_tails(database: Path) -> Iterator[Path]:
    yield from (path for path in _inside(database.parent) if path.name.startswith(database.name))


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _secrets(value: Any) -> Iterator[SecretFile]:
    if isinstance(value, SecretFile):
        yield value
    elif isinstance(value, Table):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, tuple):
        for inner in value:
            yield from _secrets(inner)
