"""The log: one line when something stays wrong, one when it is well again, nothing else."""

import asyncio
import logging

import pytest

from gateway.teller import Teller
from tests.support.virtual_time import run_virtually


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Give what was logged."""
    return [record.getMessage() for record in caplog.records]


def test_a_fault_that_stays_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    """An hour of a missing port is one line."""
    teller = Teller({})
    for second in range(3600):
        teller.look("bus b", "no such port", float(second))
    for second in range(3600, 3700):
        teller.look("bus b", "", float(second))
    assert told(caplog) == ["bus b: no such port", "bus b: well again"]


def test_a_fault_that_passes_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    """A plug pulled over writes nothing."""
    teller = Teller({})
    for second in range(100):
        teller.look("broker", "gone" if second % 20 < 9 else "", float(second))
    assert told(caplog) == []


@pytest.mark.parametrize(("down", "up"), [(12, 12), (30, 30), (50, 61), (12, 60), (11, 70), (300, 59)])
def test_a_flapping_fault_cannot_fill_the_card(caplog: pytest.LogCaptureFixture, down: int, up: int) -> None:
    """However slowly it goes up and down, there is at most one line a minute; ups too short to trust are not told."""
    teller, lines = Teller({}), [0]
    for second in range(3600):
        teller.look("bus b", "gone" if second % (down + up) < down else "", float(second))
        lines.append(len(caplog.records))
    assert lines[-1] > 0
    assert all(later - before <= 1 for before, later in zip(lines, lines[60:], strict=False))
    if up < 60:
        assert told(caplog) == ["bus b: gone"]


def test_it_asks_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    """The task asks each thing once a second."""
    fault = {"text": "gone"}

    async def run() -> None:
        task = asyncio.create_task(Teller({"broker": lambda: fault["text"]}).run())
        await asyncio.sleep(30)
        fault["text"] = ""
        await asyncio.sleep(100)
        task.cancel()

    with caplog.at_level(logging.WARNING):
        run_virtually(run())
    assert told(caplog) == ["broker: gone", "broker: well again"]
