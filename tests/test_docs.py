"""The manual is executed: its TOML loads, its links lead somewhere, its commands exist, its pictures are there."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gateway.config.load import load

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"(?:`|^|/bin/)nabd ([a-z][a-z-]*)", re.MULTILINE)
RUN = re.compile(r"\./run ([a-z]+)")
OUR_FILE = re.compile(r"(?<![\w/.])(?:config|systemd|locks|gateway|drivers|simulator|tests|docs)/[\w./-]*\w")


def name_of(page: Path) -> str:
    """Name a page as a reader does."""
    return str(page.relative_to(ROOT))


def blocks(language: str) -> list[tuple[str, str]]:
    """List every block of one language with the page it stands on."""
    return [
        (name_of(page), text) for page in PAGES for kind, text in BLOCK.findall(page.read_text()) if kind == language
    ]


@pytest.fixture(scope="module")
def commands() -> set[str]:
    """Ask the command line itself what it can do."""
    said = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=30,
        check=True,
    ).stdout
    return set(re.findall(r"^ {4}([a-z][a-z-]+)", said, re.MULTILINE))


def test_the_readme_opens_as_promised() -> None:
    """One sentence, one picture, then five minutes with the demo."""
    title, sentence, picture, heading, *_ = [line for line in (ROOT / "README.md").read_text().splitlines() if line]
    assert title.startswith("# Nabd")
    assert sentence.count(". ") == 0
    assert sentence.endswith(".")
    assert picture.startswith("![")
    assert "minutes" in heading
    assert "./run demo" in (ROOT / "README.md").read_text().split("\n## ")[1]


@pytest.mark.parametrize(("page", "text"), blocks("toml"))
def test_every_toml_block_is_one(page: str, text: str, tmp_path: Path) -> None:
    """A block parses, and one that names buses loads as a home's configuration."""
    assert tomllib.loads(text), page
    if "[[bus]]" in text:
        (tmp_path / "home.toml").write_text(text)
        load(tmp_path / "home.toml", "home")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    """Links within the project name files that exist."""
    targets = [target for target in LINK.findall(page.read_text()) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_page_is_found_from_another() -> None:
    """No page is known only to whoever wrote it."""
    linked = {
        (page.parent / target.split("#")[0]).resolve() for page in PAGES for target in LINK.findall(page.read_text())
    }
    lost = [page for page in PAGES if page.parent != ROOT and not {page, page.parent} & linked]
    assert [name_of(page) for page in lost] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_named_exists(page: Path) -> None:
    """Paths of ours that a page names are there, unless they are patterns."""
    text = LINK.sub("]()", page.read_text())
    named = {path for path in OUR_FILE.findall(text) if f"{path}/*" not in text}
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_named_exists(page: Path, commands: set[str]) -> None:
    """`nabd X` and `./run X` of a page are things one can type."""
    text = page.read_text()
    assert set(COMMAND.findall(text)) <= commands
    script = (ROOT / "run").read_text()
    assert [
        word for word in RUN.findall(text) if not re.search(rf"(^|[|(]) ?{word}( \||\))", script, re.MULTILINE)
    ] == []


def test_every_command_is_in_the_readme(commands: set[str]) -> None:
    """What `nabd --help` lists, the README explains."""
    assert set(COMMAND.findall((ROOT / "README.md").read_text())) == commands


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_prose_has_one_sentence_a_line(page: Path) -> None:
    """Paragraph lines end with their sentence, so that a change shows what changed."""
    text = BLOCK.sub("", page.read_text())
    lines = [line for line in text.splitlines() if line and line[0] not in "#|-!0123456789 [<"]
    assert [line for line in lines if re.search(r"[a-z)`]\. [A-Z]", line)] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_machine(page: Path) -> None:
    """No path of somebody's machine has crept in."""
    assert re.findall(r"(?:/work|/home|/root|/Users)/\w+", page.read_text()) == []
