"""What a hub sent and proved itself: kept in one step, and worth nothing against the gateway's own file."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.commands.kept import ASIDE, NAME, Kept
from gateway.config import EdgeConfig, load
from tests.support.small_edge import OWN, SENT

NEWER = OWN.replace('name = "own"', 'name = "newer"')


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Give the gateway's own file."""
    (tmp_path / "edge.toml").write_text(OWN, encoding="utf-8")
    return tmp_path / "edge.toml"


def kept_of(own: Path) -> tuple[Kept, EdgeConfig]:
    """Start: give what is kept and what runs."""
    kept = Kept(own, own.parent)
    return kept, kept.choose(load(own, "edge", {}))


def names(config: EdgeConfig) -> list[str]:
    """Name the meters."""
    return [row.name for row in config.meter]


def test_what_was_kept_runs_at_the_next_start(own: Path) -> None:
    """And `nabd check` names it."""
    kept, config = kept_of(own)
    assert (names(config), kept.runs, kept.note()) == (["own"], False, "")
    kept.keep(SENT)
    again, config = kept_of(own)
    assert (names(config), again.runs) == (["sent"], True)
    assert str(own.parent / NAME) in again.note()


def test_the_gateways_own_file_wins_once_it_was_changed(own: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever stands before the box means what they write; the log says what became of the other."""
    kept_of(own)[0].keep(SENT)
    own.write_text(OWN + "# a word by hand\n", encoding="utf-8")
    assert Kept(own, own.parent).note() == ""
    kept, config = kept_of(own)
    assert (names(config), kept.runs) == (["own"], False)
    assert "own file was changed" in caplog.text
    assert not (own.parent / NAME).exists()
    assert (own.parent / ASIDE).exists()
    assert names(kept_of(own)[1]) == ["own"]


def test_a_file_changed_after_it_was_read_wins_as_well(own: Path) -> None:
    """What is kept is based on the file as it ran, not on one that nobody took over yet."""
    kept, _ = kept_of(own)
    own.write_text(OWN + "# a word by hand\n", encoding="utf-8")
    kept.keep(SENT)
    assert names(kept_of(own)[1]) == ["own"]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (b"", "changed"),
        (b"\xff\xfe", ""),
        (SENT.encode(), "changed"),
        (None, "bus"),
    ],
)
def test_what_cannot_be_used_is_as_good_as_none(
    own: Path, found: bytes | None, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An empty file, a damaged one, one of another make, one that a newer version no longer takes."""
    kept, _ = kept_of(own)
    if found is None:
        kept.keep(SENT.replace('bus = "line"', 'bus = "gone"'))
    else:
        (own.parent / NAME).write_bytes(found)
    assert names(kept_of(own)[1]) == ["own"]
    assert why in caplog.text


def test_what_needs_a_start_is_not_taken_at_one_either(own: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A kept file that names another broker was not written by us."""
    kept_of(own)[0].keep(SENT.replace("127.0.0.1:1", "attacker.example:1"))
    assert names(kept_of(own)[1]) == ["own"]
    assert "[mqtt] url" in caplog.text


def test_dropped_it_is_gone(own: Path) -> None:
    """Once; a second time there is nothing."""
    kept, _ = kept_of(own)
    kept.keep(SENT)
    assert kept.drop()
    assert not kept.drop()
    assert names(kept_of(own)[1]) == ["own"]


CRASH = """
import os, signal, sys
from pathlib import Path
from gateway.commands.kept import Kept
from gateway.config import load

own, text = Path(sys.argv[1]), Path(sys.argv[2]).read_text()

def at(point):
    kept = Kept(own, own.parent)
    kept.choose(load(own, "edge", {}))
    left = point
    def trace(frame, event, _):
        nonlocal left
        if not frame.f_code.co_filename.endswith(("durable.py", "kept.py")):
            return None
        left -= event == "line"
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)
    kept.keep(text)
    sys.settrace(None)
    os._exit(0)

for point in range(int(sys.argv[3])):
    child = os.fork()
    if not child:
        at(point)
    _, status = os.waitpid(child, 0)
    kept = Kept(own, own.parent)
    config = kept.choose(load(own, "edge", {}))
    print(point, os.waitstatus_to_exitcode(status), config.meter[0].name, flush=True)
"""


def test_killed_at_any_of_twenty_points_the_old_or_the_new_one_boots(own: Path, tmp_path: Path) -> None:
    """SIGKILL at every line that keeps a second document: the start finds the first, later the second, never none."""
    kept, _ = kept_of(own)
    kept.keep(SENT)
    (tmp_path / "newer").write_text(NEWER, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(own), str(tmp_path / "newer"), "20"],
        capture_output=True, text=True, timeout=60, check=False, cwd=Path(__file__).parents[3], env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    booted = [name for _, _, name in rows]
    killed = [code for _, code, _ in rows].count(str(-signal.SIGKILL))
    assert len(rows) == 20
    assert killed >= 10, "the points lie before and after the step that counts"
    assert set(booted) == {"sent", "newer"}
    assert booted == sorted(booted, key=["sent", "newer"].index)
