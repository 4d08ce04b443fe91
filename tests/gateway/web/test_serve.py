"""The pages as a running house serves them: opened by a link, kept over a restart, told of readings, gone in time."""

import asyncio
import contextlib
import hashlib
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from gateway import control
from tests.support.counting_meters import CountingMeters


@dataclass
class House:
    """A `nabd home` that is started and ended; `folder` holds its files."""

    folder: Path
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> str:
        """Start the program and give a one-time link, asked for as people do."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway.cli", "home", "-c", str(self.folder / "home.toml"),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(control.NobodyThere):
                    if (await control.ask(self.folder / "journal" / "edge.sock", {"do": "status"})).get("pages"):
                        break
                await asyncio.sleep(0.05)
        asked = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway.cli", "web", "link", "-c", str(self.folder / "home.toml"),
            stdout=subprocess.PIPE,
        )  # fmt: skip
        said, _ = await asked.communicate()
        assert asked.returncode == 0
        return said.decode().strip()

    async def stop(self) -> str:
        """End the program and give what it printed."""
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.terminate()
        async with asyncio.timeout(10):
            said = await self.process.stdout.read()
            assert await self.process.wait() == 0
        return said.decode()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Give a house with one meter that answers."""
    meters = CountingMeters(1)
    await meters.start()
    CountingMeters.write_profile(tmp_path)
    (tmp_path / "home.toml").write_text(
        '[clock]\ntrust = "system"\n[journal]\nfolder = "journal"\nwindow = "1s"\n[store]\npath = "readings.sqlite"\n'
        '[hub]\ndatabase = "hub.sqlite"\n[web]\nlisten = "127.0.0.1:0"\n'
        f'[[bus]]\nname = "b"\ndriver = "modbus"\nurl = "tcp://127.0.0.1:{meters.ports[0]}"\n'
        '[[meter]]\nname = "m0"\nbus = "b"\nprofile = "counting"\nevery = "200ms"\n',
        encoding="utf-8",
    )
    made = House(tmp_path)
    yield made
    if made.process is not None and made.process.returncode is None:
        made.process.kill()
        await made.process.wait()
    await meters.close()


async def test_a_house_is_opened_by_a_link_and_told_of_readings(house: House) -> None:
    """Closed to strangers; by the link a page, then events that change; after a restart it is still known, and away."""
    link = await house.start()
    base, _, token = link.partition("enter/")
    async with httpx.AsyncClient(base_url=base, timeout=10) as browser:
        assert (await browser.get("/")).status_code == 401
        entered = await browser.post(f"/enter/{token}", headers={"origin": base.rstrip("/")})
        assert entered.status_code == 303
        assert "home_m0" in (await browser.get("/")).text
        seen = set()
        async with browser.stream("GET", "/events") as events:
            assert events.headers["content-type"].startswith("text/event-stream")
            async for line in events.aiter_lines():
                if "m-home_m0" in line:
                    seen.add(line)
                if len(seen) == 3:
                    break
        assert "Nobody is told yet" in (await browser.get("/settings")).text
        left = await browser.post("/settings/home/away", data={"away": "on"}, headers={"origin": base.rstrip("/")})
        assert left.status_code == 303
        assert (await browser.get("/operator")).status_code == 200
        cookies = browser.cookies
    assert token not in await house.stop()
    base = (await house.start()).partition("enter/")[0]
    async with httpx.AsyncClient(base_url=base, cookies=dict(cookies)) as browser:
        assert (await browser.get("/")).status_code == 200
        assert "We are back" in (await browser.get("/settings")).text
    await house.stop()


async def test_an_open_page_does_not_keep_a_house_from_ending(house: House) -> None:
    """A tablet that listens all day is let go at once when the program is told to stop, and that is no error."""
    base, _, token = (await house.start()).partition("enter/")
    async with httpx.AsyncClient(base_url=base, timeout=10) as browser:
        await browser.post(f"/enter/{token}", headers={"origin": base.rstrip("/")})
        async with browser.stream("GET", "/events") as events:
            lines = events.aiter_lines()
            await anext(lines)
            begun = asyncio.get_running_loop().time()
            assert "Traceback" not in await house.stop()
            assert asyncio.get_running_loop().time() - begun < 5


@pytest.mark.slow
async def test_a_house_is_opened_by_https(house: House) -> None:
    """With `[web] tls` a link is https, the fingerprint beside it is that of what the browser is shown."""
    toml = house.folder / "home.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace("[web]\n", "[web]\ntls = true\n"), encoding="utf-8")
    link = await house.start()
    assert link.startswith("https://127.0.0.1:")
    asked = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", "web", "link", "-c", str(toml),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    _, said = await asked.communicate()
    base, _, token = link.partition("/enter/")
    host, _, port = base.removeprefix("https://").partition(":")
    der = ssl.PEM_cert_to_DER_cert(await asyncio.to_thread(ssl.get_server_certificate, (host, int(port))))
    assert hashlib.sha256(der).digest().hex(":").upper() in said.decode()
    trusting = ssl.create_default_context(cafile=str(house.folder / "web-tls" / "authority.crt"))
    async with httpx.AsyncClient(base_url=base, verify=trusting, timeout=10) as browser:
        assert (await browser.post(f"/enter/{token}", headers={"origin": base})).status_code == 303
        assert (await browser.get("/")).status_code == 200
    assert "Traceback" not in await house.stop()
