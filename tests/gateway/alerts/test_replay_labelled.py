"""`nabd alerts replay` of the labelled homes: exactly the alerts that their labels ask for, by name."""

import csv
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from gateway.cli import main

ROOT = Path(__file__).parents[3]
SERIES = Path(os.environ.get("NABD_SERIES", ROOT.parent / "shared" / "series"))
HOMES = ("sa", "sb", "sc")
NO_ALERT = {"none", "register_reset"}
"""A replaced meter is a remark of the check."""
MOST_DAYS = 7
"""High days of water: 2.5 a home and month at the most, in twelve weeks of three homes; these show a few."""


def table(name: str) -> list[dict[str, str]]:
    """Read a series, or skip aloud: they are not part of the project."""
    if not (SERIES / name).exists():
        pytest.skip(f"{SERIES / name} is not there: set NABD_SERIES to the folder of labelled series")
    with (SERIES / name).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Write the homes and their absences as the command takes them."""
    folder = tmp_path_factory.mktemp("labelled")
    rows, events = folder / "water.csv", folder / "events.csv"
    with rows.open("w") as file:
        file.write("time,meter,quantity,value\n")
        for line in table("labelled_water_homes_15min.csv"):
            file.writelines(f"{line['ts']},{home},water_volume,{line[f'{home}_reg_l']}\n" for home in HOMES)
    with events.open("w") as file:
        file.write("time,meter,event\n")
        for label in table("labelled_water_homes_labels.csv"):
            if "away=1" in label["params"]:
                file.write(f"{label['start']},{label['home']},away_on\n{label['end']},{label['home']},away_off\n")
    return rows, events


def test_exactly_the_labelled_alerts_are_told(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Each once, at its home; a leak while nobody is there is also flow while away, and a few days are high."""
    rows, events = files
    assert main(["alerts", "replay", str(rows), "--events", str(events), "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    labels = table("labelled_water_homes_labels.csv")
    asked = Counter((label["expect_alert"], label["home"]) for label in labels if label["expect_alert"] not in NO_ALERT)
    asked["flow_while_away", "sc"] = 1
    assert Counter((a["rule"], a["meter"]) for a in told if a["rule"] != "high_water_day") == asked
    assert sum(alert["rule"] == "high_water_day" for alert in told) <= MOST_DAYS
    assert all(alert["cleared"] for alert in told)
    assert [(a["rule"], a["meter"]) for a in told if a["severity"] == "critical"] == [("water_burst", "sc")]
