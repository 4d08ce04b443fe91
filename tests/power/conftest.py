"""Disks whose power can be cut, and writers that are busy when it is."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.power.disk import Disk, made, missing
from tests.power.evidence import Writer


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Give a mounted ext4 disk of 64 MB."""
    needs_disks()
    with made(tmp_path / "disk.img", tmp_path / "disk", 64) as ours:
        yield ours


@pytest.fixture
def writer() -> Iterator[Callable[..., Writer]]:
    """Give a callable that starts a writer; its keywords are mutations."""
    started: list[Writer] = []

    def start(**environment: str) -> Writer:
        started.append(Writer(**environment))
        return started[-1]

    yield start
    for one in started:
        one.close()


def needs_disks() -> None:
    """Skip aloud, or fail where everything must run, when this machine cannot mount disks of its own."""
    if reason := missing():
        skip_or_fail(reason)
