"""`nabd enrol`, `ca`, `access-lists`, `web`: who may come in, at the broker and at the pages."""

import argparse
import asyncio

from gateway.cli.parts import Command, complain, config_option, configuration, security_log
from gateway.identity import options as identity_options


def add(command: Command) -> None:
    """Add the commands about identity and access."""
    enrol = command("enrol", _enrol, "Ask for a certificate of this gateway or hub, and import it.")
    identity_options.enrol_options(enrol, config_option)
    identity_options.ca_options(command("ca", _ca, "Be a small authority: sign gateways and brokers, revoke."))
    identity_options.access_list_options(command("access-lists", _access_lists, "Print who may say what at a broker."))
    _web_options(command("web", _web, "Say who may open the pages of a running program."))


def _web_options(web: argparse.ArgumentParser) -> None:
    whats = web.add_subparsers(metavar="link | sessions | revoke | move-in", required=True)
    about = "Make a one-time link: the operator's, or with --tenant one that opens that home only."
    link = whats.add_parser("link", help=about, description=about)
    link.add_argument("--role", choices=["operator", "customer"], help="whom it lets in")
    about = "List the devices that were let in."
    sessions = whats.add_parser("sessions", help=about, description=about)
    about = "End a session, or every session and unused link of a tenant's customer."
    revoke = whats.add_parser("revoke", help=about, description=about)
    revoke.add_argument("session", nargs="?", help="its name, as `nabd web sessions` lists it")
    about = "Note that somebody else lives there now: nothing older is shown to them, and the former customer is out."
    move_in = whats.add_parser("move-in", help=about, description=about)
    move_in.add_argument("--since", required=True, metavar="DAY", help="the first day that is theirs: 2026-11-01")
    for what, parser in (("link", link), ("sessions", sessions), ("revoke", revoke), ("move-in", move_in)):
        parser.set_defaults(what=what)
        if what != "sessions":
            parser.add_argument("--tenant", help="whose home, on a hub")
        config_option(parser)


def _enrol(options: argparse.Namespace) -> int:
    from gateway.enrol_cmd import run  # noqa: PLC0415

    config = configuration(options)
    with security_log(config):
        return run(options, config, print, complain)


def _ca(options: argparse.Namespace) -> int:
    from gateway.identity.ca_cmd import run  # noqa: PLC0415

    return run(options, print, complain, input)


def _access_lists(options: argparse.Namespace) -> int:
    from gateway.access_lists import access_list  # noqa: PLC0415

    print(access_list(options.broker, options.root, options.hub), end="")
    return 0


def _web(options: argparse.Namespace) -> int:
    from gateway.show import socket_of  # noqa: PLC0415
    from gateway.web_cmd import run  # noqa: PLC0415

    return asyncio.run(run(options, socket_of(configuration(options)), print, complain))
