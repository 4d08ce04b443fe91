"""The whole command on real sockets and ptys: what agrees, what is caught, what is written, signed and sent."""

import asyncio
import json
import struct
import sys
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateway import control
from gateway.cli import main
from gateway.commission.errors import CommissionError
from gateway.commission.serials import remembered
from gateway.commission.signing import verify
from gateway.commission_cmd import Options, commission
from gateway.config.load import load
from tests.support.http_sink import HttpSink
from tests.support.modbus_slaves import TcpHost, mbap
from tests.support.simulated import simulated_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOON = 1_795_000_000_000

PROFILE = """
name      = "probe"
title     = "A probe"
driver    = "modbus"
source    = "a test"
evidence  = "two-sources"
table     = "holding"
order     = "ORDER"
registers = [ ROWS
  { at = 2, quantity = "energy_import", unit = "Wh", type = "u32" },
  { at = 4, quantity = "energy_export", unit = "Wh", type = "u32" },
  { at = 6, quantity = "power", unit = "W", type = "s32" },
]
[[examples]]
bytes     = { 2 = "0001 0001" }
readings  = { energy_import = 65537 }
"""
VOLTAGE = '{ at = 0, quantity = "voltage", unit = "V", type = "f32" },'


@dataclass
class Probe:
    """A meter on TCP whose registers a test sets: energies in Wh, power in W, high word first."""

    imported: int = 1_234_567
    exported: int = 22_000
    power: int = 800
    first: bytes = struct.pack(">f", 230.1)
    asked: int = 0

    def says(self, request: bytes) -> list[tuple[float, bytes]]:
        """Answer from the registers."""
        self.asked += 1
        held = self.first + struct.pack(">IIi", self.imported, self.exported, self.power)
        at, count = struct.unpack(">HH", request[8:12])
        return [(0, mbap(request, bytes((3, 2 * count)) + held[2 * at : 2 * (at + count)]))]


@dataclass
class Site:
    """A folder with a configuration of one probe, and what was said in it."""

    folder: Path
    probe: Probe = field(default_factory=Probe)
    told: list[str] = field(default_factory=list)

    @property
    def file(self) -> Path:
        """The configuration."""
        return self.folder / "home.toml"

    def answer(self, request: bytes) -> Any:
        """Let the probe say what it says by now."""
        return self.probe.says(request)

    @asynccontextmanager
    async def open(self, *, order: str = "ABCD", more: str = "", rows: str = VOLTAGE) -> "AsyncIterator[None]":
        """Serve the probe, and configure it with an order of words and more lines in its table."""
        (self.folder / "meters").mkdir()
        text = PROFILE.replace("ORDER", order).replace("ROWS", rows)
        (self.folder / "meters" / "probe.toml").write_text(text)
        async with TcpHost(self.answer) as host:
            self.file.write_text(
                f'[journal]\nfolder = "journal"\n[store]\npath = "r.sqlite"\n[hub]\ndatabase = "h.sqlite"\n'
                f'[[bus]]\nname = "b"\ndriver = "modbus"\nurl = "{host.url}"\n'
                f'[[meter]]\nname = "m"\nbus = "b"\nprofile = "probe"  # as on its label\n{more}\n'
            )
            yield

    async def run(self, answers: str, *meters: str, language: Any = "en") -> tuple[int, dict[str, Any]]:
        """Commission by a file of answers; give the exit code and the signed record."""
        path = self.folder / "answers.toml"
        path.write_text(answers, encoding="utf-8")
        options = Options(self.file, meters, path, language, self.folder / "out", pdf=False)
        code = await commission(options, self.told.append, _nobody, lambda: NOON)
        (page,) = (self.folder / "out").glob("*.html")
        return code, verify(page).record

    @property
    def said(self) -> str:
        """All that was told."""
        return "\n".join(self.told)


def _nobody(question: str) -> str:
    pytest.fail(f"asked {question!r}")


