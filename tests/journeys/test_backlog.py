"""D11 and L8: an edge that was alone for long starts at once, drains fast, and its live readings hardly wait."""

import pytest

from benchmarks import backlog


@pytest.mark.parametrize(("days", "seconds"), [(0.1, 12), pytest.param(7, 300, marks=pytest.mark.slow)])
def test_a_backlog_drains_beside_live_readings(days: float, seconds: float) -> None:
    """Start within 5 s, at least 20 times the live rate, live readings under 30 s old, memory within 20 MB."""
    figures = backlog.drain(days, seconds)
    assert len(figures) == 7
    assert [str(figure) for figure in figures if not figure.reached] == []
