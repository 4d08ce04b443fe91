"""`nabd commission` and those it talks to: channels, a running program, an installer at a terminal or by a file."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway import control
from gateway.cli import main
from gateway.commission.errors import CommissionError
from gateway.commission.serials import remembered
from gateway.commission_cmd import Options, commission
from tests.support.commission_site import Site, answers, nobody
from tests.support.http_sink import HttpSink
from tests.support.simulated import simulated_line


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Give a place for one meter."""
    return Site(tmp_path)


async def test_a_test_message_goes_to_every_channel(site: Site) -> None:
    """A webhook confirms by taking it, people are asked, what is refused is written down."""
    async with HttpSink() as program, HttpSink() as phone, site.open():
        with site.file.open("a") as file:
            file.write(
                f'[[channel]]\nname = "crm"\nkind = "webhook"\nurl = "http://127.0.0.1:{program.port}/hook"\n'
                f'[[channel]]\nname = "phone"\nkind = "ntfy"\nlanguage = "ar"\n'
                f'url = "http://127.0.0.1:{phone.port}/t"\n'
                f'[[channel]]\nname = "other"\nkind = "ntfy"\nurl = "http://127.0.0.1:{phone.port}/u"\n'
            )
        given = 'test_message = true\narrived = ["phone"]\n' + answers(display='"1234.5"')
        code, record = await site.run(given)
        event = json.loads(program.posted[0].body)
    assert code == 0
    assert {one["name"]: one["verdict"] for one in record["channels"]} == {
        "crm": "confirmed", "phone": "confirmed", "other": "sent",
    }  # fmt: skip
    assert event["type"] == "nabd.alert.raised"
    assert event["data"]["rule"] == "test_alert"
    assert "تنبيه تجريبي".encode() in phone.posted[0].body + repr(phone.posted[0].headers).encode()


async def test_a_refused_message_fails(site: Site) -> None:
    """A channel that says no keeps the report from passing."""
    async with HttpSink() as sink, site.open():
        sink.say(403)
        with site.file.open("a") as file:
            file.write(f'[[channel]]\nname = "p"\nkind = "ntfy"\nurl = "http://127.0.0.1:{sink.port}/t"\n')
        code, record = await site.run("test_message = true\n" + answers(display='"1234.5"'))
    assert code == 1
    assert record["channels"][0]["verdict"] == "refused"


@pytest.mark.parametrize("refusal", ["", "only a new start can change [mqtt] url; nothing was changed"])
async def test_a_running_program_reads_and_reloads(site: Site, refusal: str) -> None:
    """The bus is the program's own: it is asked, and told of a new ratio; whether it takes that is said."""
    asked: list[str] = []

    async def nameplates(_question: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append("nameplates")
        return {"nameplates": {"home_m": {"serial": "4711"}}}

    async def read(_question: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append("read")
        return {"values": {"energy_import_wh": 246_912}, "raw": {"energy_import_wh": 123_456}, "status": []}

    async def reload(_question: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append("reload")
        return {"error": refusal} if refusal else {}

    async def status(_question: Mapping[str, Any]) -> Mapping[str, Any]:
        return {}

    (site.folder / "journal").mkdir()
    answered = {"read": read, "reload": reload, "status": status, "nameplates": nameplates}
    socket = site.folder / "journal" / "edge.sock"
    async with site.open(more="ratio = 2.0"), control.listening(socket, answered):
        code, record = await site.run(answers(display='"1234.5"', transformer='"50/5"', change="true"))
    assert code == 0, site.said
    assert asked == ["read", "nameplates", "read", "reload"]
    assert record["meters"][0]["nameplate"] == [["serial", "4711"]]
    assert remembered(site.folder / "journal") == {"home_m": "4711"}
    assert site.probe.asked == 0
    assert record["meters"][0]["ratio"] == "10"
    assert refusal in site.said
    assert ("goes on without it" in site.said) is bool(refusal)


async def test_an_installer_at_a_terminal(tmp_path: Path) -> None:
    """Two simulated meters on a pty; a typing mistake is asked again, in Arabic, and an unknown meter is left out."""
    told: list[str] = []
    async with simulated_line(tmp_path, {1: "eastron-sdm120", 2: "eastron-sdm630"}) as path:

        def ask(question: str) -> str:
            told.append(question)
            if "شاشته" in question:
                return mistakes.pop() if mistakes else shown[-1]
            return "1" if "يحدث" in question else ""

        def tell(line: str) -> None:
            told.append(line)
            if "energy_import" in line:
                shown.append(line.partition(":")[2].strip("\u2068\u2069 ").partition("\u2069")[0])

        shown: list[str] = []
        mistakes = ["قرابة مئة"]
        options = Options(path, ["m1"], None, "ar", tmp_path / "out", pdf=False)
        assert await commission(options, tell, ask) == 0
    assert any("الشاشة والقراءة متطابقتان" in line for line in told)
    assert not any("m2" in line for line in told)


async def testnobody_at_the_terminal_is_an_error(tmp_path: Path) -> None:
    """Standard input that ends is not taken for answers."""

    def ask(_question: str) -> str:
        raise EOFError

    async with simulated_line(tmp_path, {1: "eastron-sdm120"}) as path:
        with pytest.raises(CommissionError, match="nobody answers"):
            await commission(Options(path, out=tmp_path, pdf=False), lambda _line: None, ask)


async def test_an_unknown_meter_is_said_before_anything_is_read(site: Site) -> None:
    """A typing mistake names what there is."""
    async with site.open():
        with pytest.raises(CommissionError, match=r"there is no meter 'x' \(configured: m\)"):
            await commission(Options(site.file, ["x"]), site.told.append, nobody)
    assert site.probe.asked == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [("installer = 1", "installer"), ("x = 1", "x"), ("[[meter]]\n", "meter.0.name"), ("[", "answers.toml")],
)
async def test_wrong_answers_are_said(site: Site, text: str, words: str) -> None:
    """A file of answers is read whole before anybody is asked."""
    async with site.open():
        with pytest.raises(CommissionError, match=words):
            await site.run(text)


async def test_the_command_line_commissions_and_verifies(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """`nabd commission`, then `verify` and `key`, as people type them; a changed page is exit code 1."""
    config = ["-c", str(site.file)]
    async with site.open():
        path = site.folder / "answers.toml"
        path.write_text(answers(display='"1234.5"'))
        words = ["m", *config, "--answers", str(path), "--out", str(site.folder), "--no-pdf"]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway.cli", "commission", *words, stdout=-1, stderr=-2
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, out.decode()
        assert main(["commission", "key", *config]) == 0
    key = capsys.readouterr().out.strip()
    (page,) = site.folder.glob("*.html")
    assert main(["commission", "verify", str(page)]) == 0
    assert f"key {key}:" in capsys.readouterr().out
    page.write_text(page.read_text().replace("1234.5", "1234.6", 1))
    assert main(["commission", "verify", str(page)]) == 1
    assert "was changed" in capsys.readouterr().out
    assert main(["commission", "verify"]) == 2
