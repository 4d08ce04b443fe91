"""S11: a mark stands in every secret of edge and hub; whatever these programs say or write, no mark is in it."""

import asyncio
import base64
import contextlib
import json
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable
from http.cookiejar import CookieJar
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.mqtt import connect
from gateway.transport import Endpoint, Lost
from tests.support.fake_influx import FakeInflux
from tests.support.identities import Town, endpoint
from tests.support.stack import Stack

if TYPE_CHECKING:
    from tests.support.brokers import Mosquitto

SECRETS = ("edge-mqtt", "hub-mqtt", "store", "webhook", "ntfy", "smtp", "meter-key", "meter-auth", "meter-password")


class Marked(Stack):
    """Edge and hub with a secret wherever one can stand; all channels are places where nobody answers."""

    town: Town
    port: int
    closed: int
    store: str

    def _file(self, name: str) -> str:
        return str(self.folder / "secrets" / name)

    def _tls(self, name: str) -> str:
        folder = self.town.client(name)
        return (
            f'ca_file = "{self.town.ca}"\ncert_file = "{folder.pair}"\nkey_file = "{folder.path / "key.pem"}"\n'
            f'username = "{name}"\npassword_file = "{self._file("hub-mqtt" if name == "hub" else "edge-mqtt")}"\n'
        )

    def _edge_toml(self) -> str:
        text = super()._edge_toml().replace('"mqtt://127', '"mqtts://127')
        keys = f'key_file = "{self._file("meter-key")}"\nauth_key_file = "{self._file("meter-auth")}"\n'
        keys += f'password_file = "{self._file("meter-password")}"\n'
        return text.replace("ack_timeout", self._tls("home/gw") + "ack_timeout") + keys

    def _hub_toml(self) -> str:
        text = super()._hub_toml().replace('"mqtt://127', '"mqtts://127')
        text = text.replace("keepalive", self._tls("hub") + "keepalive", 1)
        store = (
            f'kind = "influx"\nurl = "{self.store}"\norg = "o"\nbucket = "b"\ntoken_file = "{self._file("store")}"\n'
        )
        text = text.replace('path = "readings.sqlite"\n', store)
        smtp = f'url = "smtp+plain://127.0.0.1:{self.closed}"\nto = "a@b.example"\nusername = "nabd"\n'
        for kind, more in (
            ("webhook", f'url = "http://127.0.0.1:{self.closed}/"\nsecret_file = "{self._file("webhook")}"\n'),
            ("ntfy", f'url = "http://127.0.0.1:{self.closed}/topic"\ntoken_file = "{self._file("ntfy")}"\n'),
            ("smtp", f'{smtp}password_file = "{self._file("smtp")}"\n'),
        ):
            text += f'[[channel]]\nname = "{kind}"\nkind = "{kind}"\n{more}'
        return text


def forms(mark: str) -> set[bytes]:
    """Give the ways in which a mark could be written."""
    raw = mark.encode()
    return {raw, base64.b64encode(raw).rstrip(b"=")[:-1], raw.hex().encode(), raw[::-1]}


async def said(*arguments: str) -> bytes:
    """Run one command and give all it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    out, _ = await process.communicate()
    return out


def page(link: str) -> bytes:
    """Open the pages by their link, as a browser would."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with contextlib.suppress(OSError), opener.open(link, timeout=10) as answer:
        return bytes(answer.read())
    return b""


async def listen(where: Endpoint, heard: list[bytes]) -> None:
    """Hear every message there is."""
    listener = await connect(where)
    try:
        await listener.subscribe(["#"])
        with contextlib.suppress(Lost):
            async for arrived in listener.messages():
                arrived.ack()
                heard.append(arrived.message.topic.encode() + arrived.message.payload + repr(arrived).encode())
    finally:
        await listener.close()


async def of_a_program(stack: Stack, program: str) -> dict[str, bytes]:
    """Gather what a running program says, prints and was started with."""
    file = str(stack.folder / f"{program}.toml")
    outputs = {f"{program} status": json.dumps(await stack.status(program)).encode()}
    for words in (("status", "-c", file), ("check", file), ("reload", "-c", file)):
        outputs[f"{program} {words[0]} printed"] = await said(*words)
    process = Path(f"/proc/{stack._processes[program].pid}")
    outputs[f"{program} arguments"] = (process / "cmdline").read_bytes()
    outputs[f"{program} environment"] = (process / "environ").read_bytes()
    return outputs


