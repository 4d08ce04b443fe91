"""A changed configuration: refused whole, or taken over whole."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from gateway.check.sheet import Sheet, Track
from gateway.check.slots import Slot
from gateway.config import ConfigError, EdgeConfig, load
from gateway.config.alerts import AlertsTable, CalendarTable
from gateway.config.errors import Problem
from gateway.config.rules.meter import DataQualityTable
from gateway.hubdb import EnrolledMeter, HubDatabase
from gateway.message import MeterInfo
from gateway.program import run_until_signal
from gateway.progress import Progress
from gateway.reload import Reloader, again_when, judge_by, meters_changed, needs_start
from gateway.watch import Watch
from tests.support.virtual_time import run_virtually

DAY_MS = 86_400_000
START = 1_795_219_200_000 // DAY_MS * DAY_MS
TEXT = """[gateway]
id = "gw"
[mqtt]
url = "mqtt://127.0.0.1:1"
[alerts.meter_offline]
enabled = true
[[bus]]
name = "line"
driver = "modbus"
device = "/dev/ttyUSB0"
[[meter]]
name = "a"
bus = "line"
profile = "eastron-sdm120"
address = 1
"""


BAD = Problem(Path("edge.toml"), 3, "meter", "meter number 1", "no such thing", "mend it")


def configured(folder: Path, *changes: tuple[str, str]) -> EdgeConfig:
    """Load the configuration with some words changed."""
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "edge.toml").write_text(text, encoding="utf-8")
    return load(folder / "edge.toml", "edge", {})


def taken_over(old: EdgeConfig, new: EdgeConfig | ConfigError | None) -> tuple[dict[str, Any], list[EdgeConfig]]:
    """Reload and give the answer, and what was applied."""
    applied = []

    def reread() -> EdgeConfig:
        if isinstance(new, ConfigError):
            raise new
        assert new is not None
        return new

    async def apply(config: EdgeConfig) -> Mapping[str, Any]:
        applied.append(config)
        return meters_changed(old, config)

    return asyncio.run(Reloader(old, reread if new else None, apply).run()), applied


def test_meters_buses_and_rules_are_taken_over(tmp_path: Path) -> None:
    """The answer counts what changed."""
    old = configured(tmp_path)
    new = configured(tmp_path, ("enabled = true", "enabled = false"), ("address = 1", "address = 2"))
    answer, applied = taken_over(old, new)
    assert answer == {"added": 0, "removed": 0, "changed": 1, "rules": 1}
    assert applied == [new]


def test_the_same_file_changes_nothing(tmp_path: Path) -> None:
    """Loaded twice, it is equal to itself, profiles included."""
    answer, _ = taken_over(configured(tmp_path), configured(tmp_path))
    assert answer == {"added": 0, "removed": 0, "changed": 0}


class Rules:
    """A hub's rules of days in a database of its own, and what prices their alerts."""

    def __init__(self, database: HubDatabase, alerts: AlertsTable) -> None:
        self.told: list[str] = []
        self.telling = AsyncMock()
        self.watch = Watch(database.file, alerts, alerts.calendar.of("UTC"))
        self.watch.listeners.append(lambda _, event: self.told.append(event.state))
        self.outlooks = self.watch.outlooks(Mock(), lambda _: None)

    async def hear(self, *days: int) -> list[str]:
        """Hear days of which every second slot was measured; give what was told."""
        info = MeterInfo(id="m", name="m", commodity="electricity", model="?", every=900, quantities={})
        for day in days:
            edges = range(START + day * DAY_MS, START + (day + 1) * DAY_MS + 1, 900_000)
            slots = tuple(
                Slot(a, b, 25.0, "actual") if n % 2 else Slot(a, b, None, "unknown")
                for n, (a, b) in enumerate(pairwise(edges))
            )
            sheet = Sheet("m", edges[0], edges[-1], {"energy_import_wh": Track(slots)}, {"energy_import_wh": None})
            assert await self.watch.hear("home", EnrolledMeter("m", "gw-1", "electricity", info), sheet) is None
        told, self.told[:] = list(self.told), []
        return told

    async def judge_by(self, alerts: AlertsTable) -> None:
        """Take other options over."""
        await judge_by(alerts, "UTC", self.watch, self.outlooks, self.telling)


def quality(complete: float, *, enabled: bool = True) -> AlertsTable:
    """Make rules that want so much of a day to be measured."""
    return AlertsTable(data_quality=DataQualityTable(complete=complete, cooldown="0s", enabled=enabled))  # type: ignore[arg-type]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[HubDatabase]:
    """Give a hub database."""
    made = HubDatabase(tmp_path / "hub.sqlite")
    await made.open()
    yield made
    await made.close()