def answers(**given: str) -> str:
    """Write answers for the one meter, as TOML values."""
    return '[[meter]]\nname = "m"\n' + "".join(f"{key} = {value}\n" for key, value in given.items())


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Give a place for one meter."""
    return Site(tmp_path)


async def test_a_meter_that_agrees_passes(site: Site) -> None:
    """Display, direction and names end in a signed record; the configuration is not touched."""
    async with site.open():
        before = site.file.read_text()
        code, record = await site.run(
            'installer = "هدى"\n' + answers(display='"1234,5"', flow='"import"', label='"شقة"')
        )
        assert site.file.read_text() == before
    (meter,) = record["meters"]
    assert code == 0
    assert record["passed"] is True
    assert (record["installer"], record["began"]) == ("هدى", NOON)
    assert (meter["label"], meter["name"], meter["quantities"][1]) == ("شقة", "m", "energy_import")
    assert (meter["display"]["verdict"], meter["display"]["typed"], meter["display"]["after"]) == (
        "passed", "1234.5", "1234.567",
    )  # fmt: skip
    assert (meter["direction"]["verdict"], meter["direction"]["power"]) == ("passed", "800")


@pytest.mark.parametrize("right", ["ABCD", "CDAB", "BADC", "DCBA"])
async def test_a_wrong_order_of_words_is_refused_and_mended(site: Site, right: str) -> None:
    """M4: values that no meter says are never taken; the display tells which order is right, and it is written."""
    wrong = {"ABCD": "CDAB", "CDAB": "ABCD", "BADC": "ABCD", "DCBA": "CDAB"}[right]
    site.probe.says = _in_order(site.probe, right)  # type: ignore[method-assign]
    async with site.open(order=wrong):
        code, record = await site.run(answers(display='"1234,5"', flow='"import"', change="true"))
        row = load(site.file, "home").meter[0]
    (meter,) = record["meters"]
    assert code == 0, site.said
    assert row.profile.layout.order == right
    assert meter["display"]["causes"][0] == ["order", right]
    assert meter["display"]["changes"] == [f"order = {right}"]
    assert "looks like" in site.said or "look like" in site.said


async def test_integers_in_a_wrong_order_are_caught_by_the_display(site: Site) -> None:
    """M4: a meter of counters alone may make sense in a wrong order; its display alone can tell."""
    site.probe.imported, site.probe.exported, site.probe.power = 0x0003_0005, 0, 0
    async with site.open(order="CDAB", rows=""):
        code, record = await site.run(answers(display='"196.6"', change="false"))
    check = record["meters"][0]["display"]
    assert code == 1
    assert (check["verdict"], check["changes"]) == ("failed", [])
    assert check["causes"][0] == ["order", "ABCD"]


async def test_a_missing_transformer_is_written(site: Site) -> None:
    """The label's ratio explains the display; it is written with all else left as it was, and then agrees."""
    async with site.open():
        before = site.file.read_text()
        given = answers(display='"61728.3"', transformer='"250/5"', flow='"import"', change="true")
        code, record = await site.run(given)
        assert site.file.read_text() == before.replace("as on its label\n", "as on its label\nratio = 50.0\n")
    meter = record["meters"][0]
    assert code == 0, site.said
    assert (meter["transformer"], meter["ratio"]) == ("250/5", "50")
    assert meter["display"]["causes"] == [["transformer", "50"]]


async def test_a_wrong_factor_without_a_yes_fails(site: Site) -> None:
    """The cause is named, nothing is written, and the exit code says so."""
    async with site.open(more="ratio = 10.0"):
        before = site.file.read_text()
        code, record = await site.run(answers(display='"1234.5"', flow='"import"'))
        assert site.file.read_text() == before
    assert code == 1
    assert record["passed"] is False
    assert record["meters"][0]["display"]["causes"] == [["counted_twice", "0.1"]]


async def test_a_display_on_the_secondary_side_is_multiplied(site: Site) -> None:
    """A meter that knows nothing of its transformers shows a fiftieth, and so it is compared."""
    async with site.open(more="ratio = 50.0"):
        given = answers(display='"1234.5"', transformer='"250/5"', side='"secondary"', flow='"import"')
        code, record = await site.run(given)
    assert code == 0, site.said
    assert record["meters"][0]["display"]["times"] == "50"


