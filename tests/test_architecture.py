"""The plan of the house is true: the rooms it names are there, and no room is missing from it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLAN = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
IGNORED = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
"""What tools leave behind."""


def rows(heading: str) -> list[list[str]]:
    """Give the cells of the table under a line of headings."""
    lines = PLAN[PLAN.index(heading) :].splitlines()[2:]
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines[: next(n for n, line in enumerate(lines) if not line.startswith("|"))]
    ]


def folders(cell: str) -> set[str]:
    """Give the folders that a cell names, as in `support/`."""
    return set(re.findall(r"`(\w+)/`", cell))


def below(folder: Path) -> set[str]:
    """Name the folders in a folder that hold something of ours."""
    named = {path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))}
    return named - IGNORED


def test_every_folder_is_a_room_of_the_plan() -> None:
    """A newcomer finds each folder of the checkout in the table, and none that is gone."""
    assert {room for row in rows("| Folder | What it holds | May import |") for room in folders(row[0])} == below(ROOT)


def test_every_part_of_the_gateway_is_in_the_plan() -> None:
    """Each folder of gateway/ is there, and none that is gone."""
    named = {room for row in rows("| Folder | What it holds |\n") for room in folders(row[0])}
    assert named == below(ROOT / "gateway")


def test_the_modules_to_read_are_there() -> None:
    """What stands beside the folders is called as the plan says."""
    named = {name for row in rows("| To follow | Read |") for name in re.findall(r"`([a-z_*]+)`", row[1])}
    assert [name for name in sorted(named) if not list((ROOT / "gateway").glob(f"{name}.py"))] == []
