"""Disks whose power can be cut, and writers that are busy when it is."""

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.power.crash_points import Recording
from tests.power.disk import Disk, format_image, made, missing, sh, which
from tests.power.evidence import ROOT, Writer
from tests.power.recorder import records


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


@pytest.fixture
def record(tmp_path: Path, writer: Callable[..., Writer]) -> Callable[..., Recording]:
    """Give a callable that records a busy journal's disk for so many seconds; its keywords are mutations."""
    needs_disks()
    needs_fuse()

    def run(seconds: float, prepare: Callable[[Path], None] | None = None, **environment: str) -> Recording:
        base = tmp_path / "base.img"
        with base.open("wb") as file:
            file.truncate(24 * 1024 * 1024)
        format_image(base)
        with recorded(base, tmp_path) as (disk, mark):
            if prepare is not None:
                prepare(disk.path)
                os.sync()
            mirror = tmp_path / "mirror"
            mirror.mkdir(exist_ok=True)
            pid = writer(**environment).begin(disk.path / "journal", mirror, mark)
            time.sleep(seconds)
            os.kill(pid, signal.SIGKILL)
        return Recording(base, list(records(tmp_path / "log")))

    return run


@contextlib.contextmanager
def recorded(base: Path, folder: Path) -> Iterator[tuple[Disk, Path]]:
    """Mount an image through a recorder while the block runs; give the disk and the file that takes marks."""
    with fuse("tests.power.recorder", base, folder / "fuse", folder / "log", shows="mark") as offered:
        disk = Disk(offered / "disk.img", folder / "recorded")
        disk.path.mkdir()
        disk.mount()
        try:
            os.sync()
            yield disk, offered / "mark"
        finally:
            disk.go()


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[Path]:
    """Give a folder on a disk that fails on request, see faulty.py; it holds `fault`."""
    needs_fuse()
    (tmp_path / "honest").mkdir()
    with fuse("tests.power.faulty", tmp_path / "honest", tmp_path / "faulty", shows="fault") as folder:
        yield folder


@contextlib.contextmanager
def fuse(module: str, source: Path, at: Path, *more: Path, shows: str) -> Iterator[Path]:
    """Mount one of our FUSE programs while the block runs; it is up when it `shows` this file."""
    at.mkdir()
    command = [sys.executable, "-m", module, str(source), str(at), *map(str, more)]
    with subprocess.Popen(command, cwd=ROOT) as program:
        try:
            until = time.monotonic() + 60  # a whole Debian is read into memory first, and the machine may be busy
            while not (at / shows).exists():
                assert time.monotonic() < until, f"{module} did not come up"
                time.sleep(0.02)
            yield at
        finally:
            sh("fusermount3", "-u", "-z", str(at))
            # Where somebody copied our mounts meanwhile, as containers do, the last one goes with them: end it here.
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(2)
            program.terminate()
            program.wait(10)


def needs_fuse() -> None:
    """Skip aloud, or fail where everything must run, without FUSE."""
    if importlib.util.find_spec("mfusepy") is None or which("fusermount3") is None or not Path("/dev/fuse").exists():
        skip_or_fail("needs FUSE: the packages fuse3 and mfusepy, and /dev/fuse")


def needs_disks() -> None:
    """Skip aloud, or fail where everything must run, when this machine cannot mount disks of its own."""
    if reason := missing():
        skip_or_fail(reason)
