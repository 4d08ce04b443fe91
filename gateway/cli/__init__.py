"""The command `nabd`: a module a group of commands, each command opening only what it needs.

Exit codes: 0 all went well, 1 it ran and something is wrong, 2 it could not run (usage, configuration, set-up).

1. Each module of `GROUPS` has an `add`, which describes its commands and names the function that runs each.
2. A command's own parts are imported by that function, so that no command waits for the parts of another.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from gateway import VERSION
from gateway.cli import alerts, ask, box, doors, fleet, installer, meters, programs, shown, stored
from gateway.cli.parts import complain
from gateway.program import set_up_logging

GROUPS = (programs, ask, meters, alerts, installer, box, doors, stored, fleet, shown)
"""In the order of `nabd --help`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    options = parser_of_all().parse_args(arguments)
    set_up_logging()
    try:
        code: int = options.run(options)
    except ModuleNotFoundError as error:
        complain(f"nabd: this installation comes without {error.name}; a checkout has it: ./run nabd")
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    except _config_error() as error:
        complain(str(error))
        return 2
    return code


def _config_error() -> type[Exception]:
    """Name the error only when there is one: its package brings every table of the configuration."""
    from gateway.config.errors import ConfigError  # noqa: PLC0415

    return ConfigError


class _Formatter(argparse.HelpFormatter):
    """Finds the terminal's width itself: asking `shutil` would bring bzip2 and LZMA into every gateway's memory."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, **{"width": _columns() - 2, **options})


class _Parser(argparse.ArgumentParser):
    """Has that formatter, and so has each command's parser."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"formatter_class": _Formatter, **options})


def _columns() -> int:
    with suppress(KeyError, ValueError):
        return int(os.environ["COLUMNS"])
    with suppress(OSError):
        return os.get_terminal_size(1).columns or 80
    return 80


def parser_of_all() -> argparse.ArgumentParser:
    """Describe every command; nothing is run, and nothing of it imported."""
    parser = _Parser(prog="nabd", description="Reads electricity, water and gas meters, and loses no reading.")
    parser.add_argument("--version", action="version", version=f"nabd {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about, description=about)
        added.set_defaults(run=run, command=name)
        return added

    for group in GROUPS:
        group.add(command)
    return parser
