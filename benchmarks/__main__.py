"""Run the benchmarks: `./run bench`, `./run bench --quick`, `./run bench load`.

Each line is a figure beside its target. Ratios are taken within one run, so that a busy machine changes both sides.
"""

import argparse
from collections.abc import Callable

from benchmarks import (
    alerts,
    backlog,
    bill,
    commands,
    crowd,
    fleet,
    hub,
    idle,
    labelled,
    listeners,
    load,
    mbus,
    modbus,
    notify,
    p1,
    page,
    reference,
    scan,
    siege,
    sml,
    vee,
    wear,
    wmbus,
)
from benchmarks.rig import Figure

# name -> what it measures: full run, quick run
SUITES: dict[str, tuple[Callable[[], list[Figure]], Callable[[], list[Figure]]]] = {
    "start": (load.cold_start, load.cold_start),
    "hertz": (lambda: load.at_one_hertz(60), lambda: load.at_one_hertz(24)),
    "idle": (lambda: idle.idle(120), lambda: idle.idle(20)),
    "modbus": (modbus.full, modbus.quick),
    "mbus": (mbus.full, mbus.quick),
    "wmbus": (wmbus.full, wmbus.quick),
    "p1": (p1.full, p1.quick),
    "sml": (sml.full, sml.quick),
    "scan": (scan.search, scan.search),
    "alerts": (lambda: alerts.cost() + alerts.delay(), lambda: alerts.cost() + alerts.delay()),
    "labelled": (labelled.full, labelled.quick),
    "vee": (vee.full, vee.quick),
    "bill": (bill.full, bill.full),
    "notify": (lambda: notify.at_once(100), lambda: notify.at_once(100)),
    "page": (page.full, page.quick),
    "wear": (lambda: wear.wear(24, 600), lambda: wear.wear(3, 60)),
    "flat": (lambda: load.without_pause(300), lambda: load.without_pause(20)),
    "load": (reference.full, reference.quick),
    "commands": (commands.full, commands.quick),
    "crowd": (crowd.full, crowd.quick),
    "siege": (siege.full, siege.quick),
    "backlog": (lambda: backlog.drain(7, 600), lambda: backlog.drain(0.25, 60)),
    "hub": (lambda: hub.stored(30), lambda: hub.stored(8)),
    "fleet": (fleet.full, fleet.quick),
    "listeners": (listeners.full, listeners.quick),
}


def main() -> int:
    """Print every figure; 1 when one misses its target."""
    parser = argparse.ArgumentParser(prog="./run bench")
    parser.add_argument("suites", nargs="*", choices=[[], *SUITES], help="which ones (all)")
    parser.add_argument("--quick", action="store_true", help="shorter runs, rougher figures")
    options = parser.parse_args()
    reached = True
    for name in options.suites or SUITES:
        print(f"{name} …", flush=True)
        for figure in SUITES[name][1 if options.quick else 0]():
            print(figure, flush=True)
            reached = reached and figure.reached
    return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
