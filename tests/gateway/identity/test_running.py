"""Tests of gateway/identity/running.py: what a program makes, watches and says of its identity."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from gateway.config.broker import BrokerTable
from gateway.config.secret import SecretFile
from gateway.identity.folder import Folder
from gateway.identity.running import Identity
from gateway.transport import Endpoint, Lost
from tests.support.identities import Town, at, endpoint

NAME = "home/gw-1"
TABLE = BrokerTable.model_construct(url="mqtts://broker.example", cert_file=None, key_file=None)


async def dial(endpoint: Endpoint, timeout: float = 10.0) -> Any:
    """Get through to a broker that is there."""
    assert timeout
    return object() if endpoint.cert_file else None


def now() -> int:
    """Give the time."""
    return int(at(0).timestamp() * 1000)


async def run_until(identity: Identity, path: Path) -> None:
    """Run the identity until a file is there."""
    running = asyncio.create_task(identity.run())
    async with asyncio.timeout(20):
        while not path.exists() and not identity.error:
            await asyncio.sleep(0.02)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_the_first_start_asks_and_goes_on(tmp_path: Path, town: Town) -> None:
    """Key and request are made, dialling says what is missing, and the imported certificate is shown at once."""
    folder = Folder(tmp_path / "identity")
    identity = Identity(NAME, TABLE, folder.path, now, own=True)
    way = identity.dial(dial)
    assert identity.status() == {}
    await run_until(identity, folder.path / "request.pem")
    with pytest.raises(Lost, match="no certificate yet"):
        await way(endpoint(TABLE.url, folder))
    folder.take(town.sign(folder, NAME), NAME, town.ca.read_bytes(), at(0))
    await way(endpoint(TABLE.url, folder))
    assert identity.status()["days_left"] == 99
    assert (folder.path / "last/pair.pem").exists()


async def test_without_a_folder_nothing_is_made(tmp_path: Path) -> None:
    """Who configured no identity gets no key."""
    identity = Identity(NAME, TABLE, tmp_path / "identity", now, own=False)
    identity.dial(dial)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.1):
            await identity.run()
    assert not (tmp_path / "identity").exists()
    assert identity.status() == {}


async def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A full or read-only disk stops no meter: it is a fault in status and log."""
    (tmp_path / "identity").write_text("a file where the folder should be", encoding="ascii")
    identity = Identity(NAME, TABLE, tmp_path / "identity" / "own", now, own=True)
    await run_until(identity, tmp_path / "never")
    assert "Not a directory" in str(identity.status()["fault"])
    assert "Not a directory" in identity.faults()["certificate"]()


async def test_a_board_without_room_for_another_program_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch over the files goes on, and meters are read."""

    async def full(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("asyncio.create_subprocess_exec", full)
    identity = Identity(NAME, TABLE, tmp_path / "identity", now, own=True)
    identity.dial(dial)
    task = asyncio.create_task(identity.run())
    await asyncio.sleep(0)
    assert not task.done()
    assert "Cannot allocate memory" in str(identity.status()["fault"])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_credentials_key_is_copied_nowhere(tmp_path: Path, town: Town) -> None:
    """What systemd decrypted into memory does not come to lie on the card."""
    folder = town.client("home/gw-c")
    table = BrokerTable.model_construct(
        url=TABLE.url, cert_file=folder.pair, key_file=SecretFile(folder.pair, "credential:mqtt-key")
    )
    identity = Identity(NAME, table, tmp_path / "identity", now, own=False)
    await identity.dial(dial)(endpoint(TABLE.url, folder))
    assert identity.status()["days_left"] == 99
    assert not (tmp_path / "identity").exists()
