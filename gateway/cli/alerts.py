"""`nabd alerts`, `tariff`: rules and prices tried on the past, before anybody is told or billed."""

import argparse
import asyncio
from pathlib import Path

from gateway.cli.parts import Command, complain, config_option, configuration, count, json_option


def add(command: Command) -> None:
    """Add the commands about rules and prices."""
    _alert_commands(command("alerts", _alerts, "Try rules on the past, explain an alert, send a test alert."))
    _tariff_commands(command("tariff", _tariff, "Explain a tariff, or work out the bills of a file of readings."))


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
    json_option(replay, "one JSON object a line")
    about = "Show the figures of one event, and compute it once more from what is stored."
    explain = whats.add_parser("explain", help=about, description=about)
    explain.add_argument("event", metavar="EVENT.json|ID", help="an event's file, its key, or the id of an alert")
    about = "Say what a configuration would have told of the stored past; nothing is sent."
    shadow = whats.add_parser("shadow", help=about, description=about)
    shadow.add_argument("--days", type=count, default=30, help="how many of the last days (30)")
    json_option(shadow, "one JSON object a line")
    about = "Send a marked test alert by every channel, or by one."
    test = whats.add_parser("test", help=about, description=about)
    test.add_argument("channel", nargs="?", help="its name")
    for what, parser in (("replay", replay), ("explain", explain), ("shadow", shadow), ("test", test)):
        parser.set_defaults(what=what)
        if what != "replay":
            config_option(parser)


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
        about = "how many share the meter (1)"
        parser.add_argument("--dwelling-units", metavar="N", type=count, default=1, help=about)
        about = "the main fuse's rating, where a fee needs it"
        parser.add_argument("--breaker", metavar="AMPERE", type=count, help=about)
    advise.add_argument("--offer", metavar="FILE", type=Path, action="append", required=True, help="may be given again")


def _alerts(options: argparse.Namespace) -> int:
    return _replay(options) if options.what == "replay" else _stored_alerts(options)


def _stored_alerts(options: argparse.Namespace) -> int:
    from gateway.alerts_cmd import AlertsError, run  # noqa: PLC0415
    from gateway.store.contract import StoreError  # noqa: PLC0415

    try:
        return asyncio.run(run(configuration(options), options, print))
    except (AlertsError, StoreError) as error:
        complain(f"nabd alerts {options.what}: {error}")
        return 2


def _replay(options: argparse.Namespace) -> int:
    from gateway.alerts.replay import ReplayError, lines  # noqa: PLC0415

    try:
        given = (options.file, options.zone, options.settings, options.events)
        for line in lines(*given, tariffs=options.tariff, as_json=options.json):
            print(line)
    except ReplayError as error:
        complain(f"nabd alerts replay: {error}")
        return 2
    return 0


def _tariff(options: argparse.Namespace) -> int:
    from gateway.tariff_cmd import run  # noqa: PLC0415

    return run(options, print, complain)
