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


def test_a_flapping_fault_cannot_fill_the_card(caplog: pytest.LogCaptureFixture) -> None:
    """Up and down for an hour is at most two lines a minute."""
    teller = Teller({})
    for second in range(3600):
        teller.look("bus b", "gone" if second % 24 < 12 else "", float(second))
    assert 0 < len(told(caplog)) <= 120


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
