"""New meters are greeted at the hub, once each; those of old never."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.hubdb import HubDatabase
from gateway.live import LiveMeter
from gateway.message import MeterInfo
from gateway.store.contract import TryAgain
from gateway.welcomes import Welcomes

START = 1_795_219_200_000
MINUTE = 60_000


class Bench:
    """A hub database with meters whose registers grow by ten Wh a minute."""

    def __init__(self, database: HubDatabase) -> None:
        self.database, self.now = database, START
        self.meters: dict[str, LiveMeter] = {}
        self.told: list[str] = []

    async def start(self) -> None:
        """Start, or start again as another program would."""
        self.welcomes = Welcomes(self.database, lambda: list(self.meters.values()))
        self.welcomes.listeners.append(lambda _, event: self.told.append(f"{event.meter} {event.state} {event.value}"))
        await self.welcomes.open()

    async def enrol(self, *meters: str) -> None:
        """Announce a gateway's meters."""
        infos = [
            MeterInfo(id=name, name=name, commodity="electricity", model="?", every=60, quantities={})
            for name in meters
        ]
        await self.database.enrol("home", "gw-1", infos)
        self.meters = {
            name: LiveMeter(name, name, "electricity", "?", 60.0, tenant="home") for name in (*meters, "stranger")
        }

    async def pass_by(self, minutes: int) -> list[str]:
        """Let time pass; give what was told."""
        for _ in range(minutes):
            self.now += MINUTE
            for meter in self.meters.values():
                meter.ts, meter.values = self.now, {"energy_import_wh": str(self.now // MINUTE * 10), "state": "on"}
            await self.welcomes.look()
        told, self.told = self.told, []
        return told


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Give a hub with nobody to greet yet."""
    database = HubDatabase(tmp_path / "hub.sqlite")
    await database.open()
    yield Bench(database)
    await database.close()


async def test_a_new_meter_is_greeted_once(bench: Bench) -> None:
    """After an hour, however often the hub starts, and also when the meter leaves and comes again."""
    await bench.start()
    await bench.enrol("main")
    assert await bench.pass_by(40) == []
    await bench.start()
    assert await bench.pass_by(21) == ["main raised 600.0"]
    await bench.start()
    assert await bench.pass_by(60 * 24 + 5) == ["main cleared 600.0"]
    await bench.enrol()
    await bench.enrol("main")
    await bench.start()
    assert await bench.pass_by(200) == []
    rows = await bench.database.events()
    assert [(row.gw, row.body["rule"], row.body["seq"]) for row in rows] == [
        ("gw-1", "welcome", 1),
        ("gw-1", "welcome", 2),
    ]


async def test_a_house_greets_its_own(bench: Bench) -> None:
    """Its live meters name no tenant."""
    await bench.start()
    await bench.enrol("main")
    bench.meters["main"].tenant = ""
    assert await bench.pass_by(70) == []
    bench.welcomes = Welcomes(bench.database, lambda: list(bench.meters.values()), "home")
    bench.welcomes.listeners.append(lambda tenant, event: bench.told.append(f"{tenant} {event.meter} {event.state}"))
    await bench.welcomes.open()
    assert await bench.pass_by(61) == ["home main raised"]


async def test_meters_of_old_are_not_greeted(bench: Bench) -> None:
    """Those that were there before this part first started."""
    await bench.enrol("main")
    await bench.start()
    assert await bench.pass_by(100) == []
    await bench.enrol("main", "garage")
    assert await bench.pass_by(61) == ["garage raised 600.0"]


async def test_a_disk_that_refuses_delays_the_greeting(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told before it is written."""
    await bench.start()
    await bench.enrol("main")
    await bench.pass_by(30)
    write = bench.database.file.write

    async def refuse(_: object) -> TryAgain:
        return TryAgain("full", after=1.0)

    monkeypatch.setattr(bench.database.file, "write", refuse)
    assert await bench.pass_by(60) == []
    monkeypatch.setattr(bench.database.file, "write", write)
    assert await bench.pass_by(1) == ["main raised 900.0"]
    assert len(await bench.database.events()) == 1
