"""`nabd alerts explain | shadow | test` on a hub's own files: identical, not identical, told, sent."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from gateway import alerts_cmd
from gateway.alerts.catalogue import rules_of
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent, cloud_event
from gateway.alerts.explain import judge
from gateway.alerts.settings import UNKNOWN
from gateway.check import Checker, Limits
from gateway.cli import main
from gateway.config.alerts import AlertsTable
from gateway.config.customers import HomeConfig
from gateway.config.load import load
from gateway.hubdb import BlockRecord, HubDatabase
from gateway.message import MeterInfo
from gateway.store import open_store
from gateway.store.contract import Row
from tests.support.http_sink import HttpSink
from tests.support.mail_sink import MailSink

QUARTER_MS = 900_000
DAYS = 6
FILE = """\
[hub]
zone = "Asia/Riyadh"
language = "ar"
database = "hub.sqlite"
[mqtt]
url = "mqtts://broker.example:8883"
[store]
path = "readings.sqlite"
"""


def readings() -> Iterator[tuple[int, Decimal]]:
    """Give a water register of some days, to a tenth of a litre, that never stands still from the third on."""
    now = round(time.time() * 1000) // QUARTER_MS * QUARTER_MS
    register = Decimal("607447.1")
    for number in range(DAYS * 96):
        leaking = number >= 2 * 96
        register += Decimal("3.3") if leaking or number % 96 > 60 else 0
        yield now - (DAYS * 96 - number) * QUARTER_MS, register


def told_by_the_edge() -> list[AlertEvent]:
    """Judge the readings as the edge does."""
    calendar = AlertsTable().calendar.of("Asia/Riyadh")
    engine, checker = Engine({"gw_water": rules_of(AlertsTable(), calendar, UNKNOWN)}, calendar), Checker()
    limits = Limits()
    events = []
    for ts, register in readings():
        values = {"water_volume_l": register}
        q, intervals = checker.judge("gw_water", ts, values, (), limits)
        events += engine.tick(ts, "gw_water") + engine.hear("gw_water", ts, q, values, intervals)
    return events


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give the configuration of a hub that holds these days."""
    path = tmp_path / "hub.toml"
    path.write_text(FILE, encoding="utf-8")

    async def fill() -> None:
        config = load(path, "hub", {})
        store, database = open_store(config.store), HubDatabase(config.hub.database)
        await store.open()
        await database.open()
        info = MeterInfo(id="gw_water", name="water", commodity="water", model="x", every=900, quantities={})
        await database.enrol("home", "gw", [info])
        rows = [
            Row("home", "gw", "gw_water", ts, 1, seq, 0, {"water_volume_l": float(value)}, "water")
            for seq, (ts, value) in enumerate(readings(), 1)
        ]
        await store.write(rows)
        events = [event.encode() for event in told_by_the_edge()]
        await database.write([BlockRecord("home", "gw", 1, 1, 1, events=events)])
        await store.close()
        await database.close()

    asyncio.run(fill())
    return path


@pytest.fixture
def leak() -> AlertEvent:
    """Give the leak's last event."""
    return [event for event in told_by_the_edge() if event.rule == "water_leak"][-1]