async def test_days_are_judged_by_the_rules_there_are_when_they_are_heard(database: HubDatabase) -> None:
    """An open alert stays open, is told once, and ends by its rule; days heard before say nothing new."""
    rules = Rules(database, quality(0.4))
    assert await rules.hear(0, 1) == []
    await rules.judge_by(quality(0.9))
    assert await rules.hear(0, 1) == []
    assert await rules.hear(2) == ["raised"]
    await rules.judge_by(quality(0.8))
    assert await rules.hear(2, 3, 4) == []
    await rules.judge_by(quality(0.4))
    assert await rules.hear(5) == ["cleared"]
    assert rules.telling.renew.await_count == 0


async def test_an_alert_of_a_rule_that_was_switched_off_ends_with_the_next_day(database: HubDatabase) -> None:
    """It is told once; switched on again, the rule begins anew."""
    rules = Rules(database, quality(0.9))
    assert await rules.hear(0, 1) == ["raised"]
    await rules.judge_by(quality(0.9, enabled=False))
    assert await rules.hear(1, 2, 3) == ["expired"]
    await rules.judge_by(quality(0.9))
    assert await rules.hear(3, 4, 5) == ["raised"]


async def test_another_calendar_reaches_whoever_prices(database: HubDatabase) -> None:
    """Rules, pages and messages reckon by the same days of rest; the notifier begins anew for that alone."""
    rules = Rules(database, AlertsTable())
    friday = AlertsTable(calendar=CalendarTable(weekend=("fri",)))
    await rules.judge_by(friday)
    await rules.judge_by(friday)
    assert rules.watch.calendar.weekend == rules.outlooks.calendar.weekend == frozenset({4})
    assert rules.telling.costs.calendar.weekend == frozenset({4})
    assert rules.telling.renew.await_count == 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (('id = "gw"', 'id = "other"'), "[gateway] id"),
        (("mqtt://127.0.0.1:1", "mqtt://127.0.0.1:2"), "[mqtt] url"),
        (("[mqtt]", '[journal]\nfolder = "elsewhere"\n[mqtt]'), "[journal] folder"),
        (("[mqtt]", '[clock]\ntrust = "system"\n[mqtt]'), "[clock] trust"),
    ],
)
def test_what_wants_a_new_start_is_named_and_nothing_applied(
    tmp_path: Path, change: tuple[str, str], named: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not half of it either: the changed meter beside it waits for the new start too."""
    old, new = configured(tmp_path), configured(tmp_path, change, ("address = 1", "address = 2"))
    answer, applied = taken_over(old, new)
    assert needs_start(old, new) == [named]
    assert named in answer["error"]
    assert applied == []
    assert named in caplog.text


def test_a_bad_file_is_refused_with_its_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What is wrong is in the answer and in the log, and nothing was touched."""
    answer, applied = taken_over(configured(tmp_path), ConfigError(BAD))
    assert "no such thing" in answer["error"]
    assert "no such thing" in caplog.text
    assert applied == []


def test_a_program_without_a_file_says_so(tmp_path: Path) -> None:
    """And goes on."""
    answer, _ = taken_over(configured(tmp_path), None)
    assert "start it anew" in answer["error"]


async def test_sighup_reloads_and_sigterm_ends() -> None:
    """Each SIGHUP is one reload; the program lives on, and leaves at SIGTERM."""
    reloads = asyncio.Semaphore(0)

    async def reload() -> None:
        reloads.release()

    async def start(_: asyncio.TaskGroup) -> None:
        pass

    progress = Progress(asyncio.get_running_loop().time)
    task = asyncio.create_task(run_until_signal(start, progress=progress, reload=reload))
    await asyncio.sleep(0)
    for _ in range(3):
        os.kill(os.getpid(), signal.SIGHUP)
        async with asyncio.timeout(5):
            await reloads.acquire()
    assert not task.done()
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(5):
        await task


def test_what_runs_again_begins_anew_and_its_end_is_seen() -> None:
    """Set the event and it begins again; cancel it and nothing is left; its failure is ours."""
    begun = []

    async def story() -> None:
        changed = asyncio.Event()

        async def forever() -> None:
            begun.append(1)
            await asyncio.sleep(1e9)

        task = asyncio.create_task(again_when(changed, forever))
        await asyncio.sleep(1)
        changed.set()
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert len(asyncio.all_tasks()) == 1

        async def fails() -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await again_when(changed, fails)

    run_virtually(story())
    assert len(begun) == 2
