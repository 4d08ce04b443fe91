"""The command `nabd`: one function a command, each opening only what it needs.

Exit codes: 0 all went well, 1 it ran and something is wrong, 2 it could not run (usage, configuration, set-up).
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from drivers import PROTOCOLS
from gateway import VERSION
from gateway.config.errors import ConfigError
from gateway.config.load import kind_of, load
from gateway.config.values import duration
from gateway.identity import options as identity_options
from gateway.program import set_up_logging

ETC = Path("/etc/nabd")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    options = _parser().parse_args(arguments)
    set_up_logging()
    try:
        code: int = options.run(options)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f"nabd: this installation comes without {error.name}; a checkout has it: ./run nabd", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nabd", description="Reads electricity, water and gas meters, and loses no reading."
    )
    parser.add_argument("--version", action="version", version=f"nabd {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about, description=about)
        added.set_defaults(run=run, command=name)
        return added

    for name, about in (
        ("edge", "Run a gateway of a fleet: meters to broker."),
        ("hub", "Run the hub: broker to store and pages."),
        ("home", "Run both for one house: meters to store and pages."),
    ):
        _config_option(command(name, _serve, about), ETC / f"{name}.toml")
    set_up = command("setup", _setup, "Ask what only people know, and write the configuration.")
    set_up.add_argument("--answers", type=Path, metavar="FILE", help="answers prepared as TOML; nobody is asked")
    set_up.add_argument("--replace", action="store_true", help="replace a configuration; the old one is kept")
    set_up.add_argument("-c", "--config", type=Path, help=f"the file to write ({ETC}/home.toml or edge.toml)")
    reload = command("reload", _reload, "Let a running program take its changed configuration over.")
    reload.add_argument("--local", action="store_true", help="drop what a hub sent; the file here is to run")
    _config_option(reload, None)
    check = command("check", _check, "Explain a configuration or what is wrong with it; touches nothing.")
    check.add_argument("file", type=Path)
    read = command("read", _read, "Read one meter now and print what it says.")
    read.add_argument("meter", help="its name or id")
    read.add_argument("--json", action="store_true", help="one JSON object")
    _config_option(read, None)
    status = command("status", _status, "Say how a running program fares.")
    status.add_argument("--json", action="store_true", help="one JSON object")
    _config_option(status, None)
    _analyze_options(command("analyze", _analyze, "Say what recorded bytes mean, byte by byte."))
    _profile_commands(command("profiles", _profiles, "List the meter models Nabd knows, show one, or prove a file."))
    _meter_commands(command("meter", _meter, "Set up a meter; the one command that writes to it, after asking."))
    _alert_commands(command("alerts", _alerts, "Try rules on the past, explain an alert, send a test alert."))
    _tariff_commands(command("tariff", _tariff, "Explain a tariff, or work out the bills of a file of readings."))
    _scan_options(command("scan", _scan, "Find the meters on serial ports and hosts, and name them; only reads."))
    _commission_options(command("commission", _commission, "Prove each meter by its display, and sign the report."))
    _doctor_options(command("doctor", _doctor, "Say what is wrong with ports, meters, broker and box; only looks."))
    _care_commands(command)
    _identity_commands(command)
    web = command("web", _web, "Make a one-time link that opens the pages of a running program.")
    web.add_argument("what", choices=["link"], help="what to make")
    _config_option(web, None)
    letters = command("dead-letters", _dead_letters, "List what the hub could not use, or take it in once mended.")
    letters.add_argument("what", choices=["ls", "redrive"], help="list them, or try them again")
    letters.add_argument("--json", action="store_true", help="list them as one JSON array")
    _config_option(letters, None)
    _journal_commands(command)
    _command_options(command("command", _command, "Send one command to a gateway, and print its reply."))
    _simulate_options(
        command("simulate", _simulate, "Serve simulated meters on pseudo-terminals and TCP for other programs.")
    )
    demo = command("demo", _demo, "Show everything at once, without hardware.")
    demo.add_argument("--for", dest="seconds", type=float, default=None, help="stop polling after so many seconds")
    demo.add_argument("--folder", type=Path, default=None, help="keep its files here")
    demo.add_argument(
        "--scenario", default="home", help="a name in config/scenarios (home, building, rs485, installer), or a file"
    )
    demo.add_argument("--listen", default="127.0.0.1:8080", help="where the page is served (port 0: any free one)")
    return parser


def _simulate_options(simulate: argparse.ArgumentParser) -> None:
    about = "a name in config/scenarios, or a file; year: write homes as CSV"
    simulate.add_argument("scenario", nargs="?", default="home", help=about)
    simulate.add_argument("--folder", type=Path, default=Path("nabd-simulator"), help="where the wires' names appear")
    about = "let a scenario's lines listen beyond this machine"
    simulate.add_argument("--i-own-this-host", dest="own_this_host", action="store_true", help=about)
    year = simulate.add_argument_group("year", "write a year of homes with labelled mishaps, from a seed")
    year.add_argument("--homes", type=int, default=100, help="how many (100)")
    year.add_argument("--days", type=int, default=365, help="from 1 January 2026 on (365)")
    year.add_argument("--seed", type=int, default=7, help="the same seed writes the same bytes (7)")
    year.add_argument("--step", type=duration, default=900.0, help="how often meters are read (15m)")
    year.add_argument("--zone", default="Asia/Riyadh", help="where the homes are: hot around the Gulf, else cool")
    year.add_argument("--out", type=Path, default=Path("nabd-year"), metavar="FOLDER", help="where files are written")


def _journal_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    journal = command("journal", _journal, "Look into a gateway's journal, also while it runs.")
    journal.add_argument("what", choices=["ls", "export"], help="list its blocks, or print its readings as JSON lines")
    journal.add_argument("--json", action="store_true", help="ls: one JSON object")
    journal.add_argument("--unsent", action="store_true", help="export: only what the store does not have yet")
    backup = command("backup", _journal, "Copy a gateway's journal to a file, also while it runs.")
    backup.add_argument("file", type=Path, help="the file to make")
    restore = command("restore", _journal, "Begin a gateway's journal anew with what a backup had not sent.")
    restore.add_argument("file", type=Path, help="a file that nabd backup made")
    for parser in (journal, backup, restore):
        _config_option(parser, None)


def _analyze_options(analyze: argparse.ArgumentParser) -> None:
    analyze.add_argument("what", metavar="FILE|HEX", help="a file, hexadecimal digits, or - for standard input")
    analyze.add_argument("--protocol", choices=list(PROTOCOLS), help="the one that understands most unless given")
    analyze.add_argument("--profile", help="show also what this meter model makes of it")
    analyze.add_argument("--key", metavar="HEX|@FILE", help="the encryption key of the meter")
    analyze.add_argument("--auth-key", metavar="HEX|@FILE", help="its authentication key")
    analyze.add_argument("--json", action="store_true", help="one JSON object")
    analyze.add_argument("--colour", action=argparse.BooleanOptionalAction, help="colours (a terminal's own choice)")


def _scan_options(scan: argparse.ArgumentParser) -> None:
    scan.add_argument("ports", nargs="*", metavar="PORT|HOST", help="devices, hosts or addresses (every adapter)")
    scan.add_argument("--list", action="store_true", help="only list the adapters by their stable names")
    scan.add_argument(
        "--quick", action="store_true", help="leave out every address at every speed, which takes a minute"
    )
    scan.add_argument("--write", type=Path, metavar="FILE", help="add what was found to this configuration")
    scan.add_argument("--json", action="store_true", help="one JSON object")
    _dev_option(scan)
    _config_option(scan, None)


def _commission_options(commission: argparse.ArgumentParser) -> None:
    what = "the meters (all of them); `verify FILE` proves a report, `key` names the gateway's key"
    commission.add_argument("what", nargs="*", metavar="METER | verify FILE | key", help=what)
    commission.add_argument("--answers", type=Path, metavar="FILE", help="answers prepared as TOML; nobody is asked")
    commission.add_argument("--language", choices=["ar", "en"], help="of the questions (that of the configuration)")
    commission.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="where the report goes (here)")
    commission.add_argument("--pdf", action=argparse.BooleanOptionalAction, default=True, help="print it as PDF too")
    _config_option(commission, None)


def _doctor_options(doctor: argparse.ArgumentParser) -> None:
    doctor.add_argument("--language", choices=["ar", "en"], help="of what is said (that of the configuration, else en)")
    doctor.add_argument("--json", action="store_true", help="one JSON object")
    _dev_option(doctor)
    _config_option(doctor, None)


def _care_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    support = command("support", _support, "Gather what helps to help, without secrets and names, in one file.")
    support.add_argument("--out", type=Path, metavar="FILE", default=Path("nabd-support.zip"), help="the file to write")
    support.add_argument("--with-readings", action="store_true", help="take in the readings of the journal")
    support.add_argument("--yes", action="store_true", help="write it without asking")
    _config_option(support, None)
    reset = command("factory-reset", _factory_reset, "Erase readings, accounts, keys and the configuration for good.")
    reset.add_argument("--yes", action="store_true", help="do it; otherwise only say what would go")
    reset.add_argument("--keep-configuration", action="store_true", help="keep the file and its secrets")
    reset.add_argument("--if-asked", action="store_true", help="do it if the file nabd-factory-reset lies in /boot")
    _config_option(reset, None)


def _identity_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    identity_options.enrol_options(
        command("enrol", _enrol, "Ask for a certificate of this gateway or hub, and import it."),
        lambda parser: _config_option(parser, None),
    )
    identity_options.ca_options(command("ca", _ca, "Be a small authority: sign gateways and brokers, revoke."))
    identity_options.access_list_options(command("access-lists", _access_lists, "Print who may say what at a broker."))


def _command_options(parser: argparse.ArgumentParser) -> None:
    from gateway.commands.matrix import MATRIX, ROLES  # noqa: PLC0415

    parser.add_argument("gateway", metavar="[TENANT/]GATEWAY", help="whom to command (tenant home unless given)")
    parser.add_argument("name", choices=list(MATRIX), help="what it shall do")
    parser.add_argument("fields", nargs="*", metavar="FIELD=VALUE", help="such as meter=gw-1_main or config=@FILE")
    parser.add_argument("--role", choices=sorted(ROLES), default="operator", help="whose wish it is (operator)")
    parser.add_argument("--wait", type=float, default=30.0, metavar="SECONDS", help="how long to wait (30)")
    _config_option(parser, None)


def _profile_commands(profiles: argparse.ArgumentParser) -> None:
    profiles.add_argument("--folder", type=Path, action="append", default=[], help="look here first")
    profiles.add_argument("--json", action="store_true", help="one JSON array")
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
    new.add_argument("--protocol", choices=list(PROTOCOLS), help="the one that understands most unless given")
    new.add_argument("--key", metavar="HEX|@FILE", help="the encryption key of the meter")
    new.add_argument("--auth-key", metavar="HEX|@FILE", help="its authentication key")
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
    _config_option(address, None)


def _alert_commands(alerts: argparse.ArgumentParser) -> None:
    whats = alerts.add_subparsers(metavar="replay | explain | shadow | test", required=True)
    about = "Replay a CSV file of time,meter,quantity,value; one line an alert."
    replay = whats.add_parser("replay", help=about, description=about)
    replay.add_argument("file", type=Path)
    replay.add_argument("--zone", default="UTC", help="the zone of times without one, and of nights (UTC)")
    replay.add_argument("--settings", type=Path, help="JSON as the hub sends it: which main fuse a meter has")
    replay.add_argument("--events", type=Path, help="CSV of time,meter,event: away_on, away_off")
    about = "what use costs, by the name or file of a tariff; may be given again for another commodity"
    replay.add_argument("--tariff", metavar="NAME", action="append", default=[], help=about)
    replay.add_argument("--json", action="store_true", help="one JSON object a line")
    about = "Show the figures of one event, and compute it once more from what is stored."
    explain = whats.add_parser("explain", help=about, description=about)
    explain.add_argument("event", metavar="EVENT.json|ID", help="an event's file, its key, or the id of an alert")
    about = "Say what a configuration would have told of the stored past; nothing is sent."
    shadow = whats.add_parser("shadow", help=about, description=about)
    shadow.add_argument("--days", type=_count, default=30, help="how many of the last days (30)")
    shadow.add_argument("--json", action="store_true", help="one JSON object a line")
    about = "Send a marked test alert by every channel, or by one."
    test = whats.add_parser("test", help=about, description=about)
    test.add_argument("channel", nargs="?", help="its name")
    for what, parser in (("replay", replay), ("explain", explain), ("shadow", shadow), ("test", test)):
        parser.set_defaults(what=what)
        if what != "replay":
            _config_option(parser, None)


def _tariff_commands(tariff: argparse.ArgumentParser) -> None:
    from datetime import date  # noqa: PLC0415

    whats = tariff.add_subparsers(metavar="check | bill | advise", required=True)
    check = whats.add_parser("check", help="what a tariff's file means, or what is wrong with it")
    bill = whats.add_parser("bill", help="the bills of a CSV file of time,meter,quantity,value, line by line")
    advise = whats.add_parser("advise", help="what the same months would have cost with other tariffs")
    for what, parser in (("check", check), ("bill", bill), ("advise", advise)):
        parser.add_argument("tariff", metavar="FILE", type=Path, help="a file, or the name of a shipped tariff")
        parser.set_defaults(what=what, today=date.today)
    for parser in (bill, advise):
        parser.add_argument("series", metavar="SERIES", type=Path, help="registers, as `nabd alerts replay` takes them")
        parser.add_argument("--from", dest="since", type=date.fromisoformat, help="the first day, such as 2026-02-01")
        parser.add_argument("--until", type=date.fromisoformat, help="the last day")
        parser.add_argument("--meter", help="which one, where the file has several")
        parser.add_argument(
            "--dwelling-units", metavar="N", type=_count, default=1, help="how many share the meter (1)"
        )
        about = "the main fuse's rating, where a fee needs it"
        parser.add_argument("--breaker", metavar="AMPERE", type=_count, help=about)
    advise.add_argument("--offer", metavar="FILE", type=Path, action="append", required=True, help="may be given again")


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 5 or int(text) not in range(1, 10_001):  # noqa: PLR2004  no house has more
        raise argparse.ArgumentTypeError("a whole number from 1 to 10000")
    return int(text)


def _dev_option(parser: argparse.ArgumentParser) -> None:
    about = "where adapters are looked for (/dev); a container may have them elsewhere"
    parser.add_argument("--dev", type=Path, default=Path("/dev"), metavar="FOLDER", help=about)


def _config_option(parser: argparse.ArgumentParser, default: Path | None) -> None:
    help_text = f"the configuration (default {default})" if default else "the configuration of the running program"
    parser.add_argument("-c", "--config", type=Path, default=default, help=help_text)


def _serve(options: argparse.Namespace) -> int:
    reread = partial(load, options.config, options.command)
    config: Any = reread()
    from importlib import import_module  # noqa: PLC0415  only the wiring that runs is loaded

    from gateway.seclog import note, note_start  # noqa: PLC0415

    more = {"file": options.config} if options.command == "edge" else {}  # what a hub may send stands beside it
    with _security_log(config, own=True) as file:
        note_start(file, VERSION)
        code = _run(import_module(f"gateway.{options.command}").run(config, reread, **more))
        note("stopped", code=code)
    return code


@contextmanager
def _security_log(config: Any, *, own: bool = False) -> Iterator[Path]:
    """Keep the log of a program while the block runs; a command only adds to it."""
    from gateway.seclog import NAME, keeping  # noqa: PLC0415
    from gateway.show import socket_of  # noqa: PLC0415

    file = socket_of(config).with_name(NAME)
    with keeping(file, own=own):
        yield file


def _run(work: Any) -> int:
    """Run a program to its end; 2, with one line a reason, when it could not be what it should."""
    code = 0
    try:
        asyncio.run(work)
    except* _could_not_run() as group:
        for error in _leaves(group):
            print(f"nabd: {error}", file=sys.stderr)
        code = 2
    return code


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _could_not_run() -> tuple[type[Exception], ...]:
    from gateway.journal import JournalError  # noqa: PLC0415
    from gateway.store.contract import StoreError  # noqa: PLC0415
    from gateway.web.errors import PagesError  # noqa: PLC0415

    return (ConfigError, JournalError, PagesError, StoreError)


def _setup(options: argparse.Namespace) -> int:
    import platform  # noqa: PLC0415

    from gateway.setup.errors import SetupError  # noqa: PLC0415
    from gateway.setup_cmd import Options, setup, usual_here  # noqa: PLC0415

    usual = usual_here(os.environ, ETC.parent, platform.node())
    given = Options(ETC, options.config, options.answers, options.replace)
    try:
        return asyncio.run(setup(given, usual, print, _complain, input))
    except SetupError as error:
        _complain(f"nabd setup: {error}")
        return 2


def _check(options: argparse.Namespace) -> int:
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

    return asyncio.run(read(_configuration(options), options.meter, as_json=options.json))


def _status(options: argparse.Namespace) -> int:
    from gateway.show import status  # noqa: PLC0415

    return asyncio.run(status(_configuration(options), as_json=options.json))


def _reload(options: argparse.Namespace) -> int:
    from gateway.show import reload  # noqa: PLC0415

    return asyncio.run(reload(_configuration(options), local=options.local))


def _web(options: argparse.Namespace) -> int:
    from gateway.show import link  # noqa: PLC0415

    return asyncio.run(link(_configuration(options)))


def _file(options: argparse.Namespace) -> Path | None:
    return options.config or next((p for p in (ETC / f"{k}.toml" for k in ("home", "edge", "hub")) if p.exists()), None)


def _configuration(options: argparse.Namespace) -> Any:
    path = _file(options)
    if path is None:
        print(f"nabd: no configuration in {ETC}; name one with -c FILE", file=sys.stderr)
        raise SystemExit(2)
    return load(path, kind_of(path))


def _analyze(options: argparse.Namespace) -> int:
    from gateway.analyze_cmd import run  # noqa: PLC0415

    if options.colour is None:
        options.colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return run(options, print, _complain)


def _scan(options: argparse.Namespace) -> int:
    from gateway.scan_cmd import scan  # noqa: PLC0415

    return asyncio.run(scan(options, print, _complain))


def _commission(options: argparse.Namespace) -> int:
    from gateway.commission_cmd import run  # noqa: PLC0415

    return run(options, _file(options), print, _complain)


def _doctor(options: argparse.Namespace) -> int:
    from gateway.doctor_cmd import doctor  # noqa: PLC0415

    return asyncio.run(doctor(options, print, _complain))


def _support(options: argparse.Namespace) -> int:
    from gateway.doctor.visit import World  # noqa: PLC0415
    from gateway.support.command import run  # noqa: PLC0415
    from gateway.support.parts import Here, run_command  # noqa: PLC0415

    path = _file(options)
    if path is None:
        _complain(f"nabd support: no configuration in {ETC}; name one with -c FILE")
        return 2
    try:
        return asyncio.run(run(options, path, Here(run_command, World()), print, input))
    except (OSError, EOFError) as error:
        why = "nobody answered; --yes asks nobody" if isinstance(error, EOFError) else error
        _complain(f"nabd support: nothing was written: {why}")
        return 2


def _factory_reset(options: argparse.Namespace) -> int:
    from gateway.reset.command import run  # noqa: PLC0415

    path = _file(options)
    if path is None and options.if_asked:
        return 0  # a box that was never set up, or is reset already
    config = _configuration(options)
    return run(options, config, path or Path(), print, _complain)


def _profiles(options: argparse.Namespace) -> int:
    from gateway import profiles_cmd  # noqa: PLC0415

    if options.what == "show":
        return profiles_cmd.show(options.name, options.folder, print, _complain)
    if options.what == "test":
        return profiles_cmd.prove(options.file, print, _complain)
    if options.what == "new":
        return profiles_cmd.new(options, print, _complain)
    return profiles_cmd.list_all(options.folder, print, _complain, as_json=options.json)


def _meter(options: argparse.Namespace) -> int:
    from gateway import meter_cmd  # noqa: PLC0415
    from gateway.show import socket_of  # noqa: PLC0415

    config = _configuration(options)
    beside = [options.config.parent / "meters"] if options.config else []
    try:
        task = meter_cmd.plan(config, options.bus, options.old, options.new, options.profile, beside)
        work = meter_cmd.set_address(task, socket_of(config), yes=options.yes, tell=print, ask=input)
        with _security_log(config):
            return asyncio.run(work)
    except meter_cmd.CannotSet as error:
        _complain(f"nabd: {error}")
        return 2


def _enrol(options: argparse.Namespace) -> int:
    from gateway.enrol_cmd import run  # noqa: PLC0415

    config = _configuration(options)
    with _security_log(config):
        return run(options, config, print, _complain)


def _ca(options: argparse.Namespace) -> int:
    from gateway.identity.ca_cmd import run  # noqa: PLC0415

    return run(options, print, _complain, input)


def _access_lists(options: argparse.Namespace) -> int:
    from gateway.access_lists import access_list  # noqa: PLC0415

    print(access_list(options.broker, options.root, options.hub), end="")
    return 0


def _alerts(options: argparse.Namespace) -> int:
    return _replay(options) if options.what == "replay" else _stored_alerts(options)


def _stored_alerts(options: argparse.Namespace) -> int:
    from gateway.alerts_cmd import AlertsError, run  # noqa: PLC0415
    from gateway.store.contract import StoreError  # noqa: PLC0415

    try:
        return asyncio.run(run(_configuration(options), options, print))
    except (AlertsError, StoreError) as error:
        _complain(f"nabd alerts {options.what}: {error}")
        return 2


def _replay(options: argparse.Namespace) -> int:
    from gateway.alerts.replay import ReplayError, lines  # noqa: PLC0415

    try:
        given = (options.file, options.zone, options.settings, options.events)
        for line in lines(*given, tariffs=options.tariff, as_json=options.json):
            print(line)
    except ReplayError as error:
        _complain(f"nabd alerts replay: {error}")
        return 2
    return 0


def _tariff(options: argparse.Namespace) -> int:
    from gateway.tariff_cmd import run  # noqa: PLC0415

    return run(options, print, _complain)


def _journal(options: argparse.Namespace) -> int:
    from gateway import journal_cmd  # noqa: PLC0415

    config = _configuration(options)
    if config.kind == "hub":
        _complain("nabd: a hub has no journal; name an edge.toml or home.toml with -c")
        return 2
    try:
        with _security_log(config):
            return journal_cmd.run(options, config.journal.folder, config.gateway.id, print, _complain)
    except _could_not_run() as error:
        _complain(f"nabd: {error}")
        return 2


def _dead_letters(options: argparse.Namespace) -> int:
    from gateway.dead_letters_cmd import run  # noqa: PLC0415

    config = _configuration(options)
    if config.kind == "edge":
        _complain("nabd: an edge has no dead letters; name a hub.toml or home.toml with -c")
        return 2
    code = 2

    async def work() -> None:
        nonlocal code
        code = await run(config.hub.database, config.store, options.what, print, as_json=options.json)

    return _run(work()) or code


def _command(options: argparse.Namespace) -> int:
    from gateway.commands_cmd import run  # noqa: PLC0415

    config = _configuration(options)
    if config.kind != "hub":
        _complain("nabd: only a hub commands gateways; name a hub.toml with -c")
        return 2
    return run(options, config, print, _complain)


def _complain(line: str) -> None:
    print(line, file=sys.stderr)


def _simulate(options: argparse.Namespace) -> int:
    if options.scenario == "year":
        return _simulate_year(options)
    from simulator.serve import serve  # noqa: PLC0415
    from simulator.serving import SimulatorError  # noqa: PLC0415
    from simulator.shipped import scenario_path  # noqa: PLC0415

    def report(line: str) -> None:
        print(line, flush=True)

    try:
        asyncio.run(
            serve(scenario_path(options.scenario), options.folder, report=report, own_this_host=options.own_this_host)
        )
    except SimulatorError as error:
        print(f"nabd simulate: {error}", file=sys.stderr)
        return 2
    return 0


def _simulate_year(options: argparse.Namespace) -> int:
    from simulator.year import YearError, homes  # noqa: PLC0415
    from simulator.year.files import write  # noqa: PLC0415

    try:
        made = homes(options.seed, options.homes, options.days, round(options.step), zone=options.zone)
        print(f"{write(made, options.out)} homes in {options.out}")
    except (YearError, OSError) as error:
        _complain(f"nabd simulate year: {error}")
        return 2
    return 0


def _demo(options: argparse.Namespace) -> int:
    if options.scenario == "installer":
        from gateway import demo_installer  # noqa: PLC0415

        work = demo_installer.run(options.seconds, options.folder, options.listen, partial(print, flush=True))
    else:
        from gateway import demo  # noqa: PLC0415

        work = demo.run(options.seconds, options.folder, options.listen, options.scenario)
    result = asyncio.run(work)
    if result.summary is not None:
        print(json.dumps(result.summary), flush=True)
    return result.code


if __name__ == "__main__":
    raise SystemExit(main())
