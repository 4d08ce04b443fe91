"""`nabd demo --scenario installer`: an installer's first hour, played in a terminal with the real commands.

1. A folder of simulated adapters and a configuration without meters.
2. The adapters are listed and searched; what is found is written, and checked.
3. A plug is pulled: doctor says so. It is put back: doctor finds nothing.
4. Each meter is commissioned: its display beside its register, a test message by every channel, a signed report.
5. The house runs; a search beside it borrows a line; the page answers.

Every command is a program of its own, as somebody would type it; the story ends where one of them does not do as told.
With `--for` under a minute only the optical port is there, since most of the time goes into searching a silent line.
"""

import asyncio
import contextlib
import json
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from drivers.quantities import BY_KEY
from gateway.config.customers import HomeConfig
from gateway.config.load import load
from gateway.config.models import MeterTable
from gateway.demo_parts import Result, SetUpFailed, answering, child, wires_of
from gateway.receivers import Receivers
from gateway.scaling import main_of

Say = Callable[[str], None]

SHORT = 60.0
"""Seconds under which there is no time to search a silent line."""
STEP_LIMIT = 60.0
"""Seconds a command of the story may take: searching a line with two meters takes twenty."""
ADAPTERS = {
    "optical": "usb-Demo_optical_head_0002-if00-port0",
    "rs485": "usb-Demo_RS485_adapter_0001-if00-port0",
}
"""The scenario's lines and the names of their adapters, the quickest first."""
DIGITS = {"Wh": (1000, 1), "l": (1000, 2)}
"""What a display divides by, and its digits behind the comma: kWh and m³."""

_HOME = """[gateway]
id = "home"

[clock]
trust = "system"  # a demo has no NTP to wait for

[journal]
folder = "journal"

[hub]
database = "hub.sqlite"

[store]
path = "readings.sqlite"

[web]
listen = "{listen}"
"""


async def run(seconds: float | None, folder: Path | None, listen: str, say: Say) -> Result:
    """Play the story in a folder; `seconds` under a minute plays the short one, `say` shows a line."""
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nabd-")))
        folder.mkdir(parents=True, exist_ok=True)
        lines = [name for name in ADAPTERS if name == "optical" or seconds is None or seconds >= SHORT]
        try:
            async with Receivers(say) as receivers, _simulated(folder.absolute(), lines):
                story = Story(folder.absolute(), receivers, lines, say)
                story.file.write_text(_HOME.format(listen=listen) + receivers.channels_toml(), encoding="utf-8")
                return await story.play()
        except SetUpFailed as error:
            say(f"nabd demo: {error}")
            return Result(1)


@contextlib.asynccontextmanager
async def _simulated(folder: Path, lines: list[str]) -> AsyncIterator[None]:
    """Serve the meters, each line under the name that an adapter would have."""
    named = folder / "dev" / "serial" / "by-id"
    named.mkdir(parents=True, exist_ok=True)
    (folder / "wires" / "meters.json").unlink(missing_ok=True)
    async with child(folder, "simulate", "installer", "--folder", str(folder / "wires")) as simulator:
        await wires_of(folder / "wires" / "meters.json", simulator)
        for line in lines:
            plug(folder, line)
        yield


def plug(folder: Path, line: str) -> Path:
    """Put an adapter in; give the name that it has then."""
    name = folder / "dev" / "serial" / "by-id" / ADAPTERS[line]
    name.unlink(missing_ok=True)
    name.symlink_to(folder / "wires" / line)
    return name


