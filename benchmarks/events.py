"""A fingerprint of all that the rules tell: equal before and after a change that was meant to change nothing.

`python -m benchmarks.events [HOMES]` replays the labelled series and some simulated homes of a year, and prints a line
for each: its name, how many events it gave, and the hash of their bytes. Run it on both sides of a change, and compare.
"""

import sys
from collections.abc import Iterable
from hashlib import sha256

from benchmarks import labelled_rows as rows_of
from benchmarks.labelled_year import DAYS, SEED, ZONE
from gateway.alerts.event import AlertEvent
from gateway.alerts.replay import Replay
from gateway.alerts.series import Mark, Row
from gateway.alerts.settings import Settings
from simulator.year import homes

HOMES = 3


def main(count: int) -> None:
    """Print every fingerprint; the series are left out where they are not at hand."""
    if rows_of.there():
        _print("water", Replay(marks=rows_of.away(rows_of.labels("water"))).events(rows_of.labelled_water()))
        _print("gas", Replay().events(rows_of.labelled_gas()))
        _print("electricity", Replay().events(rows_of.labelled_electricity()))
        _print("minutes", Replay().events(rows_of.french_minutes()))
    for number, home in enumerate(homes(SEED, count, DAYS, zone=ZONE)):
        settings = Settings.model_validate({"meters": home.settings()})
        marks = [Mark(1000 * mark.time, mark.meter, mark.word == "away_on") for mark in home.marks]
        rows = [Row(*row) for row in [*home.rows(), *home.panel]]
        _print(f"home {number}", Replay(ZONE, settings, marks).events(rows))


def _print(name: str, events: Iterable[AlertEvent]) -> None:
    told = [event.encode() for event in events]
    print(f"{name:12} {len(told):5} {sha256(b''.join(told)).hexdigest()[:16]}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else HOMES)
