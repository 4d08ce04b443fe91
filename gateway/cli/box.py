"""`nabd support`, `factory-reset`: a box that needs help, and one that leaves its owner."""

import argparse
import asyncio
from pathlib import Path

from gateway.cli.parts import ETC, Command, complain, config_option, configuration, file_of


def add(command: Command) -> None:
    """Add the commands about the box as a whole."""
    support = command("support", _support, "Gather what helps to help, without secrets and names, in one file.")
    support.add_argument("--out", type=Path, metavar="FILE", default=Path("nabd-support.zip"), help="the file to write")
    support.add_argument("--with-readings", action="store_true", help="take in the readings of the journal")
    support.add_argument("--yes", action="store_true", help="write it without asking")
    config_option(support)
    reset = command("factory-reset", _factory_reset, "Erase readings, accounts, keys and the configuration for good.")
    reset.add_argument("--yes", action="store_true", help="do it; otherwise only say what would go")
    reset.add_argument("--keep-configuration", action="store_true", help="keep the file and its secrets")
    reset.add_argument("--if-asked", action="store_true", help="do it if the file nabd-factory-reset lies in /boot")
    config_option(reset)


def _support(options: argparse.Namespace) -> int:
    from gateway.doctor.visit import World  # noqa: PLC0415
    from gateway.support.command import run  # noqa: PLC0415
    from gateway.support.parts import Here, run_command  # noqa: PLC0415

    path = file_of(options)
    if path is None:
        complain(f"nabd support: no configuration in {ETC}; name one with -c FILE")
        return 2
    try:
        return asyncio.run(run(options, path, Here(run_command, World()), print, input))
    except (OSError, EOFError) as error:
        why = "nobody answered; --yes asks nobody" if isinstance(error, EOFError) else error
        complain(f"nabd support: nothing was written: {why}")
        return 2


def _factory_reset(options: argparse.Namespace) -> int:
    from gateway.reset import asked, command  # noqa: PLC0415

    if options.if_asked:
        return asked.run(ETC, print, complain)
    config = configuration(options)
    return command.run(options, config, file_of(options) or Path(), print, complain)