@dataclass
class Story:
    """What happens, and what came of it."""

    folder: Path
    receivers: Receivers
    lines: list[str]
    say: Say
    began: float = field(default_factory=time.monotonic)

    @property
    def file(self) -> Path:
        """The configuration."""
        return self.folder / "home.toml"

    async def play(self) -> Result:
        """Tell all of it; raises SetUpFailed where a command did not do as told."""
        self._chapter("Which adapters are there? (On your machine leave --dev away: here they are simulated.)")
        await self.type("scan", "--list", "--dev", "dev")
        self._chapter("What hangs on them? What is found is written into the configuration.")
        await self.type("scan", "--dev", "dev", "--write", "home.toml")
        self._chapter("What would run?")
        await self.type("check", "home.toml")
        found = await self._doctor()
        record = await self._commission()
        page, read = await self._live()
        meters = self._meters()
        summary = {
            "seconds": round(time.monotonic() - self.began),
            "ports": len(self.lines),
            "meters": len(meters),
            "doctor": found,
            "passed": record["passed"],
            "commissioned": len(record["meters"]),
            "delivered": self.receivers.arrived,
            "page": page,
            "read": read,
        }
        well = (
            record["passed"]
            and page == HTTPStatus.OK
            and len(meters) >= len(self.lines)
            and all(self.receivers.arrived.values())
        )
        return Result(0 if well else 1, summary)

    async def _doctor(self) -> list[str]:
        """Pull a plug, have it named, put it back; give what was named."""
        self._chapter("Somebody pulls the wrong plug.")
        plug(self.folder, "optical").unlink()
        said = await self.type("doctor", "--dev", "dev", "-c", "home.toml", code=1)
        self._chapter("It is put back.")
        plug(self.folder, "optical")
        await self.type("doctor", "--dev", "dev", "-c", "home.toml")
        return re.findall(r"^error \((\w+)\)", said, re.MULTILINE)

    async def _commission(self) -> dict[str, Any]:
        """Answer what an installer at the meter would; give the record that was signed."""
        self._chapter("Each meter beside its display. The answers come from a file, so that nobody need type here.")
        text = 'installer = "Huda"\ntest_message = true\narrived = ["phone", "mail"]\n'
        for row in self._meters():
            said = json.loads(await self.type("read", row.name, "--json", "-c", "home.toml", show=False))
            text += f'\n[[meter]]\nname = "{row.name}"\ndisplay = "{display(row, said["values"])}"\nflow = "import"\n'
        (self.folder / "answers.toml").write_text(text, encoding="utf-8")
        await self.type(
            "commission", "-c", "home.toml", "--answers", "answers.toml", "--out", "report", "--no-pdf", code=None
        )
        (report,) = (self.folder / "report").glob("*.json")
        await self.type("commission", "verify", str(report.relative_to(self.folder)))
        record: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))["record"]
        return record

    async def _live(self) -> tuple[int, int]:
        """Run the house; search a line beside it, and open its page. Gives the page's status and what was read."""
        self._chapter("The house runs from now on, as the service nabd-home does.")
        async with child(self.folder, "home", "-c", "home.toml") as house:
            socket = self.folder / "journal" / "edge.sock"
            await answering(socket, house)
            await self.type("read", self._meters()[0].name, "-c", "home.toml")
            self._chapter("A search beside it borrows the line, and gives it back.")
            await self.type("scan", "--dev", "dev", str(plug_name(self.folder, "optical")), "--json", "-c", "home.toml")
            self._chapter("The page, by a link that opens once:")
            link = (await self.type("web", "link", "-c", "home.toml")).strip()
            page = await status_of(link)
            self.say(f"  → HTTP {page}")
            return page, (await answering(socket, house))["read"]

    def _meters(self) -> list[MeterTable]:
        config = load(self.file, "home")
        assert isinstance(config, HomeConfig)  # noqa: S101  it was loaded as one
        return list(config.meter)

    def _chapter(self, text: str) -> None:
        self.say(f"\n\x1b[1m# {text}\x1b[0m" if sys.stdout.isatty() else f"\n# {text}")

    async def type(self, *words: str, code: int | None = 0, show: bool = True) -> str:
        """Type a command, show what it says, and give its standard output; raises SetUpFailed unless it ends so."""
        shown = self.say if show else _silent
        shown(f"$ nabd {self._short(' '.join(words))}")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway.cli", *words, cwd=self.folder,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None  # noqa: S101  both are pipes
        assert process.stderr is not None  # noqa: S101
        try:
            async with asyncio.timeout(STEP_LIMIT):
                said, _ = await asyncio.gather(
                    self._pass_on(process.stdout, shown), self._pass_on(process.stderr, shown)
                )
                ended = await process.wait()
        except TimeoutError:
            process.kill()
            raise SetUpFailed(f"nabd {' '.join(words)} took longer than {STEP_LIMIT:.0f} s") from None
        if code is not None and ended != code:
            raise SetUpFailed(f"nabd {' '.join(words)} ended with code {ended} and not {code}")
        return said

    async def _pass_on(self, stream: asyncio.StreamReader, shown: Callable[[str], None]) -> str:
        lines = []
        while line := (await stream.readline()).decode(errors="replace"):
            lines.append(line)
            shown(self._short(line.rstrip("\n")))
        return "".join(lines)

    def _short(self, line: str) -> str:
        return line.replace(f"{self.folder}/", "")


def plug_name(folder: Path, line: str) -> Path:
    """Name an adapter that is in."""
    return folder / "dev" / "serial" / "by-id" / ADAPTERS[line]


def display(row: MeterTable, values: dict[str, float]) -> str:
    """Write what a meter's display would show of its main register: the digits it has, none rounded up."""
    key = main_of(row.profile)
    assert key is not None  # noqa: S101  every meter of the scenario counts something
    divisor, digits = DIGITS[BY_KEY[key].unit]
    whole = int(values[key] * 10**digits / divisor)
    return f"{whole // 10**digits}.{whole % 10**digits:0{digits}d}"


async def status_of(url: str) -> int:
    """Open a page of 127.0.0.1 as a browser's first request does, follow it inside, and give the last status."""
    parts = urlsplit(url)
    path, cookie = f"{parts.path}?{parts.query}" if parts.query else parts.path, ""
    for _ in range(3):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(f"GET {path} HTTP/1.1\r\nhost: {parts.netloc}\r\n{cookie}connection: close\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        writer.close()
        status, *lines = head.split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if "location" not in fields:
            break
        path, cookie = fields["location"], f"cookie: {fields.get('set-cookie', '').partition(';')[0]}\r\n"
    return int(status.split()[1])


def _silent(_: str) -> None:
    """Show nothing."""