async def of_mistakes(stack: Marked, mark: str) -> dict[str, bytes]:
    """Write the secret itself where its file's name should stand; then open its file to everybody."""
    folder = stack.folder / "secrets"
    outputs: dict[str, bytes] = {}
    (folder / "open").write_text(mark, encoding="ascii")
    (folder / "open").chmod(0o644)
    good = (stack.folder / "hub.toml").read_text(encoding="utf-8")
    for wrong in (mark, str(folder / "open")):
        (folder / "hub.toml").write_text(good.replace(stack._file("store"), wrong), encoding="utf-8")
        outputs[f"mistake {len(outputs)}"] = await said("check", str(folder / "hub.toml"))
    assert all(b"token_file" in words for words in outputs.values())
    return outputs


@pytest.fixture
async def stack(
    tmp_path: Path, mosquitto_with: "Callable[..., Mosquitto]", free_port: Callable[[], int]
) -> AsyncIterator[Marked]:
    """Give edge and hub, marked all over, at a broker that wants certificates."""
    (tmp_path / "secrets").mkdir(mode=0o700)
    for name in SECRETS:
        path = tmp_path / "secrets" / name
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(16), encoding="ascii")
    town, port = Town(tmp_path / "secrets" / "town"), free_port()
    pair = town.broker()
    mosquitto_with(
        f"listener {port} 127.0.0.1", f"cafile {town.ca}", f"certfile {pair}", f"keyfile {pair}",
        "require_certificate true", "use_identity_as_username true",
    )  # fmt: skip
    stack = Marked(tmp_path, port, port, meters=1)
    stack.town, stack.port, stack.closed = town, port, free_port()
    async with FakeInflux(script=[(401, "who are you?", {}), (500, "no", {})]) as influx:
        stack.store = influx.url
        yield stack
        await stack.stop()


@pytest.mark.slow
async def test_no_mark_comes_out(stack: Marked) -> None:
    """Logs, status, pages, messages, files, arguments and environment are searched for every mark in four forms."""
    heard: list[bytes] = []
    where = endpoint(f"mqtts://127.0.0.1:{stack.port}", stack.town.client("listener"), "listener")
    listening = asyncio.create_task(listen(where, heard))
    await stack.start()
    await asyncio.sleep(3)
    folder = stack.folder
    marks = {name: (folder / "secrets" / name).read_text(encoding="ascii") for name in SECRETS}
    outputs = await of_a_program(stack, "edge") | await of_a_program(stack, "hub")
    outputs |= await of_mistakes(stack, marks["store"])
    outputs["backup printed"] = await said("backup", str(folder / "copy"), "-c", str(folder / "edge.toml"))
    outputs["read"] = await said("read", "m0", "-c", str(folder / "edge.toml"))
    link = (await said("web", "link", "-c", str(folder / "hub.toml"))).decode().strip()
    outputs["page"] = await asyncio.to_thread(page, link)
    await stack.stop()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    outputs["messages"] = b"\n".join(heard)
    for path in folder.rglob("*"):
        if path.is_file() and {"identity", "hub-identity"} & set(path.parts):  # the one place for keys, copies too
            assert path.stat().st_mode & 0o077 == 0
        elif path.is_file() and "secrets" not in path.parts:
            outputs[str(path.relative_to(folder))] = path.read_bytes()
    assert b"energy_import" in outputs["messages"]
    assert len(outputs["page"]) > 500
    assert {"edge.log", "hub.log", "hub.sqlite", "copy"} <= set(outputs)

    for name in ("home-gw", "hub"):
        key = (stack.town.folder / name / "key.pem").read_text(encoding="ascii").splitlines()
        marks[f"private key of {name}"] = key[2]
    found = [
        (name, place)
        for name, mark in marks.items()
        for place, data in outputs.items()
        if any(form in data for form in forms(mark))
    ]
    assert found == []
