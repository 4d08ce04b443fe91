"""The command line as it starts: from a checkout by two names, and without waiting for what no command needs."""

import subprocess
import sys

import pytest


def said(*arguments: str) -> str:
    """Run Python, and give what it prints."""
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=30, check=True)
    return done.stdout


@pytest.mark.parametrize("module", ["gateway", "gateway.cli"])
def test_it_runs_where_it_is_not_installed(module: str) -> None:
    """A checkout has no `nabd` on the path."""
    assert said("-m", module, "--version").startswith("nabd ")


def test_help_waits_for_nothing_that_a_command_needs() -> None:
    """Every command is described without one part of any: pydantic alone would take longer than all of it."""
    loaded = said(
        "-c", "import sys; from gateway.cli import parser_of_all; parser_of_all(); print(*sys.modules)"
    ).split()
    ours = {name.split(".")[1] for name in loaded if name.startswith("gateway.")}
    assert "pydantic" not in loaded
    assert not ours & {"config", "journal", "message", "notify", "station", "store", "web"}
