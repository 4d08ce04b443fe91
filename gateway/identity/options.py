"""What `nabd enrol`, `nabd ca` and `nabd access-lists` can be told; apart, so that other commands load nothing more."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path

DAYS = 825
"""A certificate's usual life: long enough for one yearly visit to be missed."""
BROKERS = ("mosquitto", "emqx")


def enrol_options(enrol: argparse.ArgumentParser, config_option: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add what `nabd enrol` can be told to do."""
    whats = enrol.add_subparsers(metavar="request | show | import", required=True)
    request = whats.add_parser("request", help="make a key, a request for a certificate, and a claim code")
    request.add_argument("--new", action="store_true", help="make them anew, to renew; the old pair serves until then")
    show = whats.add_parser("show", help="say how far it is, and the claim code")
    take = whats.add_parser("import", help="check what the authority gave, and put it in place")
    take.add_argument("file", type=Path, help="the certificate, then those between it and the root, in PEM")
    take.add_argument("--ca", type=Path, help="the authorities whose brokers to trust, in PEM")
    for what, parser in (("request", request), ("show", show), ("import", take)):
        parser.set_defaults(what=what)
        config_option(parser)


def ca_options(ca: argparse.ArgumentParser) -> None:
    """Add what `nabd ca` can be told to do."""
    whats = ca.add_subparsers(metavar="init | sign | broker | revoke", required=True)
    init = whats.add_parser("init", help="make an authority in a folder")
    init.add_argument("--name", default="Nabd meters", help="what its certificate is called")
    sign = whats.add_parser("sign", help="sign a gateway's or hub's request, after asking for its claim code")
    sign.add_argument("request", type=Path, help="its request.pem")
    sign.add_argument("--tenant", help="whose gateway it is")
    sign.add_argument("--gateway", help="its id")
    sign.add_argument("--hub", help="the hub's user instead, such as hub")
    sign.add_argument("--vouch", action="store_true", help="do not ask for the code: you took the request off the box")
    sign.add_argument("--out", type=Path, required=True, help="the certificate to make")
    broker = whats.add_parser("broker", help="make key and certificate of a broker")
    broker.add_argument("servers", nargs="+", metavar="HOST", help="the names and addresses gateways reach it by")
    broker.add_argument("--out", type=Path, required=True, help="the certificate to make; its key stands beside, .key")
    for parser in (sign, broker):
        parser.add_argument("--days", type=int, default=DAYS, help=f"how long it holds ({DAYS})")
    revoke = whats.add_parser("revoke", help="take a certificate back, and write crl.pem anew")
    revoke.add_argument("certificate", type=Path, help="the certificate, of which issued/ has a copy")
    about = "the authority's folder (nabd-ca)"
    init.add_argument("folder", nargs="?", type=Path, default=Path("nabd-ca"), help=about)
    for parser in (sign, broker, revoke):
        parser.add_argument("--folder", type=Path, default=Path("nabd-ca"), help=about)
    for what, parser in (("init", init), ("sign", sign), ("broker", broker), ("revoke", revoke)):
        parser.set_defaults(what=what)


def access_list_options(parser: argparse.ArgumentParser) -> None:
    """Add what `nabd access-lists` can be told."""
    parser.add_argument("broker", choices=BROKERS)
    parser.add_argument("--root", type=_part, default="nabd", help="the first part of every topic (nabd)")
    parser.add_argument("--hub", type=_part, default="hub", help="the hub's user (hub)")


def _part(text: str) -> str:
    """Take an id: anything else could end a rule and begin another."""
    from gateway.message import ID  # noqa: PLC0415  it brings pydantic, which no other option needs

    if not re.fullmatch(ID, text):
        raise argparse.ArgumentTypeError("1 to 64 letters A-Z a-z, digits, _ and -")
    return text
