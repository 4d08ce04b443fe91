"""`nabd analyze`, `profiles`, `meter`: what a meter's bytes mean, which models are known, and its one setting."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from drivers import PROTOCOLS
from gateway.cli.parts import (
    Command,
    complain,
    config_option,
    configuration,
    json_option,
    key_options,
    security_log,
)


def add(command: Command) -> None:
    """Add the commands about meters and their models."""
    _analyze_options(command("analyze", _analyze, "Say what recorded bytes mean, byte by byte."))
    _profile_commands(command("profiles", _profiles, "List the meter models Nabd knows, show one, or prove a file."))
    _meter_commands(command("meter", _meter, "Set up a meter; the one command that writes to it, after asking."))


def _protocol_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--protocol", choices=list(PROTOCOLS), help="the one that understands most unless given")


def _analyze_options(analyze: argparse.ArgumentParser) -> None:
    analyze.add_argument("what", metavar="FILE|HEX", help="a file, hexadecimal digits, or - for standard input")
    _protocol_option(analyze)
    analyze.add_argument("--profile", help="show also what this meter model makes of it")
    key_options(analyze)
    json_option(analyze)
    analyze.add_argument("--colour", action=argparse.BooleanOptionalAction, help="colours (a terminal's own choice)")


def _profile_commands(profiles: argparse.ArgumentParser) -> None:
    profiles.add_argument("--folder", type=Path, action="append", default=[], help="look here first")
    json_option(profiles, "one JSON array")
    profiles.set_defaults(what="list")
    whats = profiles.add_subparsers(metavar="show | test | new")
    show = whats.add_parser("show", help="one model, row by row")
    show.set_defaults(what="show")
    show.add_argument("name")
    test = whats.add_parser("test", help="prove a file's examples")
    test.set_defaults(what="test")
    test.add_argument("file", type=Path)
    about = "Draft the file of a model that Nabd does not know from one of its telegrams."
    new = whats.add_parser("new", help=about, description=about)
    new.set_defaults(what="new")
    new.add_argument("bytes", metavar="FILE|HEX", help="a file, hexadecimal digits, or - for standard input")
    _protocol_option(new)
    key_options(new)
    new.add_argument("--name", help="what the profile is called, like its file")
    new.add_argument("--meter", metavar="NUMBER", help="whose telegram, where there are those of several")


def _meter_commands(meter: argparse.ArgumentParser) -> None:
    whats = meter.add_subparsers(metavar="set-address", required=True)
    about = "Give a Modbus meter another address: asks first, writes once, reads back."
    address = whats.add_parser("set-address", help=about, description=about)
    address.add_argument("bus", help="the bus it hangs on, alone or with others")
    address.add_argument("old", type=int, help="its address now")
    address.add_argument("new", type=int, help="the address it shall have")
    address.add_argument("--profile", help="its model; that of the meter configured at OLD or NEW unless given")
    address.add_argument("--yes", action="store_true", help="do not ask")
    config_option(address)


def _analyze(options: argparse.Namespace) -> int:
    from gateway.analyze_cmd import run  # noqa: PLC0415

    if options.colour is None:
        options.colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return run(options, print, complain)


def _profiles(options: argparse.Namespace) -> int:
    from gateway import profiles_cmd  # noqa: PLC0415

    if options.what == "show":
        return profiles_cmd.show(options.name, options.folder, print, complain)
    if options.what == "test":
        return profiles_cmd.prove(options.file, print, complain)
    if options.what == "new":
        return profiles_cmd.new(options, print, complain)
    return profiles_cmd.list_all(options.folder, print, complain, as_json=options.json)


def _meter(options: argparse.Namespace) -> int:
    from gateway import meter_cmd  # noqa: PLC0415
    from gateway.show import socket_of  # noqa: PLC0415

    config = configuration(options)
    beside = [options.config.parent / "meters"] if options.config else []
    try:
        task = meter_cmd.plan(config, options.bus, options.old, options.new, options.profile, beside)
        work = meter_cmd.set_address(task, socket_of(config), yes=options.yes, tell=print, ask=input)
        with security_log(config):
            return asyncio.run(work)
    except meter_cmd.CannotSet as error:
        complain(f"nabd: {error}")
        return 2
