"""Tests of gateway/identity/dialling.py and pairs.py: which certificate is shown, and when one is taken over (F5)."""

import asyncio
import contextlib
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from gateway.identity.dialling import LOOK_EVERY, TIME_WITHIN, Dialler
from gateway.identity.folder import Folder
from gateway.identity.pairs import AGAIN_AFTER, TRIES
from gateway.mqtt_tls import Distrust
from gateway.transport import Endpoint, Lost, NotTaken
from tests.support.identities import Town, endpoint
from tests.support.virtual_time import run_virtually

URL = "mqtts://broker.example:8883"


class Open:
    """A connection that notes its end."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def close(self) -> None:
        """End it."""
        self.ended.set()


@dataclass
class Gate:
    """A broker that refuses some certificates, by their bytes; `shown` lists what it saw."""

    error: Exception = field(default_factory=lambda: Distrust("refused", cause="own_refused"))
    refuses: set[bytes] = field(default_factory=set)
    shown: list[bytes] = field(default_factory=list)

    async def __call__(self, endpoint: Endpoint, timeout: float = 10.0) -> Any:
        """Let in whoever shows nothing that is refused."""
        assert timeout == 10.0
        shown = endpoint.cert_file.read_bytes() if endpoint.cert_file else b""
        self.shown.append(shown)
        if shown in self.refuses:
            raise self.error
        return Open()


@dataclass
class Box:
    """A gateway in a folder: the files it shows, and the broker it dials."""

    folder: Folder
    gate: Gate
    dialler: Dialler
    endpoint: Endpoint

    async def dial(self, times: int = 1) -> Any:
        """Dial so many times; gives the last connection, or None."""
        connection = None
        for _ in range(times):
            with contextlib.suppress(Lost, NotTaken):
                connection = await self.dialler(self.endpoint)
        return connection

    def put(self, other: Folder) -> bytes:
        """Put another pair in the place of this one, and give it."""
        data = other.pair.read_bytes()
        new = self.folder.path / "arriving"
        new.write_bytes(data)
        new.replace(self.folder.pair)
        return data


@pytest.fixture(scope="module")
def pairs(town: Town) -> tuple[Folder, Folder]:
    """Give two enrolled gateways: an old pair and a new one."""
    return town.client("home/gw-old"), town.client("home/gw-new")


@pytest.fixture
def box(pairs: tuple[Folder, Folder], tmp_path: Path) -> Box:
    """Give a gateway with the old pair."""
    folder, gate = Folder(tmp_path / "identity"), Gate()
    shutil.copytree(pairs[0].path, folder.path)
    dialler = Dialler(gate, tmp_path / "identity" / "last", lambda: True)
    return Box(folder, gate, dialler, endpoint(URL, folder))


def test_new_files_are_taken_over_within_a_minute(box: Box, pairs: tuple[Folder, Folder]) -> None:
    """The connection is closed, and the next one shows the new pair."""

    async def story() -> tuple[float, bytes]:
        watching = asyncio.create_task(box.dialler.watch())
        connection = await box.dial()
        await asyncio.sleep(100)
        assert not connection.ended.is_set()
        box.put(pairs[1])
        loop = asyncio.get_running_loop()
        began = loop.time()
        await connection.ended.wait()
        took = loop.time() - began
        await box.dial()
        watching.cancel()
        return took, box.gate.shown[-1]

    took, shown = run_virtually(story())
    assert took <= 60
    assert shown == pairs[1].pair.read_bytes()


@pytest.mark.parametrize("broken", ["half", "gone", "empty", "other key"])
def test_files_that_do_not_fit_change_nothing(box: Box, pairs: tuple[Folder, Folder], broken: str) -> None:
    """A certificate written by halves keeps the connection, and the next dial shows the last good pair."""

    async def story() -> Any:
        watching = asyncio.create_task(box.dialler.watch())
        connection = await box.dial()
        old = box.gate.shown[-1]
        data = pairs[1].pair.read_bytes()
        certificate, _, key = data.partition(b"-----BEGIN PRIVATE KEY")
        other = old.partition(b"-----BEGIN PRIVATE KEY")[2]
        halves = {"half": certificate[:300], "empty": b"", "other key": certificate + b"-----BEGIN PRIVATE KEY" + other}
        if broken == "gone":
            box.folder.pair.unlink()
        else:
            box.folder.pair.write_bytes(halves[broken])
        await asyncio.sleep(300)
        assert box.dialler._pairs is not None
        assert not box.dialler._pairs.changed()
        assert not connection.ended.is_set()
        assert await box.dial() is not None
        assert box.gate.shown[-1] == old
        assert "does not fit" in box.dialler.fault
        box.folder.pair.write_bytes(certificate + b"-----BEGIN PRIVATE KEY" + key)
        await box.dial()
        watching.cancel()
        return box.gate.shown[-1], box.dialler.fault

    assert run_virtually(story()) == (pairs[1].pair.read_bytes(), "")


def test_back_to_the_old_pair_after_three_failures(box: Box, pairs: tuple[Folder, Folder]) -> None:
    """The fourth dial shows the old one, which stays; a file mended later is tried at once."""

    async def story() -> None:
        await box.dial()
        old, new = box.gate.shown[-1], box.put(pairs[1])
        box.gate.refuses.add(new)
        assert await box.dial(TRIES) is None
        assert await box.dial() is not None
        assert box.gate.shown[1:] == [new] * TRIES + [old]
        assert "failed 3 times" in box.dialler.fault
        await box.dial(5)
        assert box.gate.shown[-5:] == [old] * 5
        box.gate.refuses.clear()
        box.folder.pair.write_bytes(new)
        await box.dial()
        assert (box.gate.shown[-1], box.dialler.fault) == (new, "")

    run_virtually(story())


def test_the_old_pair_outlives_a_restart(box: Box, pairs: tuple[Folder, Folder]) -> None:
    """A power cut after a bad renewal does not shut the gateway out."""

    async def story() -> None:
        await box.dial()
        old, new = box.gate.shown[-1], box.put(pairs[1])
        box.gate.refuses.add(new)
        restarted = Box(box.folder, box.gate, Dialler(box.gate, box.folder.path / "last", lambda: True), box.endpoint)
        assert await restarted.dial(TRIES + 1) is not None
        assert box.gate.shown[-1] == old

    run_virtually(story())


def test_newer_files_come_again_after_a_day(box: Box, pairs: tuple[Folder, Folder]) -> None:
    """The broker may have been mended meanwhile; and if the old pair fails too, the new one has its turn at once."""

    async def story() -> None:
        await box.dial()
        old, new = box.gate.shown[-1], box.put(pairs[1])
        box.gate.refuses.add(new)
        await box.dial(TRIES + 1)
        await asyncio.sleep(AGAIN_AFTER + 1)
        box.gate.refuses = {old}
        assert await box.dial() is not None
        box.gate.refuses = {old, new}
        await box.dial(2 * TRIES + 1)
        box.gate.refuses = set()

    run_virtually(story())
    assert box.gate.shown.count(pairs[1].pair.read_bytes()) >= 2


@pytest.mark.parametrize(
    "error",
    [
        Lost("no network"),
        Distrust("expired", cause="expired"),
        Distrust("name", cause="wrong_name"),
        NotTaken("busy", code=0x89),
    ],
)
def test_what_is_no_fault_of_ours_changes_nothing(box: Box, pairs: tuple[Folder, Folder], error: Exception) -> None:
    """A broker that is away, busy or wrong itself is no reason to go back."""

    async def story() -> None:
        await box.dial()
        new = box.put(pairs[1])
        box.gate.error = error
        box.gate.refuses.add(new)
        await box.dial(10)
        assert box.gate.shown[1:] == [new] * 10
        assert box.dialler.fault == ""

    run_virtually(story())


@pytest.mark.parametrize("error", [Distrust("ca", cause="unknown_authority"), NotTaken("no", code=0x87)])
def test_a_wrong_authority_is_a_fault_of_ours(box: Box, pairs: tuple[Folder, Folder], error: Exception) -> None:
    """So is a name that the broker does not let in."""

    async def story() -> None:
        await box.dial()
        box.gate.error = error
        box.gate.refuses.add(box.put(pairs[1]))
        assert await box.dial(TRIES + 1) is not None

    run_virtually(story())


def test_the_copy_is_for_its_owner_and_written_once(box: Box) -> None:
    """Mode 0600, and no write at each reconnect: flash wears."""

    async def story() -> tuple[int, int]:
        await box.dial()
        copy = box.folder.path / "last" / "pair.pem"
        before = copy.stat()
        await box.dial(20)
        assert copy.stat().st_mtime_ns == before.st_mtime_ns
        return copy.stat().st_mode & 0o777, copy.parent.stat().st_mode & 0o777

    assert run_virtually(story()) == (0o600, 0o700)


def test_a_key_from_a_credential_is_never_copied(box: Box, pairs: tuple[Folder, Folder]) -> None:
    """Without a folder to keep it in there is no copy, and newer files are all there is."""

    async def story() -> None:
        box.dialler = Dialler(box.gate, None, lambda: True)
        await box.dial()
        box.gate.refuses.add(box.put(pairs[1]))
        assert await box.dial(TRIES + 2) is None

    run_virtually(story())
    assert not (box.folder.path / "last").exists()


def test_a_gateway_without_certificate_says_so(box: Box) -> None:
    """Before it is enrolled it dials nobody."""

    async def story() -> None:
        box.folder.pair.unlink()
        with pytest.raises(Lost, match="no certificate yet"):
            await box.dialler(box.endpoint)

    run_virtually(story())
    assert box.gate.shown == []


@pytest.mark.parametrize(("known", "dialled"), [(0, 0), (30, 30), (200, 203), (10_000, TIME_WITHIN)])
def test_dialling_waits_for_the_time(known: float, dialled: float) -> None:
    """No certificate is judged by a clock at 1970; a site that never learns the time dials after five minutes (T11)."""
    dialled_at: list[float] = []

    async def gate(endpoint: Endpoint, timeout: float = 10.0) -> Any:
        assert endpoint.url == URL
        assert timeout == 10.0
        dialled_at.append(asyncio.get_running_loop().time())
        return Open()

    async def story() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        dialler = Dialler(gate, None, lambda: loop.time() - began >= known)
        while not dialled_at:
            with contextlib.suppress(Lost):
                await dialler(Endpoint(URL, "gw"))
            await asyncio.sleep(1)
        return dialled_at[0] - began

    assert min(known, TIME_WITHIN) <= run_virtually(story()) <= dialled + 6


def test_without_tls_nothing_waits() -> None:
    """A broker in the house needs neither time nor certificate."""

    async def story() -> None:
        gate = Gate()
        await Dialler(gate, None, lambda: False)(Endpoint("mqtt://127.0.0.1:1883", "gw"))
        assert gate.shown == [b""]

    run_virtually(story())


def test_waiting_says_why() -> None:
    """Status names the clock while it waits, not the broker."""

    async def story() -> None:
        with pytest.raises(Lost, match="time is not known"):
            await Dialler(Gate(), None, lambda: False)(Endpoint(URL, "gw"))

    run_virtually(story())


def test_separate_files_are_watched_too(box: Box, pairs: tuple[Folder, Folder], tmp_path: Path) -> None:
    """A utility's own automation replaces certificate and key one after the other; between them nothing happens."""
    certificate, key = tmp_path / "own.pem", tmp_path / "own.key"
    own = replace(box.endpoint, cert_file=certificate, key_file=key)

    def put(part: Folder, *paths: Path) -> None:
        for path in paths:
            path.write_bytes(part.pair.read_bytes())

    async def story() -> None:
        put(pairs[0], certificate, key)
        watching = asyncio.create_task(box.dialler.watch())
        connection: Any = await box.dialler(own)
        put(pairs[1], certificate)
        await asyncio.sleep(3 * LOOK_EVERY)
        assert box.dialler._pairs is not None
        assert not box.dialler._pairs.changed()
        assert not connection.ended.is_set()
        put(pairs[1], key)
        assert box.dialler._pairs.changed()
        await connection.ended.wait()
        watching.cancel()

    run_virtually(story())
