"""`nabd scan`, `commission`, `doctor`: the installer's way, from the adapter to the signed report."""

import argparse
import asyncio
from pathlib import Path

from gateway.cli.parts import Command, complain, config_option, dev_option, file_of, json_option


def add(command: Command) -> None:
    """Add the commands an installer needs on site."""
    _scan_options(command("scan", _scan, "Find the meters on serial ports and hosts, and name them; only reads."))
    _commission_options(command("commission", _commission, "Prove each meter by its display, and sign the report."))
    doctor = command("doctor", _doctor, "Say what is wrong with ports, meters, broker and box; only looks.")
    doctor.add_argument("--language", choices=["ar", "en"], help="of what is said (that of the configuration, else en)")
    json_option(doctor)
    dev_option(doctor)
    config_option(doctor)


def _scan_options(scan: argparse.ArgumentParser) -> None:
    scan.add_argument("ports", nargs="*", metavar="PORT|HOST", help="devices, hosts or addresses (every adapter)")
    scan.add_argument("--list", action="store_true", help="only list the adapters by their stable names")
    about = "leave out every address at every speed, which takes a minute"
    scan.add_argument("--quick", action="store_true", help=about)
    scan.add_argument("--write", type=Path, metavar="FILE", help="add what was found to this configuration")
    json_option(scan)
    dev_option(scan)
    config_option(scan)


def _commission_options(commission: argparse.ArgumentParser) -> None:
    what = "the meters (all of them); `verify FILE` proves a report, `key` names the gateway's key"
    commission.add_argument("what", nargs="*", metavar="METER | verify FILE | key", help=what)
    commission.add_argument("--answers", type=Path, metavar="FILE", help="answers prepared as TOML; nobody is asked")
    commission.add_argument("--language", choices=["ar", "en"], help="of the questions (that of the configuration)")
    commission.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="where the report goes (here)")
    commission.add_argument("--pdf", action=argparse.BooleanOptionalAction, default=True, help="print it as PDF too")
    config_option(commission)


def _scan(options: argparse.Namespace) -> int:
    from gateway.scan_cmd import scan  # noqa: PLC0415

    return asyncio.run(scan(options, print, complain))


def _commission(options: argparse.Namespace) -> int:
    from gateway.commission_cmd import run  # noqa: PLC0415

    return run(options, file_of(options), print, complain)


def _doctor(options: argparse.Namespace) -> int:
    from gateway.doctor_cmd import doctor  # noqa: PLC0415

    return asyncio.run(doctor(options, file_of(options), print, complain))
