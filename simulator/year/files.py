"""A folder of a simulated year, as `nabd alerts replay` reads it.

`hNNNN.csv` are a home's registers, `hNNNN_minutes.csv` what its panel showed for three days; `labels.csv`, `events.csv`
(away mode), `flags.csv` and `settings.json` are of all homes.
"""

import csv
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TextIO

from simulator.year.homes import Home
from simulator.year.label import Label, Mark, Row

STAMPS = 1 << 17
"""Stamps remembered: a year of quarter-hours and the minutes of a month."""


def write(homes: Iterable[Home], folder: Path) -> int:
    """Write homes as they come, each file again if it is there; give how many. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    meters: dict[str, dict[str, object]] = {}
    count = 0
    with (
        _open(folder / "labels.csv") as labels,
        _open(folder / "events.csv") as events,
        _open(folder / "flags.csv") as flags,
    ):
        labels.write("home,kind,start,end,expect_alert,params\n")
        events.write("time,meter,event\n")
        flags.write("time,meter,flag\n")
        for home in homes:
            count += 1
            _rows(folder / f"{home.name}.csv", home.rows())
            if home.panel:
                _rows(folder / f"{home.name}_minutes.csv", home.panel)
            csv.writer(labels, lineterminator="\n").writerows(map(_label, home.labels))
            events.writelines(map(_mark, home.marks))
            flags.writelines(map(_mark, home.flags))
            meters |= home.settings()
    with _open(folder / "settings.json") as settings:
        json.dump({"v": 1, "rev": 1, "meters": meters}, settings, indent=1)
        settings.write("\n")
    return count


def _rows(path: Path, rows: Iterable[Row]) -> None:
    with _open(path) as file:
        file.write("time,meter,quantity,value\n")
        file.writelines(f"{_stamp(ts // 1000)},{meter},{key},{value}\n" for ts, meter, key, value in rows)


def _label(label: Label) -> tuple[str, ...]:
    params = ";".join(f"{name}={value}" for name, value in label.params.items())
    return label.home, label.kind, _stamp(label.start), _stamp(label.end), label.expect, params


def _mark(mark: Mark) -> str:
    return f"{_stamp(mark.time)},{mark.meter},{mark.word}\n"


@lru_cache(maxsize=STAMPS)
def _stamp(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _open(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")