async def test_swapped_wires_are_caught(site: Site) -> None:
    """The display of what is drawn shows the other register, and power has the other sign."""
    site.probe.imported, site.probe.exported, site.probe.power = 22_000, 1_234_567, -800
    async with site.open():
        code, record = await site.run(answers(display='"1234.5"', flow='"import"', change="true"))
    meter = record["meters"][0]
    assert code == 1
    assert meter["display"]["causes"] == [["swapped", "energy_export"]]
    assert meter["direction"]["verdict"] == "failed"
    assert "which means feeding in" in site.said


async def test_a_meter_is_renamed_after_a_yes(site: Site) -> None:
    """The label becomes its name in the configuration, and all that follows is about it."""
    async with site.open():
        given = answers(label='"flat"', rename="true", display='"123456.7"', change="true")
        code, record = await site.run(given)
        row = load(site.file, "home").meter[0]
    assert code == 0, site.said
    assert (row.name, row.ratio) == ("flat", 100)
    assert record["meters"][0]["name"] == "flat"


async def test_a_reversed_phase_is_asked_about(site: Site) -> None:
    """One phase against the others is a fault, unless panels feed in on it."""
    rows = '{ at = 0, quantity = "power_l2", unit = "W", type = "s32" },'
    site.probe.first = struct.pack(">i", -300)
    async with site.open(rows=rows):
        code, record = await site.run(answers(display='"1234.5"', flow='"import"'))
        assert (code, record["meters"][0]["direction"]["against"]) == (1, ["L2"])
        (site.folder / "out").rename(site.folder / "before")
        code, record = await site.run(answers(display='"1234.5"', flow='"import"', mixed="true"))
        assert (code, record["meters"][0]["direction"]["verdict"]) == (0, "passed")


async def test_a_meter_that_cannot_be_read_is_read_again(site: Site) -> None:
    """An installer mends a wire and goes on where they were."""
    says, site.probe.says = site.probe.says, lambda _request: []  # type: ignore[method-assign,assignment]

    def ask(question: str) -> str:
        if "again" in question:
            site.probe.says = says  # type: ignore[method-assign]
            return "y"
        return "1234.5" if "display" in question else ""

    async with site.open(more='deadline = "50ms"'):
        options = Options(site.file, out=site.folder / "out", pdf=False)
        assert await commission(options, site.told.append, ask, lambda: NOON) == 0
    assert "It cannot be read" in site.said


async def test_a_silent_meter_is_in_the_report(site: Site) -> None:
    """What cannot be read fails with its reason, and nobody waits for ever."""
    site.probe.says = lambda _request: []  # type: ignore[method-assign,assignment]
    async with site.open(more='deadline = "50ms"'):
        code, record = await site.run(answers(display='"1234.5"'))
    assert code == 1
    assert record["meters"][0]["display"]["verdict"] == "failed"
    assert record["meters"][0]["display"]["trouble"]


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


async def test_nobody_at_the_terminal_is_an_error(tmp_path: Path) -> None:
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
            await commission(Options(site.file, ["x"]), site.told.append, _nobody)
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


def _in_order(probe: Probe, order: str) -> Any:
    """Answer with words and bytes in another order."""

    def says(request: bytes) -> list[tuple[float, bytes]]:
        (after, frame), *_ = Probe.says(probe, request)
        head, data = frame[:9], frame[9:]
        at = struct.unpack(">H", request[8:10])[0]
        assert at % 2 == 0
        parts = [data[n : n + 4] for n in range(0, len(data), 4)]
        if order in ("CDAB", "DCBA"):
            parts = [part[2:] + part[:2] for part in parts]
        if order in ("BADC", "DCBA"):
            parts = [bytes((part[1], part[0], part[3], part[2])) for part in parts]
        return [(after, head + b"".join(parts))]

    return says
