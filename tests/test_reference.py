"""The generated reference is what its generator makes, and the tests it names exist."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reference/modbus.md"


def generate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the generator."""
    return subprocess.run(
        [sys.executable, str(ROOT / "docs/generate.py"), *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_page_is_what_the_generator_makes() -> None:
    """A profile that changed without `./run docs` is seen."""
    done = generate("--check")
    assert done.returncode == 0, done.stderr


def test_every_modbus_profile_is_on_the_page() -> None:
    """No meter is missing from the list."""
    from drivers.profiles import available, load_file

    listed = set(re.findall(r"^\| `([a-z0-9-]+)`", PAGE.read_text(), re.MULTILINE))
    assert listed == {name for name, path in available().items() if load_file(path).driver == "modbus"}


def test_every_fault_is_proven_by_a_test_that_exists() -> None:
    """The eleven cases and the pause each name a test of the serial line."""
    text = PAGE.read_text()
    named = re.findall(r"`(test_\w+)`", text)
    (path,) = set(re.findall(r"`(tests/[\w/]+\.py)`", text))
    there = set(re.findall(r"^(?:async )?def (test_\w+)", (ROOT / path).read_text(), re.MULTILINE))
    assert len(named) == 12
    assert set(named) <= there
