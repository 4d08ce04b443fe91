"""After a reset nothing of anybody is left: not in a file, not on the raw disk; and nothing of others is touched."""

import argparse
import asyncio
import fcntl
import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway import control
from gateway.config.load import load
from gateway.journal.mirror import tag_of
from gateway.reset import asked, erase
from gateway.reset.command import run
from gateway.reset.places import SYSTEM, places
from tests.conftest import skip_or_fail

MARK = b"C4NARYof-Zaynab"
HOUSE = """
[journal]
folder = "state:journal"
[store]
path = "state:readings.sqlite"
[hub]
database = "state:hub.sqlite"
[mqtt]
url = "mqtt://localhost"
username = "u"
password_file = "mqtt.password"
[[channel]]
name = "C4NARYof-Zaynab"
kind = "webhook"
url = "https://example.org"
secret_file = "../others/secret"
"""


def marked(path: Path, times: int = 1) -> None:
    """Write a file that holds the mark."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(MARK * times)


class House:
    """A state directory and a configuration, marked all over."""

    def __init__(self, root: Path, others: bytes = MARK) -> None:
        self.root, self.state, self.by_page = root, root / "state", False
        self.file = root / "etc" / "home.toml"
        self.env = {"STATE_DIRECTORY": str(self.state), "RUNTIME_DIRECTORY": str(root / "run")}
        for name in ("journal/journal.sqlite-wal", "journal/edge.sock.old", "identity/key.pem", "sessions.json",
                     "hub-identity/last/key.pem", "journal.backup", "security.log", "settings.json"):  # fmt: skip
            marked(self.state / name)
        for name in ("home.toml.1", "mqtt.password"):
            marked(self.file.parent / name)
        marked(root / "others" / "secret")
        (root / "others" / "secret").write_bytes(others)
        (self.file.parent / "meters").mkdir()
        self.file.write_text(HOUSE, encoding="utf-8")
        with sqlite3.connect(self.state / "readings.sqlite") as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("CREATE TABLE point (v TEXT)")
            for _ in range(5):  # pages come and go, so that freed blocks of the disk hold the mark too
                database.execute("INSERT INTO point VALUES (?)", (MARK.decode() * 5000,))
                database.execute("DELETE FROM point")
                database.commit()
        database.close()
        shutil.copy(self.state / "readings.sqlite", self.state / "hub.sqlite")

    def reset(self, **options: bool) -> tuple[int, list[str]]:
        """Type the command."""
        given = argparse.Namespace(**({"yes": True, "keep_configuration": False} | options))
        said: list[str] = []
        config = load(self.file, "home", self.env)
        return run(given, config, self.file, said.append, said.append, env=self.env), said

    def boot(self) -> tuple[int, list[str]]:
        """Start as the unit does at boot, which resets if the file `asking` is there."""
        said: list[str] = []
        return asked.run(self.file.parent, said.append, said.append, env=self.env, asked=[self.asking]), said

    @property
    def asking(self) -> Path:
        """The file that asks for a reset: on the card's first partition, or left by the page among what goes."""
        if self.by_page:
            return self.state / "factory-reset"
        (self.root / "boot").mkdir(exist_ok=True)
        return self.root / "boot" / "nabd-factory-reset"

    def holding(self) -> list[str]:
        """Name all files that hold the mark."""
        files = (path for path in self.root.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.root)) for path in files if MARK in path.read_bytes())


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Give a house that somebody lived in."""
    return House(tmp_path)


def test_nothing_is_left_but_what_is_others(house: House) -> None:
    """State, secrets, the configuration and its old copies are gone and told; a secret elsewhere stays."""
    code, said = house.reset()
    assert (code, house.holding()) == (0, ["others/secret"])
    assert list(house.state.iterdir()) == []
    assert [path.name for path in house.file.parent.iterdir()] == ["meters"]
    assert any(str(house.state / "readings.sqlite") in line for line in said)
    assert any("stays there" in line for line in said)


def test_first_it_only_tells(house: House) -> None:
    """Without --yes all that would go is named and nothing is touched."""
    before = house.holding()
    code, said = house.reset(yes=False)
    assert (code, house.holding()) == (1, before)
    assert any(str(house.file) in line for line in said)


def test_the_configuration_may_stay(house: House) -> None:
    """With --keep-configuration only what was collected goes."""
    assert house.reset(keep_configuration=True)[0] == 0
    assert house.holding() == ["etc/home.toml", "etc/home.toml.1", "etc/mqtt.password", "others/secret"]


def test_a_running_program_is_left_alone(house: House) -> None:
    """While a program holds the journal nothing is erased."""
    before = house.holding()
    with (house.state / "journal" / "journal.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, said = house.reset()
    assert (code, house.holding()) == (2, before)
    assert "stop it first" in said[0]


def test_a_hub_beside_it_is_not_robbed(house: House) -> None:
    """A program of another configuration that lives in the same state directory keeps all as it is."""
    before = house.holding()

    async def status(_: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    async def serve(ready: threading.Event, done: threading.Event) -> None:
        async with control.listening(house.state / "hub.sock", {"status": status}):
            ready.set()
            while not done.is_set():
                await asyncio.sleep(0.01)

    ready, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serve(ready, done)))
    thread.start()
    try:
        assert ready.wait(10)
        code, _ = house.reset()
    finally:
        done.set()
        thread.join()
    assert (code, house.holding()) == (2, before)


@pytest.mark.parametrize("by_page", [False, True], ids=["by a file", "by the page"])
def test_a_file_asks_for_it_once(house: House, by_page: bool) -> None:
    """Nobody asked, nothing happens; asked, all goes, the asking file last."""
    house.by_page = by_page
    assert house.boot() == (0, [])
    assert len(house.holding()) > 5
    house.asking.touch()
    assert house.boot()[0] == 0
    assert house.holding() == ["others/secret"]
    assert not house.asking.exists()


def test_an_interrupted_reset_is_still_asked_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that refuses leaves the asking file where it is, and says that not everything is gone."""
    house.asking.touch()

    def refuse(path: Path) -> None:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr("gateway.reset.erase._overwrite", refuse)
    code, said = house.boot()
    assert (code, house.asking.exists()) == (2, True)
    assert "not everything is erased" in said[-1]


