"""A hub takes over changed rules while it runs: from its file to the webhook, with a real broker in between."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway import control, hub
from gateway.config import load
from gateway.config.customers import HubConfig
from gateway.gatewatch import GateWatch
from gateway.hubdb import HubDatabase
from gateway.live import LiveMeter
from gateway.message import Info, MeterInfo
from gateway.mqtt import connect
from gateway.transport import Endpoint, Message
from gateway.welcomes import Welcomes
from tests.support.http_sink import HttpSink

MINUTE = 60_000
ONLINE, GONE = {"state": "online"}, {"state": "offline", "reason": "lwt"}


class Site:
    """A hub in this process by a clock that is set by hand, a gateway that speaks to its broker, and a webhook."""

    def __init__(self, folder: Path, url: str, webhook: HttpSink) -> None:
        self.folder, self.webhook = folder, webhook
        self.ahead = self.looks = 0
        self.heard: list[str] = []
        self.greeted: Callable[[], Sequence[LiveMeter]] = tuple
        self._url, self._file = url, folder / "hub.toml"

    def write(self, alerts: str) -> None:
        """Write the hub's file with these rules."""
        self._file.write_text(
            f'[hub]\ndatabase = "hub.sqlite"\n[mqtt]\nurl = "{self._url}"\n[store]\npath = "readings.sqlite"\n'
            f'[web]\nlisten = "127.0.0.1:0"\n[[channel]]\nname = "webhook"\nkind = "webhook"\n'
            f'url = "http://127.0.0.1:{self.webhook.port}/"\n{alerts}\n',
            encoding="utf-8",
        )

    def load(self) -> HubConfig:
        """Read the file."""
        return load(self._file, "hub", {})

    async def reload(self, alerts: str) -> dict[str, Any]:
        """Write other rules and let the hub take them over."""
        self.write(alerts)
        self.heard.clear()
        return await control.ask(self.folder / "hub.sock", {"do": "reload"}, timeout=10)

    async def say(self, status: dict[str, str]) -> None:
        """Let the gateway say something, and wait until the hub heard it."""
        self.heard.clear()
        await self.publish("status", orjson.dumps(status))
        await until(lambda: bool(self.heard))

    async def publish(self, kind: str, payload: bytes) -> None:
        """Let the gateway publish something that the broker keeps."""
        line = await connect(Endpoint(self._url, "gw-1"))
        await line.publish(Message(f"nabd/v1/home/gw-1/{kind}", payload, retain=True, qos=1))
        await line.close()

    async def pass_by(self, minutes: float) -> list[str]:
        """Let time pass until the hub has looked at it; give all events there are."""
        self.ahead += round(minutes * MINUTE)
        looks = self.looks
        await until(lambda: self.looks >= looks + 2)
        spy = HubDatabase(self.folder / "hub.sqlite")
        await spy.open()
        try:
            return [f"{row.body['rule']} {row.body['state']}" for row in await spy.events()]
        finally:
            await spy.close()

    def told(self) -> list[str]:
        """Give what the webhook heard."""
        return [orjson.loads(posted.body)["data"]["state"] for posted in self.webhook.posted]


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(15):
        while not true():
            await asyncio.sleep(0.02)


