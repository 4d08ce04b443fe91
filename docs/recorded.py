# ruff: noqa: INP001  a tool of the documentation, not a package
"""Writes what the demo of an installer's first hour says into docs/how-to/first-hour.md: `./run docs --record`."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parent / "how-to" / "first-hour.md"
BLOCK = re.compile(r"(```console\n).*?(```)", re.DOTALL)


def record() -> None:
    """Play the story, and put its words into the page; raises CalledProcessError when it did not go well."""
    command = [sys.executable, "-m", "gateway.cli", "demo", "--scenario", "installer", "--listen", "127.0.0.1:0"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    text = "\n".join(line.rstrip() for line in said.splitlines())
    page = BLOCK.sub(lambda found: f"{found[1]}{text}\n{found[2]}", PAGE.read_text(encoding="utf-8"), count=1)
    PAGE.write_text(page, encoding="utf-8")
