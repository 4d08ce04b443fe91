"""`nabd simulate`, `demo`: everything without hardware. The one module that opens the simulator, inside functions."""

import argparse
import asyncio
import json
from functools import partial
from pathlib import Path

from gateway.cli.parts import Command, complain


def add(command: Command) -> None:
    """Add the commands that need no meter."""
    about = "Serve simulated meters on pseudo-terminals and TCP for other programs."
    _simulate_options(command("simulate", _simulate, about))
    demo = command("demo", _demo, "Show everything at once, without hardware.")
    demo.add_argument("--for", dest="seconds", type=float, default=None, help="stop polling after so many seconds")
    demo.add_argument("--folder", type=Path, default=None, help="keep its files here")
    about = "a name in config/scenarios (home, building, rs485, installer), or a file"
    demo.add_argument("--scenario", default="home", help=about)
    demo.add_argument("--listen", default="127.0.0.1:8080", help="where the page is served (port 0: any free one)")


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


def duration(text: str) -> float:
    """Turn "15m" into seconds, as a configuration does; raises ValueError."""
    from gateway.config import values  # noqa: PLC0415

    return values.duration(text)


def _simulate(options: argparse.Namespace) -> int:
    if options.scenario == "year":
        return _simulate_year(options)
    from simulator.serve import serve  # noqa: PLC0415
    from simulator.serving import SimulatorError  # noqa: PLC0415
    from simulator.shipped import scenario_path  # noqa: PLC0415

    report = partial(print, flush=True)
    try:
        scenario = scenario_path(options.scenario)
        asyncio.run(serve(scenario, options.folder, report=report, own_this_host=options.own_this_host))
    except SimulatorError as error:
        complain(f"nabd simulate: {error}")
        return 2
    return 0


def _simulate_year(options: argparse.Namespace) -> int:
    from simulator.year import YearError, homes  # noqa: PLC0415
    from simulator.year.files import write  # noqa: PLC0415

    try:
        made = homes(options.seed, options.homes, options.days, round(options.step), zone=options.zone)
        print(f"{write(made, options.out)} homes in {options.out}")
    except (YearError, OSError) as error:
        complain(f"nabd simulate year: {error}")
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
