"""A hub with two customers whose meters have one id: broker, store, pages and commands keep them apart."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from gateway import control
from gateway.alerts.event import AlertEvent, alert_id, cloud_event
from gateway.message import Info, MeterInfo, Topics, encode_live
from gateway.mqtt import connect
from gateway.transport import Endpoint, Message

if TYPE_CHECKING:
    from tests.support.brokers import Mosquitto

METER = "gw_main"
NAMES = {"anna": "Annas-kitchen", "bilal": "Bilals-cellar"}
POWERS = {"anna": 1110, "bilal": 2220}
SHOWN = {"anna": "1.11", "bilal": "2.22"}


@dataclass
class Town:
    """A running hub and its files."""

    folder: Path
    broker: str

    async def command(self, *words: str) -> str:
        """Type a command, and give what it printed."""
        asked = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway.cli", *words, "-c", str(self.folder / "hub.toml"), stdout=subprocess.PIPE
        )
        said, _ = await asked.communicate()
        assert asked.returncode == 0
        return said.decode()

    async def say(self, tenant: str, raised: int) -> None:
        """Let a tenant's gateway tell of its meter, of a value, and of an alert."""
        topics = Topics(tenant, "gw")
        info = MeterInfo(id=METER, name=NAMES[tenant], commodity="electricity", model="m", every=10, quantities={})
        event = AlertEvent(
            id=alert_id("overload", METER, raised), seq=1, rule="overload", meter=METER, state="raised",
            severity="warning", raised=raised, at=raised, value=29.0, baseline=25.0, unit="A",
        )  # fmt: skip
        live = encode_live(raised, METER, 0, {"power_w": POWERS[tenant]})
        connection = await connect(Endpoint(self.broker, f"gateway-{tenant}"))
        for topic, payload in (
            (topics.of("info"), Info(meters=[info]).model_dump_json().encode()),
            (topics.of("live", METER), live),
            (topics.of("event"), orjson.dumps(cloud_event(event, tenant, "gw"))),
        ):
            await connection.publish(Message(topic, payload, retain=True, qos=1))
        await connection.close()

    async def enter(self, tenant: str = "") -> httpx.AsyncClient:
        """Give a browser that a link let in, asked for as the command asks."""
        link = (await control.ask(self.folder / "hub.sock", {"do": "link", "tenant": tenant}))["link"]
        return await self.open(link)

    async def open(self, link: str) -> httpx.AsyncClient:
        """Press a link's button."""
        browser = httpx.AsyncClient(base_url=link.partition("/enter/")[0])
        assert (await browser.post(link, headers={"origin": str(browser.base_url).rstrip("/")})).status_code == 303
        return browser


@pytest.fixture
async def town(tmp_path: Path, mosquitto: "Mosquitto") -> AsyncIterator[Town]:
    """Give a hub at a real broker."""
    lines = (
        "[hub]", f'database = "{tmp_path}/hub.sqlite"', "[mqtt]", f'url = "{mosquitto.url}"',
        "[store]", 'kind = "sqlite"', f'path = "{tmp_path}/store.sqlite"', "[web]", 'listen = "127.0.0.1:0"',
    )  # fmt: skip
    (tmp_path / "hub.toml").write_text("\n".join(lines), encoding="utf-8")
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", "hub", "-c", str(tmp_path / "hub.toml")
    )
    try:
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(control.NobodyThere):
                    if (await control.ask(tmp_path / "hub.sock", {"do": "status"})).get("pages"):
                        break
                await asyncio.sleep(0.1)
        yield Town(tmp_path, mosquitto.url)
    finally:
        program.terminate()
        await program.wait()


async def test_two_customers_with_one_meter_id(town: Town) -> None:
    """Each page and each stream shows its own home; a move shuts the former customer out and hides what was."""
    raised = int(time.time() * 1000)
    for tenant in NAMES:
        await town.say(tenant, raised)
    anna = await town.open((await town.command("web", "link", "--tenant", "anna")).strip())
    bilal, operator = await town.enter("bilal"), await town.enter()
    try:
        for tenant, browser in (("anna", anna), ("bilal", bilal)):
            other = "bilal" if tenant == "anna" else "anna"
            html = await _until(browser, "/", SHOWN[tenant])
            html += await _first_look(browser)
            html += (await browser.get(f"/alert/{alert_id('overload', METER, raised)}")).text
            assert NAMES[tenant] in html
            assert NAMES[other] not in html
            assert SHOWN[other] not in html
        assert (await operator.get("/")).headers["location"] == "/homes"
        assert SHOWN["bilal"] in (await operator.get("/?home=bilal")).text
        assert (await town.command("web", "sessions")).count("customer") == 2
        await town.command("web", "move-in", "--tenant", "anna", "--since", "2099-01-01")
        assert (await anna.get("/")).status_code == 401
        assert SHOWN["bilal"] in (await bilal.get("/")).text
        async with contextlib.aclosing(await town.enter("anna")) as newcomer:
            html = (await newcomer.get("/")).text
            assert NAMES["anna"] in html
            assert SHOWN["anna"] not in html
            assert "/alert/" not in html
    finally:
        for one in (anna, bilal, operator):
            await one.aclose()


async def _until(browser: httpx.AsyncClient, path: str, word: str) -> str:
    """Look until a word is there."""
    async with asyncio.timeout(15):
        while word not in (html := (await browser.get(path)).text):
            await asyncio.sleep(0.1)
    return html


async def _first_look(browser: httpx.AsyncClient) -> str:
    """Give the first parts of the stream of changes: summary, alerts and the meter."""
    parts: list[Any] = []
    async with asyncio.timeout(15), browser.stream("GET", "/events") as stream:
        async for line in stream.aiter_lines():
            if line.startswith('data: {"id"'):
                parts.append(json.loads(line.removeprefix("data: ")))
            if len(parts) == 3:
                break
    return "".join(part["html"] for part in parts)
