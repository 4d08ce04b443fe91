"""`nabd edge`, `hub`, `home`: the programs; `setup` writes what they run by, `reload` lets one take it over."""

import argparse
import asyncio
import os
from functools import partial
from pathlib import Path
from typing import Any

from gateway import VERSION
from gateway.cli.parts import ETC, Command, complain, config_option, configuration, run_to_its_end, security_log


def add(command: Command) -> None:
    """Add the three programs, and what concerns the configuration they run by."""
    for name, about in (
        ("edge", "Run a gateway of a fleet: meters to broker."),
        ("hub", "Run the hub: broker to store and pages."),
        ("home", "Run both for one house: meters to store and pages."),
    ):
        config_option(command(name, _serve, about), ETC / f"{name}.toml")
    setup = command("setup", _setup, "Ask what only people know, and write the configuration.")
    setup.add_argument("--answers", type=Path, metavar="FILE", help="answers prepared as TOML; nobody is asked")
    setup.add_argument("--replace", action="store_true", help="replace a configuration; the old one is kept")
    setup.add_argument("-c", "--config", type=Path, help=f"the file to write ({ETC}/home.toml or edge.toml)")
    reload = command("reload", _reload, "Let a running program take its changed configuration over.")
    reload.add_argument("--local", action="store_true", help="drop what a hub sent; the file here is to run")
    config_option(reload)


def _serve(options: argparse.Namespace) -> int:
    from gateway.lean import import_lean  # noqa: PLC0415

    import_lean()  # before any module of ours brings the packages it is about
    from gateway.config.load import load  # noqa: PLC0415

    reread = partial(load, options.config, options.command)
    config: Any = reread()
    from importlib import import_module  # noqa: PLC0415  only the wiring that runs is loaded

    from gateway.seclog import note, note_start  # noqa: PLC0415

    os.umask(0o077)  # as the units say: load curves, keys and sessions are for this user alone, whoever starts it
    more = {"file": options.config} if options.command == "edge" else {}  # what a hub may send stands beside it
    with security_log(config, own=True) as file:
        note_start(file, VERSION)
        code = run_to_its_end(import_module(f"gateway.{options.command}").run(config, reread, **more))
        note("stopped", code=code)
    return code


def _setup(options: argparse.Namespace) -> int:
    import platform  # noqa: PLC0415

    from gateway.setup.errors import SetupError  # noqa: PLC0415
    from gateway.setup_cmd import Options, setup, usual_here  # noqa: PLC0415

    usual = usual_here(os.environ, ETC.parent, platform.node())
    given = Options(ETC, options.config, options.answers, options.replace)
    try:
        return asyncio.run(setup(given, usual, print, complain, input))
    except SetupError as error:
        complain(f"nabd setup: {error}")
        return 2


def _reload(options: argparse.Namespace) -> int:
    from gateway.show import reload  # noqa: PLC0415

    return asyncio.run(reload(configuration(options), local=options.local))
