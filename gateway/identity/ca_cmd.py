"""`nabd ca` at the operator's desk: an authority of one's own, in a folder, without any network."""

import argparse
from collections.abc import Callable
from pathlib import Path

from gateway.durable import replace
from gateway.identity.authority import Authority
from gateway.identity.errors import IdentityError, Refused
from gateway.identity.request import REQUEST_LIMIT, name_of

Tell = Callable[[str], None]


def run(options: argparse.Namespace, tell: Tell, complain: Tell, ask: Callable[[str], str]) -> int:
    """Do one of the four; 2, with the reason, when it cannot be done."""
    authority = Authority(options.folder)
    work = {"init": _init, "sign": _sign, "broker": _broker, "revoke": _revoke}[options.what]
    try:
        work(authority, options, tell, ask)
    except IdentityError as error:
        complain(f"nabd ca: {error}")
        return 2
    except OSError as error:
        complain(f"nabd ca: {error.filename}: {error.strerror}")
        return 2
    return 0


def _init(authority: Authority, options: argparse.Namespace, tell: Tell, _: Callable[[str], str]) -> None:
    authority.begin(options.name)
    tell(
        f"Made an authority in {authority.folder}. Whoever has its ca.key can be any gateway: keep it off the network,"
    )
    tell("with a copy in a safe. ca.pem and crl.pem go to the broker, ca.pem to every gateway and hub.")


def _sign(authority: Authority, options: argparse.Namespace, tell: Tell, ask: Callable[[str], str]) -> None:
    if options.hub and not (options.tenant or options.gateway) and "/" not in options.hub:
        name = options.hub
    elif options.tenant and options.gateway and not options.hub:
        name = name_of(options.tenant, options.gateway)
    else:
        raise Refused("whom is it for?", "--tenant T --gateway G, or --hub NAME")
    request = _read(options.request)
    code = None if options.vouch else ask(f"Claim code of {name}: ")
    _write(options.out, authority.sign(request, name, code, options.days))
    tell(f"Signed {options.out} for {name}. Import it there, with {authority.folder / 'ca.pem'}.")


def _broker(authority: Authority, options: argparse.Namespace, tell: Tell, _: Callable[[str], str]) -> None:
    key, certificate = authority.make(options.servers[0], options.servers, options.days)
    _write(options.out, certificate)
    replace(options.out.with_suffix(".key"), key)
    tell(f"Made {options.out} and {options.out.with_suffix('.key')} for {', '.join(options.servers)}.")


def _revoke(authority: Authority, options: argparse.Namespace, tell: Tell, _: Callable[[str], str]) -> None:
    serial = authority.revoke(_read(options.certificate))
    tell(f"Revoked {serial}. Bring {authority.folder / 'crl.pem'} to the broker and let it read it: systemctl reload.")
    tell("A connection that is open stays open until it breaks; restart the broker to end it at once.")


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(REQUEST_LIMIT)


def _write(path: Path, data: bytes) -> None:
    replace(path, data)
    path.chmod(0o644)
