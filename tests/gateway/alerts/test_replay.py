"""`nabd alerts replay`: what is printed, what is refused, and what the rules find in labelled homes."""

import csv
import json
import os
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.alerts.replay import Replay, ReplayError, lines
from gateway.alerts.series import Row, load_rows
from gateway.alerts.settings import Settings
from gateway.cli import main

ROOT = Path(__file__).parents[3]
START = 1_795_219_200_000


def series_file(name: str) -> Path:
    """Find a series of labelled homes, or skip aloud: they are not part of the project."""
    path = Path(os.environ.get("NABD_SERIES", ROOT.parent / "shared" / "series")) / name
    if not path.exists():
        pytest.skip(f"{path} is not there: set NABD_SERIES to the folder of labelled series")
    return path


def moment(text: str) -> int:
    """Read a label's time as UTC ms."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.fixture(scope="module")
def homes() -> list[Row]:
    """Give the labelled water homes as rows of a replay."""
    with series_file("labelled_water_homes_15min.csv").open(newline="") as file:
        return [
            Row(moment(line["ts"]), home, "water_volume_l", int(line[f"{home}_reg_l"]))
            for line in csv.DictReader(file)
            for home in ("sa", "sb", "sc")
            if line[f"{home}_reg_l"]
        ]


@pytest.fixture(scope="module")
def labels() -> list[dict[str, str]]:
    """Give what really happened in them."""
    with series_file("labelled_water_homes_labels.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Riyadh"])
def test_every_labelled_leak_is_found_and_no_other(homes: list[Row], labels: list[dict[str, str]], zone: str) -> None:
    """All leaks within 26 hours (those above 10 l/h within 24), none else in 252 home-days; the rate is the leak's."""
    found = [alert for alert in Replay(zone).run(homes) if alert.rule == "water_leak"]
    for label in (label for label in labels if label["kind"] == "leak"):
        begin, end = moment(label["start"]), moment(label["end"])
        hit = next(alert for alert in found if alert.meter == label["home"] and begin <= alert.raised <= end)
        found.remove(hit)
        rate = float(label["params"].removeprefix("lph="))
        assert hit.raised - begin <= (24 if rate > 10 else 26) * 3_600_000, label
        assert hit.value == pytest.approx(rate, rel=0.1, abs=2)
        assert hit.cleared is not None
        assert hit.cleared >= end - 3_600_000
    assert found == []


def test_the_one_silence_is_found_and_no_other(homes: list[Row], labels: list[dict[str, str]]) -> None:
    """A vacation, a stuck register and a replaced meter are no silence."""
    found = [alert for alert in Replay().run(homes) if alert.rule == "meter_offline"]
    (label,) = [label for label in labels if label["expect_alert"] == "meter_offline"]
    (alert,) = found
    assert alert.meter == label["home"]
    assert moment(label["start"]) < alert.raised < moment(label["start"]) + 2 * 3_600_000
    assert alert.cleared is not None
    assert 0 <= alert.cleared - moment(label["end"]) <= 1_800_000


def test_order_and_doubles_of_rows_do_not_matter(homes: list[Row]) -> None:
    """A shuffled file with every tenth row twice gives the same alerts."""
    dice = random.Random(7)
    mixed = homes + homes[::10]
    dice.shuffle(mixed)
    assert Replay().run(mixed) == Replay().run(homes)


def test_hourly_readings_find_the_same_leaks(homes: list[Row]) -> None:
    """Four times coarser: each leak that steps every hour is found, and nothing else."""
    hourly = [row for row in homes if row.ts % 3_600_000 == 0]
    fine = [alert for alert in Replay().run(homes) if alert.rule == "water_leak"]
    coarse = [alert for alert in Replay().run(hourly) if alert.rule == "water_leak"]
    assert len(coarse) == len(fine)
    assert all(abs(a.raised - b.raised) < 25 * 3_600_000 for a, b in zip(fine, coarse, strict=True))


