"""The security log: each kind of event, on disk after a restart, bounded, and harmless to whoever reads it."""

import json
import logging
import queue
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import seclog
from gateway.seclog import AT_ONCE, FILES, NAME, SIZE, Kind, SecurityLog, keeping, line_of, note, note_start

ROOT = Path(__file__).parents[2]
KINDS: tuple[Kind, ...] = get_args(Kind)


def lines(file: Path) -> list[dict[str, object]]:
    """Read a log."""
    return [json.loads(line) for line in file.read_text(encoding="ascii").splitlines()]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name the log's file."""
    return tmp_path / NAME


@pytest.fixture
def worn(file: Path) -> SecurityLog:
    """Give a log whose thread has ended, so that a test can write as it likes."""
    log = SecurityLog(file, lambda: "synced", lambda: 0.0, lambda: 0.0)
    log.close()
    return log


def test_every_kind_is_written_explained_and_noted_somewhere(file: Path) -> None:
    """Each kind becomes a line with UTC and the clock's state, stands in the reference, and is noted by our code."""
    with keeping(file):
        for kind in KINDS:
            note(kind, who="x")
    found = lines(file)
    assert [line["kind"] for line in found] == list(KINDS)
    assert len(KINDS) >= 20
    assert all(str(line["at"]).endswith("Z") and line["clock"] in ("synced", "holdover", "unsynced") for line in found)
    page = (ROOT / "docs/reference/security-log.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"| `{kind}` |" not in page] == []
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "gateway").rglob("*.py"))
    assert [kind for kind in KINDS if f'note("{kind}"' not in code] == []


def test_it_outlives_a_restart_and_notes_an_update(file: Path) -> None:
    """A second start adds to the file; another version than last time is an update."""
    for version in ("1.0", "1.0", "1.1"):
        with keeping(file):
            note_start(file, version)
            note("stopped")
    kinds = [line["kind"] for line in lines(file)]
    assert kinds == ["started", "stopped", "started", "stopped", "updated", "started", "stopped"]
    assert file.stat().st_mode & 0o777 == 0o600


@given(st.text(), st.text(max_size=20))
def test_nothing_ends_a_line_or_colours_a_terminal(text: str, key: str) -> None:
    """Any text becomes one line of printable ASCII that reads back as it was, but for its length."""
    line = line_of("entered", {"x" + key: text, "esc": "\r\n\x1b[31m\x7f\u202e" + text}, 0.0, "synced")
    assert line.endswith("\n")
    assert all(" " <= letter <= "~" for letter in line[:-1])
    read = json.loads(line)
    assert read["x" + key] == text[:200]
    assert read["at"] == "1970-01-01T00:00:00.000Z"


def test_it_never_takes_more_than_five_megabytes(worn: SecurityLog, file: Path) -> None:
    """Turned over at 1 MB, the oldest of five falls; the newest lines are always there."""
    line = "x" * 9_999 + "\n"
    for _ in range(7 * SIZE // len(line)):
        worn._write(line)
    worn._write("last\n")
    files = sorted(file.parent.iterdir())
    assert len(files) == FILES
    assert sum(path.stat().st_size for path in files) <= 5_000_000
    assert file.read_text().endswith("last\n")
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)


def test_a_flood_is_counted_and_hides_nothing_else(file: Path) -> None:
    """A thousand wrong links are fifty lines; the next says how many were left out, and other kinds are all there."""
    passed = 0.0
    log = SecurityLog(file, lambda: "synced", lambda: 0.0, lambda: passed)
    logger = logging.getLogger("test.seclog")

    def happens(kind: str) -> None:
        log.emit(logger.makeRecord(logger.name, logging.INFO, "", 0, kind, (), None))

    for _ in range(1000):
        happens("entry_refused")
    happens("link_made")
    passed = 10.0
    happens("entry_refused")
    log.close()
    found = lines(file)
    assert [line["kind"] for line in found] == ["entry_refused"] * AT_ONCE + ["link_made", "entry_refused"]
    assert found[-1]["unsaid_before"] == 1000 - AT_ONCE


def test_a_clock_that_is_set_is_noted(file: Path) -> None:
    """A jump of an hour, and what the clock is worth then, are a line each; a correction of milliseconds is none."""
    with keeping(file) as log:
        log._clock, log._wall, log._passed, log._offset = lambda: "synced", lambda: 5000.0, lambda: 10.0, 4990.0
        log._state = "synced"
        log._wall = lambda: 5000.4
        log.look()
        log._wall, log._clock = lambda: 8600.4, lambda: "unsynced"
        log.look()
    found = [{key: line[key] for key in line if key not in ("at", "clock")} for line in lines(file)]
    assert found == [
        {"kind": "clock_state", "before": "synced", "now": "unsynced"},
        {"kind": "clock_set", "by_ms": 3_600_000},
    ]


def test_a_disk_that_refuses_costs_lines_only(tmp_path: Path) -> None:
    """Without a place to write nobody is held up, and what was lost is counted."""
    (tmp_path / "file").touch()
    with keeping(tmp_path / "file" / NAME) as log:
        note("link_made")
    assert log.lost == 1


def test_the_first_start_of_all_is_noted(tmp_path: Path) -> None:
    """The folder is made where it is not there yet, for its owner alone."""
    with keeping(tmp_path / "journal" / NAME):
        note("started", version="1")
    assert [line["kind"] for line in lines(tmp_path / "journal" / NAME)] == ["started"]
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o700


def test_a_log_nobody_writes_is_bounded(worn: SecurityLog) -> None:
    """While the disk stands still only so many lines wait."""
    worn._lines = queue.Queue(3)
    for _ in range(5):
        worn._put("x")
    assert worn.lost == 2


def test_a_command_adds_to_a_log_but_makes_none(file: Path) -> None:
    """What an installer types as root goes into the program's log, and leaves no file that the program cannot write."""
    with keeping(file, own=False):
        note("meter_written", meter="m")
    assert not file.exists()
    file.touch(mode=0o600)
    with keeping(file, own=False):
        note("meter_written", meter="m")
    assert [line["kind"] for line in lines(file)] == ["meter_written"]


def test_without_a_log_a_note_is_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Noting where no log is kept prints nothing and raises nothing."""
    note("entered", address="x")
    assert capfd.readouterr() == ("", "")
    assert not seclog._LOG.propagate