@pytest.fixture
async def site(tmp_path: Path, mosquitto: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """Give a running hub that does not watch for gateways that are gone."""
    async with HttpSink() as webhook:
        made = Site(tmp_path, mosquitto.url, webhook)
        made.write("[alerts.gateway_offline]\nenabled = false")

        class Spied(GateWatch):
            def hear(self, message: Message) -> None:
                super().hear(message)
                made.heard.append(message.topic)

            async def look(self) -> None:
                await super().look()
                made.looks += 1

        def welcomes(database: HubDatabase, meters: Callable[[], Sequence[LiveMeter]]) -> Welcomes:
            made.greeted = meters
            return Welcomes(database, meters)

        monkeypatch.setattr(hub, "GateWatch", Spied)
        monkeypatch.setattr(hub, "Welcomes", welcomes)
        monkeypatch.setattr(hub, "wall_ms", lambda: time.time_ns() // 1_000_000 + made.ahead)
        monkeypatch.setattr(hub, "EVERY", 0.05)
        running = asyncio.create_task(hub.run(made.load(), made.load))
        await until(lambda: made.looks > 0 and (tmp_path / "hub.sock").exists())
        yield made
        os.kill(os.getpid(), signal.SIGTERM)
        await running


async def test_rules_change_while_the_hub_runs_and_nothing_is_told_twice(site: Site) -> None:
    """Turned on, made stricter, made milder while an alert is open, and turned off: each by a reload, from then on.

    A file that cannot be read is refused with its reason, and the rules stay as they were.
    """
    await site.say(ONLINE)
    await site.say(GONE)
    assert await site.pass_by(20) == []

    rule = "[alerts.gateway_offline]\ndwell = {}\ncalm = {}"
    assert await site.reload(rule.format('"10m"', '"1m"')) == {"rules": 1}
    await until(lambda: bool(site.heard))
    await site.say(ONLINE)
    await site.say(GONE)
    assert await site.pass_by(6) == []

    refused = await site.reload(rule.format('"never"', '"1m"'))
    assert "dwell" in refused["error"]
    assert await site.pass_by(1) == []

    assert await site.reload(rule.format('"2m"', '"1m"')) == {"rules": 1}
    await until(lambda: bool(site.heard))
    assert await site.pass_by(3) == ["gateway_offline raised"]
    await until(lambda: site.told() == ["raised"])

    assert await site.reload(rule.format('"1h"', '"2m"')) == {"rules": 1}
    await until(lambda: bool(site.heard))
    assert await site.pass_by(90) == ["gateway_offline raised"]
    await site.say(ONLINE)
    assert await site.pass_by(1.5) == ["gateway_offline raised"]
    raised_and_over = ["gateway_offline raised", "gateway_offline cleared"]
    assert await site.pass_by(1) == raised_and_over

    await site.say(GONE)
    assert await site.pass_by(61) == [*raised_and_over, "gateway_offline raised"]
    assert await site.reload("[alerts.gateway_offline]\nenabled = false") == {"rules": 1}
    await until(lambda: bool(site.heard))
    ended = [*raised_and_over, "gateway_offline raised", "gateway_offline expired"]
    assert await site.pass_by(1) == ended
    assert await site.pass_by(600) == [*ended, "late_readings raised"]
    await until(lambda: sorted(site.told()) == ["cleared", "expired", "raised", "raised", "raised"])


async def test_a_reload_that_touches_no_rule_of_gateways_leaves_hearing_alone(site: Site) -> None:
    """Another budget takes nobody's line away; the same file changes nothing."""
    await site.say(ONLINE)
    rules = "[alerts.gateway_offline]\nenabled = false\n"
    assert await site.reload(rules + "[alerts.data_quality]\ncomplete = 0.5") == {"rules": 1}
    assert await site.reload(rules + "[alerts.data_quality]\ncomplete = 0.5") == {}
    await site.pass_by(1)
    assert site.heard == []


async def test_new_meters_are_greeted_by_what_the_file_says_now(site: Site) -> None:
    """Switched off and on again by reloads, over a meter that a gateway announced."""
    about = MeterInfo(id="gw-1_main", name="main", commodity="electricity", model="?", every=10, quantities={})
    await site.publish("info", Info(meters=[about]).model_dump_json().encode())
    await until(lambda: bool(site.greeted()))
    off = "[alerts.gateway_offline]\nenabled = false\n[alerts.welcome]\nenabled = false"
    assert await site.reload(off) == {"rules": 1}
    assert site.greeted() == ()
    assert await site.reload(off.replace("welcome", "pv_fault")) == {"rules": 2}
    assert [meter.id for meter in site.greeted()] == ["gw-1_main"]