def test_a_real_home_of_a_minute_is_never_silent_and_strains_its_fuse_as_it_did() -> None:
    """Ten days that peak at 46 A: no alert on 63 A, a warning on 45 A, critical on 25 A."""
    with series_file("elec_fr_home_1min_2007-02.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    rows = [Row(moment(line["ts"] + "Z"), "fr", "current_a", float(line["i_a"])) for line in table if line["i_a"]]

    def severities(rating: int) -> set[tuple[str, str]]:
        settings = Settings.model_validate({"meters": {"fr": {"rating_a": rating}}})
        return {(alert.rule, alert.severity) for alert in Replay(settings=settings).run(rows)}

    assert severities(63) == set()
    assert severities(45) == {("overload", "warning")}
    assert ("overload", "critical") in severities(25)


def write(path: Path, text: str) -> Path:
    """Write a file."""
    path.write_text(text, encoding="utf-8")
    return path


def overload(folder: Path, when: str = "2026-11-22T18:{:02}:00Z") -> Path:
    """Write two minutes of overload and three of calm, a minute apart."""
    rows = [f"{when.format(n)},gw-1_main,current,{amps}" for n, amps in enumerate([10, 70, 71, 72, 10, 10, 10])]
    return write(folder / "day.csv", "time,meter,quantity,value\n" + "\n".join(rows) + "\n")


SETTINGS = '{"v":1,"rev":3,"live_every_s":10,"meters":{"gw-1_main":{"away":false,"rating_a":63,"pv":true}}}'


def test_one_line_an_alert_as_agreed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The keys of contracts 8 and no other, times in UTC with Z."""
    settings = write(tmp_path / "settings.json", SETTINGS)
    assert main(["alerts", "replay", str(overload(tmp_path)), "--settings", str(settings), "--json"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in out] == [
        {
            "rule": "overload", "meter": "gw-1_main", "raised": "2026-11-22T18:02:00Z",
            "cleared": "2026-11-22T18:04:00Z", "severity": "critical", "value": 71.0, "baseline": 63.0, "unit": "A",
            "cost": None,
        }
    ]  # fmt: skip


def test_a_naive_time_is_in_the_zone(tmp_path: Path) -> None:
    """Six in the evening in Riyadh is three in the afternoon in UTC."""
    file, settings = overload(tmp_path, "2026-11-22T18:{:02}:00"), write(tmp_path / "settings.json", SETTINGS)
    (line,) = lines(file, "Asia/Riyadh", settings, as_json=True)
    assert json.loads(line)["raised"] == "2026-11-22T15:02:00Z"


def test_people_get_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A heading and a row an alert; what is not over is open."""
    settings = write(tmp_path / "settings.json", SETTINGS)
    text = overload(tmp_path).read_text()
    file = write(tmp_path / "cut.csv", "\n".join(text.splitlines()[:5]) + "\n")
    assert main(["alerts", "replay", str(file), "--settings", str(settings)]) == 0
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split() == ["raised", "cleared", "severity", "rule", "meter", "value"]
    assert row.split() == ["2026-11-22T18:02:00Z", "open", "critical", "overload", "gw-1_main", "71", "A"]


def test_without_a_rating_there_is_no_overload(tmp_path: Path) -> None:
    """Nobody guesses a fuse."""
    assert list(lines(overload(tmp_path), as_json=True)) == []


HEAD = "time,meter,quantity,value\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: is not the header line (time,meter,quantity,value)"),
        ("a,b\n", ":1: is not the header line"),
        (HEAD + "2026-01-01T00:00Z,m,power\n", ":2: has 3 cells"),
        (HEAD + "yesterday,m,power,1\n", ":2: Invalid isoformat string"),
        (HEAD + "2026-01-01T00:00Z,m,powr,1\n", ":2: there is no quantity 'powr'"),
        (HEAD + "2026-01-01T00:00Z,m,power,1\n2026-01-01T00:00Z,m,power,nan\n", ":3: 'nan' is no number"),
        (HEAD + "2026-01-01T00:00Z,m,power,much\n", ":2: could not convert"),
        (HEAD + "2026-01-01T00:00Z,m m,power,1\n", ":2: meter"),
    ],
)
def test_a_wrong_line_is_named(text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed but what is wrong, where, and how it should be; exit code 2."""
    file = write(tmp_path / "day.csv", text)
    assert main(["alerts", "replay", str(file), "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{file}{said}" in err


def test_an_empty_cell_is_no_reading(tmp_path: Path) -> None:
    """Gaps of a table are gaps."""
    file = write(tmp_path / "day.csv", HEAD + "2026-01-01T00:00Z,m,power,\n2026-01-01T00:01Z,m,power_w,2.50\n")
    assert load_rows(file) == [Row(moment("2026-01-01T00:01Z"), "m", "power_w", 2.5)]


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("--settings", '{"meters":{"m":{"rating_a":-5}}}', "rating_a"),
        ("--settings", "no", "settings"),
        ("--events", "time,meter,event\n2026-01-01T00:00Z,m,gone\n", "there is no event 'gone'"),
        ("--events", "time,meter,event\nnow,m,away_on\n", "isoformat"),
    ],
)
def test_a_wrong_side_file_is_named(
    option: str, text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settings and events are read before anything is replayed."""
    side = write(tmp_path / "side", text)
    assert main(["alerts", "replay", str(overload(tmp_path)), option, str(side)]) == 2
    assert said in capsys.readouterr().err


def test_a_zone_that_is_none_is_named(tmp_path: Path) -> None:
    """As a file that is not there is."""
    for arguments in ((overload(tmp_path), "Mars/Base"), (overload(tmp_path), "../etc"), (tmp_path / "none", "UTC")):
        with pytest.raises(ReplayError):
            lines(*arguments)


def test_away_marks_are_accepted(tmp_path: Path) -> None:
    """No rule of the edge asks for them yet."""
    marks: Any = write(tmp_path / "marks.csv", "time,meter,event\n2026-01-01T00:00Z,m,away_on\n")
    assert list(lines(overload(tmp_path), events=marks, as_json=True)) == []


def dripping(folder: Path) -> Path:
    """Write two days of a home from which 14 litres an hour run, and whose lamp burns."""
    rows = ["time,meter,quantity,value"]
    for quarter in range(192):
        at = datetime.fromtimestamp(START / 1000 + 900 * quarter, UTC).isoformat()
        rows += [f"{at},w,water_volume,{1000 + 3.5 * quarter}", f"{at},e,energy_import,{5000 + 25 * quarter}"]
    path = folder / "home.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_with_a_tariff_each_row_has_its_cost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of 10.08 m3 a month at 0.10, half of it again for sewage, and 15 % VAT."""
    given = ["alerts", "replay", str(dripping(tmp_path)), "--json", "--zone", "Asia/Riyadh"]
    costs = []
    for tariffs in ([], ["--tariff", "saudi_water_residential", "--tariff", "flat_electricity"]):
        assert main([*given, *tariffs]) == 0
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        costs.append([(row["rule"], row["cost"]) for row in rows])
    assert costs == [[("water_leak", None)], [("water_leak", 1.74)]]


def test_a_tariff_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is replayed."""
    assert main(["alerts", "replay", str(dripping(tmp_path)), "--tariff", "saudi_watter"]) == 2
    assert "saudi_watter: there is no such tariff" in capsys.readouterr().err
