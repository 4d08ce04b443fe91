"""docs/security.md names every provision once, and what shows each of them is there."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/security.md"
ROW = re.compile(r"^\| ([56][\d.]*-\d+[AB]?) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
ROWS = ROW.findall(PAGE.read_text(encoding="utf-8"))
LAST = {"5.0": 1, "5.1": 5, "5.2": 3, "5.3": 16, "5.4": 4, "5.5": 8, "5.6": 9, "5.7": 2, "5.8": 3, "5.9": 3,
        "5.10": 1, "5.11": 4, "5.12": 3, "5.13": 1, "6": 8}  # fmt: skip
"""The number of each chapter's last provision."""


def test_every_provision_stands_there_once() -> None:
    """No provision is left out, and none is told twice."""
    named = Counter(row[0] for row in ROWS)
    wanted = {f"{chapter}-{number}" for chapter, last in LAST.items() for number in range(1, last + 1)}
    assert {re.sub("[AB]$", "", name) for name in named} == wanted
    assert max(named.values()) == 1


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_shows_a_provision_is_there(row: tuple[str, str, str, str]) -> None:
    """It is a test that exists and holds tests, or the row says that there is none."""
    shown = row[3]
    if shown in ("not yet", "not applicable"):
        return
    path = ROOT / shown.strip("`")
    assert path.is_file(), shown
    assert re.search(r"^(async )?def test_", path.read_text(encoding="utf-8"), re.MULTILINE)
