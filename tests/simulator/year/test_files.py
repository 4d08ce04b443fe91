"""The folder of a year: the same bytes again, and read by those who replay alerts."""

import csv
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from gateway.alerts.replay import Replay
from gateway.alerts.series import Row, load_marks, load_rows, load_settings
from gateway.cli import main
from simulator.year import Home
from simulator.year.files import write

Few = Callable[..., list[Home]]


@pytest.fixture(scope="module")
def folder(few: Few, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of two homes and two weeks."""
    path = tmp_path_factory.mktemp("year")
    assert write(few(), path) == 2
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Read every file."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_command_writes_the_same_bytes(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`nabd simulate year` with the same seed makes the same files, over those that were there."""
    arguments = ["simulate", "year", "--homes", "2", "--days", "14", "--seed", "7", "--step", "15m"]
    assert main([*arguments, "--out", str(tmp_path)]) == 0
    assert main([*arguments, "--out", str(tmp_path)]) == 0
    assert contents(tmp_path) == contents(folder)
    assert capsys.readouterr().out.startswith("2 homes in ")


def test_the_command_refuses_what_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A zone that is none costs one line and nothing is written."""
    assert main(["simulate", "year", "--zone", "Mars/Base", "--out", str(tmp_path / "none")]) == 2
    assert "such as Asia/Riyadh" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_files_are_read_as_they_were_written(folder: Path, few: Few) -> None:
    """Rows, away marks and settings pass the readers of `nabd alerts replay` and are the homes' own."""
    for home in few():
        rows = load_rows(folder / f"{home.name}.csv")
        assert [tuple(row) for row in rows] == [tuple(row) for row in home.rows()]
    marks = load_marks(folder / "events.csv")
    assert len(marks) == sum(len(home.marks) for home in few())
    settings = load_settings(folder / "settings.json")
    for home in few():
        known = settings.of(f"{home.name}-main")
        assert (known.rating_a, known.pv) == (home.family.rating, home.family.solar > 0)


def test_labels_have_the_columns_of_the_shared_series(folder: Path, few: Few) -> None:
    """One line a label, times in UTC, the meter first among the parameters where there is one."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == sum(len(home.labels) for home in few())
    for line in lines:
        assert set(line) == {"home", "kind", "start", "end", "expect_alert", "params"}
        assert datetime.fromisoformat(line["start"]) <= datetime.fromisoformat(line["end"])
        assert "meter=" not in line["params"] or line["params"].startswith("meter=h000")


def test_rules_find_in_the_series_what_the_labels_promise(few: Few) -> None:
    """Water: every leak, running toilet and burst of eighty days raises its alert in its time; a calm home none."""
    for home in few(12, 80)[:4]:
        rows = [Row(*row) for row in home.rows() if row.meter.endswith("-water")]
        told = Replay("Asia/Riyadh").run(rows)
        for label in home.labels:
            if label.expect in {"water_leak", "water_burst"}:
                times = [alert.raised for alert in told if alert.rule == label.expect]
                assert any(label.start * 1000 <= time <= label.end * 1000 + 900_000 for time in times), label
        calm = not any(label.expect == "water_leak" for label in home.labels)
        assert not calm or "water_leak" not in {alert.rule for alert in told}
