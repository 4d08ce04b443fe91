"""`nabd command`: the hub's word to one gateway."""

import argparse

from gateway.cli.parts import Command, complain, config_option, configuration
from gateway.commands.matrix import MATRIX, ROLES


def add(command: Command) -> None:
    """Add the command that commands a gateway."""
    parser = command("command", _command, "Send one command to a gateway, and print its reply.")
    parser.add_argument("gateway", metavar="[TENANT/]GATEWAY", help="whom to command (tenant home unless given)")
    parser.add_argument("name", choices=list(MATRIX), help="what it shall do")
    parser.add_argument("fields", nargs="*", metavar="FIELD=VALUE", help="such as meter=gw-1_main or config=@FILE")
    parser.add_argument("--role", choices=sorted(ROLES), default="operator", help="whose wish it is (operator)")
    parser.add_argument("--wait", type=float, default=30.0, metavar="SECONDS", help="how long to wait (30)")
    config_option(parser)


def _command(options: argparse.Namespace) -> int:
    from gateway.commands_cmd import run  # noqa: PLC0415

    config = configuration(options)
    if config.kind != "hub":
        complain("nabd: only a hub commands gateways; name a hub.toml with -c")
        return 2
    return run(options, config, print, complain)
