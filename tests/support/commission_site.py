"""A place with one simulated meter that a test commissions by a file of answers."""

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.commission.signing import verify
from gateway.commission_cmd import Options, commission
from tests.support.modbus_slaves import TcpHost, mbap

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
    async def open(self, *, order: str = "ABCD", more: str = "", rows: str = VOLTAGE) -> AsyncIterator[None]:
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
        code = await commission(options, self.told.append, nobody, lambda: NOON)
        (page,) = (self.folder / "out").glob("*.html")
        return code, verify(page).record

    @property
    def said(self) -> str:
        """All that was told."""
        return "\n".join(self.told)


def nobody(question: str) -> str:
    """Fail, since whoever has a file of answers is asked nothing."""
    pytest.fail(f"asked {question!r}")


def answers(**given: str) -> str:
    """Write answers for the one meter, as TOML values."""
    return '[[meter]]\nname = "m"\n' + "".join(f"{key} = {value}\n" for key, value in given.items())
