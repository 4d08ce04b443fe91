"""Dead letters are listed, and taken in once their cause is mended."""

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from gateway import cli
from gateway.dead_letters_cmd import list_all, redrive
from gateway.hubdb import DeadLetter, HubDatabase
from gateway.message import MeterInfo, correlation, encode_block, encode_reading
from gateway.store.contract import Row, Stored, TryAgain, Verdict
from gateway.store.sqlite import SQLiteStore

STREAM = "9f2c3a41b07d"
T0 = 1_700_000_000_000


def block(number: int, meter: str = "m-1", gw: str = "gw-1") -> bytes:
    """Make a block of one reading."""
    row = encode_reading(number, {"ts": T0 + number}, meter, 0, {"power_w": 1.0})
    return encode_block(gw, STREAM, number, T0, "synced", readings=[row])


def letter(reason: str, payload: bytes, number: int, topic: str = "nabd/v1/t/gw-1/data") -> DeadLetter:
    """Make a dead letter."""
    return DeadLetter(reason, topic, correlation(STREAM, number), payload, T0 + number)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[HubDatabase]:
    """Give an open hub database, at which m-1 belongs to another gateway."""
    opened = HubDatabase(tmp_path / "hub.sqlite")
    await opened.open()
    meter = MeterInfo(id="m-1", name="", commodity="electricity", model="x", every=10, quantities={})
    await opened.enrol("t", "old", [meter])
    yield opened
    await opened.close()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    """Give an open store."""
    opened = SQLiteStore(tmp_path / "readings.sqlite")
    await opened.open()
    yield opened
    await opened.close()


async def test_what_can_be_used_by_now_is_taken_in(database: HubDatabase, store: SQLiteStore) -> None:
    """A meter that moved: its blocks stay until the old gateway lets go of it, then they are stored and forgotten."""
    await database.write([], [letter("meter_conflict", block(1), 1), letter("undecodable", b"rubbish", 2)])
    said: list[str] = []
    assert await redrive(database, store, said.append) == 1
    assert await store.count() == 0
    assert said == ["0 dead letters taken in", "1 stay: meter_conflict", "1 stay: undecodable"]
    await database.enrol("t", "old", [])
    said.clear()
    assert await redrive(database, store, said.append) == 1
    assert said == ["1 dead letters taken in", "1 stay: undecodable"]
    assert [row.seq for row in await store.query("t", "m-1", 0, T0 * 2)] == [1]
    assert [left.reason for left in await database.dead_letters()] == ["undecodable"]
    assert await database.missing("t", int(STREAM, 16)) == []


async def test_a_birth_is_enrolled(database: HubDatabase, store: SQLiteStore) -> None:
    """A newer hub that understands an old birth document enrols its meters."""
    info = json.dumps({
        "v": 1,
        "meters": [{"id": "m-9", "name": "", "commodity": "water", "model": "x", "every": 10, "quantities": {}}],
    }).encode()  # fmt: skip
    await database.write([], [letter("undecodable", info, 1, "nabd/v1/t/gw-9/info")])
    assert await redrive(database, store, lambda _: None) == 0
    assert database.owner("t", "m-9") == "gw-9"
    assert await database.dead_letters() == []


class Slow(SQLiteStore):
    """A store that is durable later, or away."""

    away = False

    async def write(self, rows: Sequence[Row]) -> Verdict:
        """Take rows for later, or not at all."""
        return TryAgain("the store is away") if self.away else Stored(30.0 if rows else 0.0)


async def test_a_letter_stays_until_its_readings_are_durable(database: HubDatabase, tmp_path: Path) -> None:
    """The wait comes before anything is forgotten; a store that is away forgets nothing."""
    await database.enrol("t", "old", [])
    await database.write([], [letter("meter_conflict", block(1), 1)])
    store, waits = Slow(tmp_path / "x.db"), []

    async def sleep(seconds: float) -> None:
        waits.append((seconds, len(await database.dead_letters())))

    store.away = True
    assert await redrive(database, store, lambda _: None, sleep=sleep) == 1
    assert len(await database.dead_letters()) == 1
    store.away = False
    assert await redrive(database, store, lambda _: None, sleep=sleep) == 0
    assert waits == [(30.0, 1)]
    assert await database.dead_letters() == []


async def test_the_list_is_for_people_and_programs(database: HubDatabase) -> None:
    """A hostile topic cannot steer the terminal; JSON has the whole payload."""
    await database.write([], [letter("bad_topic", b"\x00\xff", 7, "nabd/\x1b[2J")])
    said: list[str] = []
    assert await list_all(database, said.append, as_json=False) == 0
    assert "\x1b" not in "".join(said)
    assert "bad_topic" in said[0]
    assert said[-1] == "1 dead letters"
    said.clear()
    await list_all(database, said.append, as_json=True)
    assert json.loads(said[0])[0]["payload"] == "00ff"


def test_the_command_finds_the_hub_of_a_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`nabd dead-letters ls -c hub.toml` opens the database named there."""
    config = tmp_path / "hub.toml"
    config.write_text('[hub]\ndatabase = "hub.sqlite"\n[mqtt]\nurl = "mqtt://b"\n[store]\npath = "r.sqlite"\n')
    assert cli.main(["dead-letters", "ls", "-c", str(config)]) == 0
    assert capsys.readouterr().out == "0 dead letters\n"
    assert cli.main(["dead-letters", "redrive", "-c", str(config)]) == 0
