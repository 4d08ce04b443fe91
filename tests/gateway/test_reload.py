"""A changed configuration: refused whole, or taken over whole."""

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.config import ConfigError, EdgeConfig, load
from gateway.config.errors import Problem
from gateway.program import run_until_signal
from gateway.progress import Progress
from gateway.reload import Reloader, again_when, meters_changed, needs_start
from tests.support.virtual_time import run_virtually

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
    assert answer == {"added": 0, "removed": 0, "changed": 1}
    assert applied == [new]


def test_the_same_file_changes_nothing(tmp_path: Path) -> None:
    """Loaded twice, it is equal to itself, profiles included."""
    answer, _ = taken_over(configured(tmp_path), configured(tmp_path))
    assert answer == {"added": 0, "removed": 0, "changed": 0}


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
