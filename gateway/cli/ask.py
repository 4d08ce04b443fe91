"""`nabd check`, `read`, `status`: a configuration explained, a meter read once, a running program asked."""

import argparse
import asyncio
from pathlib import Path

from gateway.cli.parts import Command, config_option, configuration, json_option


def add(command: Command) -> None:
    """Add the commands that only look."""
    check = command("check", _check, "Explain a configuration or what is wrong with it; touches nothing.")
    check.add_argument("file", type=Path)
    read = command("read", _read, "Read one meter now and print what it says.")
    read.add_argument("meter", help="its name or id")
    status = command("status", _status, "Say how a running program fares.")
    for parser in (read, status):
        json_option(parser)
        config_option(parser)


def _check(options: argparse.Namespace) -> int:
    from gateway.config.load import kind_of, load  # noqa: PLC0415
    from gateway.config.report import check  # noqa: PLC0415

    kind = kind_of(options.file)
    print(check(options.file, kind))
    if kind == "edge":
        from gateway.commands.kept import Kept  # noqa: PLC0415

        note = Kept(options.file, load(options.file, kind).journal.folder).note()
        print(*([f"Note: {note}"] if note else []), sep="\n", end="\n" if note else "")
    return 0


def _read(options: argparse.Namespace) -> int:
    from gateway.show import read  # noqa: PLC0415

    return asyncio.run(read(configuration(options), options.meter, as_json=options.json))


def _status(options: argparse.Namespace) -> int:
    from gateway.show import status  # noqa: PLC0415

    return asyncio.run(status(configuration(options), as_json=options.json))
