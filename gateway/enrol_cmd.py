"""`nabd enrol` on a gateway or hub: ask for a certificate, show how far that is, put the certificate in place."""

import argparse
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from gateway.config.customers import Document, HubConfig
from gateway.identity.errors import IdentityError, Refused
from gateway.identity.folder import Folder
from gateway.identity.request import name_of
from gateway.identity.validity import PEM_LIMIT

Tell = Callable[[str], None]


def run(options: argparse.Namespace, config: Document, tell: Tell, complain: Tell) -> int:
    """Do one of the three; 2, with the reason, when it cannot be done."""
    folder = Folder(folder_of(config))
    try:
        if options.what == "request":
            return _request(folder, identity_of(config), tell, again=options.new)
        if options.what == "show":
            return _show(folder, identity_of(config), tell)
        return _take(folder, identity_of(config), options.file, options.ca, tell)
    except IdentityError as error:
        complain(f"nabd enrol: {error}")
    except OSError as error:
        complain(f"nabd enrol: {error.filename}: {error.strerror}")
    finally:
        _hand_over(folder.path)
    return 2


def identity_of(config: Document) -> str:
    """Name who asks: `tenant/gateway`, or the hub's user; raises Refused for a name no certificate can carry."""
    if isinstance(config, HubConfig):
        return config.mqtt.username or "hub"
    return name_of(config.gateway.tenant, config.gateway.id)


def folder_of(config: Document) -> Path:
    """Give the identity's folder: beside the journal, or the hub's database; an edge and a hub may share that place."""
    if config.mqtt is not None and config.mqtt.identity is not None:
        return config.mqtt.identity
    if isinstance(config, HubConfig):
        return config.hub.database.parent / "hub-identity"
    return config.journal.folder.parent / "identity"


def _request(folder: Folder, name: str, tell: Tell, *, again: bool) -> int:
    made = folder.request(name, again=again)
    if not made and folder.validity() is not None:
        raise Refused("there is a certificate already", "--new makes a request to renew it")
    tell(f"{'Made' if made else 'There is already'} a request for {name!r}: {folder.path / 'request.pem'}")
    return _code(folder, tell)


def _show(folder: Folder, name: str, tell: Tell) -> int:
    validity = folder.validity()
    if validity is None:
        tell(f"{name} has no certificate yet.")
    else:
        until = datetime.fromtimestamp(validity.until / 1000, UTC)
        days = validity.days_left(int(datetime.now(UTC).timestamp() * 1000))
        tell(f"{name} has a certificate until {until:%Y-%m-%d %H:%M} UTC, {days} days from now.")
    if folder.code() is not None:
        tell(f"Waiting for an authority to sign {folder.path / 'request.pem'}.")
        return _code(folder, tell)
    if validity is None:
        tell("Begin with: nabd enrol request")
    return 0


def _code(folder: Folder, tell: Tell) -> int:
    tell(f"Claim code: {folder.code()}")
    tell("Send the request to whoever runs the broker, and tell the code by another way, such as the telephone.")
    return 0


def _take(folder: Folder, name: str, file: Path, ca: Path | None, tell: Tell) -> int:
    if ca is None and not folder.authorities.exists():
        raise Refused("whose brokers to trust is not known yet", "name the authorities' file: --ca ca.pem")
    authorities = _pem(ca) if ca else None
    checked = folder.take(_pem(file), name, authorities, datetime.now(UTC))
    tell(f"{name} has a certificate until {checked.until:%Y-%m-%d}. A running program shows it within a minute.")
    if not checked.by_common_name:
        tell("Its common name is another: Mosquitto will not know it; the broker must take users by alternative names.")
    tell("The configuration names it so:\n\n[mqtt]")
    for option, path in (("ca_file", folder.authorities), ("cert_file", folder.pair), ("key_file", folder.pair)):
        tell(f'{option} = "{path}"')
    return 0


def _pem(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(PEM_LIMIT + 1)


def _hand_over(folder: Path) -> None:
    """Give what root made to whoever owns the state directory: the service must read it."""
    if os.geteuid() != 0:
        return
    with suppress(OSError):
        owner = folder.parent.stat()
        for path in (folder, *folder.iterdir()):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