@pytest.mark.parametrize("by_page", [False, True], ids=["by a file", "by the page"])
def test_a_reset_cut_off_anywhere_is_done_by_the_next_boot(
    house: House, by_page: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power fails at each file in turn: as long as any is left it is asked for, and in the end all are gone."""
    house.by_page = by_page
    house.asking.touch()
    overwrite = erase._overwrite
    left = 1

    def cut(path: Path) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(5, "the power is gone", str(path))
        overwrite(path)

    monkeypatch.setattr(erase, "_overwrite", cut)
    boots = 0
    while house.asking.exists():
        left, boots = 1, boots + 1
        house.boot()
        assert house.asking.exists() or house.holding() == ["others/secret"]
    assert boots > 8


def test_a_configuration_nobody_can_read_keeps_nothing(house: House) -> None:
    """Asked at boot, the usual folders are emptied all the same, and what may be left elsewhere is said."""
    house.file.write_text("[[[", encoding="utf-8")
    house.asking.touch()
    code, said = house.boot()
    assert (code, house.holding(), house.asking.exists()) == (0, ["others/secret"], False)
    assert any("goes unread" in line for line in said)


def test_links_lead_nowhere(house: House) -> None:
    """A link in the state directory goes, what it leads to and what has another name stays whole."""
    (house.state / "link").symlink_to(house.root / "others" / "secret")
    (house.state / "folder").symlink_to(house.root / "others")
    os.link(house.root / "others" / "secret", house.state / "same")
    assert house.reset()[0] == 0
    assert (house.root / "others" / "secret").read_bytes() == MARK


def test_no_folder_of_the_system_is_emptied(house: House) -> None:
    """Whatever a configuration names, the folders that all programs share are never among what goes."""
    text = HOUSE.replace("state:journal", "/tmp").replace("state:hub.sqlite", "/hub.sqlite")
    house.file.write_text(text, encoding="utf-8")
    found = places(load(house.file, "home", house.env), house.file, house.env, configuration=True)
    assert not set(found) & set(SYSTEM)


def test_of_a_mirror_that_others_share_only_its_own_files_go(house: House) -> None:
    """Other gateways may mirror their open windows in the same folder in memory: those are not this box's to erase."""
    shared = house.root / "shm"
    house.file.write_text(HOUSE.replace("[journal]", f'[journal]\nmirror = "{shared}"'), encoding="utf-8")
    own, other = shared / f"nabd-{tag_of(house.state / 'journal')}-{7:016d}", shared / f"nabd-00c0ffee-{7:016d}"
    marked(own)
    marked(other)
    assert house.reset()[0] == 0
    assert (own.exists(), other.exists()) == (False, True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[], bytes]]:
    """Mount a small disk at tmp_path/disk; the callable unmounts it and gives its raw bytes."""
    if os.geteuid() != 0 or not shutil.which("mkfs.ext4") or not shutil.which("losetup"):
        skip_or_fail("a disk of its own needs root, mkfs.ext4 and losetup")
    image, where = tmp_path / "image", tmp_path / "disk"
    where.mkdir()
    with image.open("wb") as file:
        file.truncate(32 * 2**20)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True, timeout=60)
    if subprocess.run(["mount", "-o", "loop", str(image), str(where)], check=False, timeout=60).returncode:
        skip_or_fail("a disk cannot be mounted here")

    def raw() -> bytes:
        subprocess.run(["umount", str(where)], check=True, timeout=60)
        return image.read_bytes()

    yield raw
    subprocess.run(["umount", str(where)], check=False, timeout=60, stderr=subprocess.DEVNULL)


@pytest.mark.slow
@pytest.mark.parametrize("reset", [False, True])
def test_the_raw_disk_holds_no_mark(tmp_path: Path, disk: Callable[[], bytes], *, reset: bool) -> None:
    """The image of the whole disk is searched, freed blocks too; without a reset the mark is found in it."""
    house = House(tmp_path / "disk", b"another's")
    os.sync()
    if reset:
        code, said = house.reset()
        assert code == 0, said
        assert not any("could not be told" in line for line in said), said
    assert (MARK in disk()) is not reset
