"""D11 and L8: an edge that was alone for long starts at once, drains fast, and its live readings hardly wait."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("days", "seconds"), [("0.1", "12"), pytest.param("7", "300", marks=pytest.mark.slow)])
def test_a_backlog_drains_beside_live_readings(days: str, seconds: str) -> None:
    """Start within 5 s, at least 20 times the live rate, live readings under 30 s old, memory within 20 MB."""
    command = [sys.executable, "-m", "benchmarks.backlog", days, seconds]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok ") == 8
