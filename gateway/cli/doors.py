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
    web = command("web", _web, "Make a one-time link that opens the pages of a running program.")
    web.add_argument("what", choices=["link"], help="what to make")
    config_option(web)


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
    from gateway.show import link  # noqa: PLC0415

    return asyncio.run(link(configuration(options)))