def test_an_alert_is_computed_once_more_to_the_same_figures(
    file: Path, leak: AlertEvent, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its key: every figure of its evidence, its rule's options, and the verdict."""
    assert main(["alerts", "explain", leak.key, "-c", str(file)]) == 0
    said = capsys.readouterr().out
    assert f"water_leak at gw_water: {leak.state}, {leak.severity}" in said
    assert f"measured  {leak.value:g} l/h" in said
    assert f"lost_l           {leak.evidence['lost_l']:g}" in said
    assert "still            5400.0" in said
    assert "لا يتوقف" in said or "لم يتوقف" in said
    assert "computed again from " in said
    assert said.rstrip().endswith("identical")


def test_an_alert_by_its_id_and_from_a_file(file: Path, leak: AlertEvent, capsys: pytest.CaptureFixture[str]) -> None:
    """The id means its newest open event; a file may hold the event or the CloudEvent around it."""
    assert main(["alerts", "explain", leak.id, "-c", str(file)]) == 0
    kept = file.parent / "event.json"
    for row in (leak.to_dict(), cloud_event(leak, "home", "gw")):
        kept.write_text(json.dumps(row), encoding="utf-8")
        assert main(["alerts", "explain", str(kept), "-c", str(file)]) == 0
    assert capsys.readouterr().out.count("identical") == 3


def test_a_neighbours_meter_of_the_same_name_is_another_one(
    file: Path, leak: AlertEvent, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whose it is stands beside the event in the database and in a CloudEvent; an event alone does not say."""

    async def enrol() -> None:
        database = HubDatabase(load(file, "hub", {}).hub.database)
        await database.open()
        info = MeterInfo(id="gw_water", name="water", commodity="water", model="x", every=900, quantities={})
        await database.enrol("a-neighbour", "gw", [info])
        await database.close()

    asyncio.run(enrol())
    kept = file.parent / "event.json"
    kept.write_text(json.dumps(cloud_event(leak, "home", "gw")), encoding="utf-8")
    for what in (leak.id, str(kept)):
        assert main(["alerts", "explain", what, "-c", str(file)]) == 0
    kept.write_text(json.dumps(leak.to_dict()), encoding="utf-8")
    assert main(["alerts", "explain", str(kept), "-c", str(file)]) == 2
    assert "several customers have a meter 'gw_water'" in capsys.readouterr().err


def test_what_is_not_the_same_is_named(file: Path, leak: AlertEvent, capsys: pytest.CaptureFixture[str]) -> None:
    """A figure that differs, and a configuration under which the alert would not have been raised at all."""
    kept = file.parent / "event.json"
    wrong = replace(leak, value=99.0, evidence={**leak.evidence, "lost_l": 1})
    kept.write_text(json.dumps(wrong.to_dict()), encoding="utf-8")
    assert main(["alerts", "explain", str(kept), "-c", str(file)]) == 1
    said = capsys.readouterr().out
    assert f"value was 99.0, is {leak.value}" in said
    assert f"evidence.lost_l was 1, is {leak.evidence['lost_l']}" in said
    file.write_text(FILE + "[alerts.water_leak]\nenabled = false\n", encoding="utf-8")
    assert main(["alerts", "explain", leak.key, "-c", str(file)]) == 1
    assert capsys.readouterr().out.rstrip().endswith("not found")


def test_what_no_store_keeps_is_said(leak: AlertEvent) -> None:
    """A flag of the meter cannot be judged again from readings."""
    verdict = judge(replace(leak, rule="tamper"), [])
    assert verdict.word == "not stored"
    assert judge(replace(leak, rule="outage"), []).differences == (
        "this rule also judges flags of the meter, which no store keeps",
    )


@pytest.mark.parametrize("name", ["0000000000000000", "nonsense", "%"])
def test_an_event_nobody_knows(file: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and what would be right."""
    assert main(["alerts", "explain", name, "-c", str(file)]) == 2
    assert f"there is no event {name!r} here" in capsys.readouterr().err


def test_a_shadow_tells_what_would_have_been_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The leak is there; with another configuration it is not; what began before the days asked for is left out."""
    assert main(["alerts", "shadow", "-c", str(file), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["rule"], row["meter"]) for row in rows].count(("water_leak", "gw_water")) == 1
    assert main(["alerts", "shadow", "-c", str(file), "--days", "1"]) == 0
    assert "water_leak" not in capsys.readouterr().out
    file.write_text(FILE + "[alerts.water_leak]\nenabled = false\n", encoding="utf-8")
    assert main(["alerts", "shadow", "-c", str(file)]) == 0
    said = capsys.readouterr().out
    assert "water_leak" not in said
    assert "Nothing was sent." in said


def test_a_shadow_of_nothing_makes_no_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no store is, none is made."""
    path = tmp_path / "hub.toml"
    path.write_text(FILE, encoding="utf-8")
    assert main(["alerts", "shadow", "-c", str(path)]) == 2
    assert "nothing was stored yet" in capsys.readouterr().err
    assert [entry.name for entry in tmp_path.iterdir()] == ["hub.toml"]


async def test_a_test_alert_reaches_every_channel_and_is_marked(tmp_path: Path) -> None:
    """Mail and program get it in its own words; one that refuses is named, and the code says so."""
    said: list[str] = []
    async with HttpSink() as hook, MailSink() as mail:
        path = tmp_path / "hub.toml"
        (tmp_path / "secret").write_text("canary-secret", encoding="utf-8")
        (tmp_path / "secret").chmod(0o600)
        path.write_text(
            FILE + f'[[channel]]\nname = "program"\nkind = "webhook"\nurl = "http://127.0.0.1:{hook.port}/in"\n'
            'secret_file = "secret"\n'
            f'[[channel]]\nname = "mail"\nkind = "smtp"\nurl = "smtp+plain://127.0.0.1:{mail.port}"\n'
            'to = "me@example.org"\n',
            encoding="utf-8",
        )
        config = load(path, "hub", {})
        assert await alerts_cmd.test(config, None, said.append) == 0
        assert said == ["program: sent", "mail: sent"]
        assert mail.mails[0]["Subject"].startswith("تنبيه تجريبي")
        assert json.loads(hook.posted[0].body)["data"]["rule"] == "test_alert"
        assert await alerts_cmd.test(config, "mail", said.append) == 0
        assert (len(mail.mails), len(hook.posted)) == (2, 1)
        hook.answer = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"
        assert await alerts_cmd.test(config, "program", said.append) == 1
    assert said[-1].startswith("program: could not be sent: ")
    with pytest.raises(alerts_cmd.AlertsError, match="there is no channel 'phone'"):
        await alerts_cmd.test(config, "phone", said.append)


HOME = """\
[store]
path = "readings.sqlite"
[hub]
database = "hub.sqlite"
[[bus]]
name = "p1"
driver = "p1"
device = "/dev/ttyUSB0"
[[meter]]
name = "main"
bus = "p1"
profile = "dsmr-p1"
rating_a = 25
"""


async def test_a_house_knows_its_fuses_from_its_own_file(tmp_path: Path) -> None:
    """Without them no overload would be found once more."""
    path = tmp_path / "home.toml"
    path.write_text(HOME, encoding="utf-8")
    config = load(path, "home", {})
    assert isinstance(config, HomeConfig)
    store, database = open_store(config.store), HubDatabase(config.hub.database)
    await store.open()
    await database.open()
    info = MeterInfo(id="home_main", name="main", commodity="electricity", model="x", every=10, quantities={})
    await database.enrol("home", "home", [info])
    start = 1_795_000_000_000
    rows = [Row("home", "home", "home_main", start + n * 10_000, 1, n + 1, 0, {"current_l1_a": 27.5}) for n in range(9)]
    await store.write(rows)
    await store.close()
    await database.close()
    async with alerts_cmd.opened(config) as house:
        (past,) = await house.pasts()
        events = [event async for event in past.events(start, start + 100_000)]
    assert past.about.rating_a == 25
    assert [(event.rule, event.severity, event.value) for event in events] == [("overload", "critical", 27.5)]


async def test_an_edge_has_nothing_to_explain(tmp_path: Path) -> None:
    """It keeps no store and tells nobody."""
    path = tmp_path / "edge.toml"
    path.write_text('[gateway]\nid = "gw"\n[mqtt]\nurl = "mqtts://broker.example:8883"\n', encoding="utf-8")
    with pytest.raises(alerts_cmd.AlertsError, match="an edge keeps no store"):
        await alerts_cmd.run(load(path, "edge", {}), None, print)
