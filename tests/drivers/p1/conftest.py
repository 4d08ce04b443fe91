"""The captured P1 telegrams with what they mean, an envelope of our own for ciphered ones, a bus on virtual time."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import Bus, Keys
from drivers.names import Names
from drivers.p1.driver import open_bus
from tests.support.p1_bus import Silent, Story, Virtual, ticks
from tests.support.virtual_time import run_virtually

LUXEMBOURG = bytes.fromhex("00112233445566778899AABBCCDDEEFF")

Seal = Callable[..., bytes]


@dataclass(frozen=True)
class Capture:
    """One file of the captures, and what its index says of it."""

    name: str
    data: bytes
    expected: dict[str, Any]
    keys: Keys

    @property
    def is_ciphered(self) -> bool:
        """Whether it needs a key."""
        return self.keys.encryption is not None


@pytest.fixture(scope="session")
def p1_captures(captures: Path) -> list[Capture]:
    """Give each captured telegram."""
    folder = captures / "p1"
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    return [
        Capture(entry["file"], (folder / entry["file"]).read_bytes(), entry["expected"], _keys(entry))
        for entry in index["entries"]
    ]


def _keys(entry: dict[str, str]) -> Keys:
    names = ("key", "authentication_key")
    return Keys(*(bytes.fromhex(entry[name]) if name in entry else None for name in names))


@pytest.fixture(scope="session")
def seal() -> Seal:
    """Give a callable that ciphers a text as a meter does, by another interface of the cryptography there is."""
    aead = pytest.importorskip("cryptography.hazmat.primitives.ciphers.aead")

    def envelope(
        text: bytes, counter: int, keys: Keys, *, title: bytes = b"NBD\0\0\0\0\1", control: int = 0x30, tag: int = 12
    ) -> bytes:
        number = counter.to_bytes(4, "big")
        extra = bytes([control]) + (keys.authentication or LUXEMBOURG)
        sealed: bytes = aead.AESGCM(keys.encryption).encrypt(title + number, text, extra)
        body = bytes([control]) + number + sealed[: len(sealed) - 16 + tag]
        return b"\xdb\x08" + title + b"\x82" + len(body).to_bytes(2, "big") + body

    return envelope


@pytest.fixture
def virtual(monkeypatch: pytest.MonkeyPatch) -> Virtual:
    """Give a callable that runs a story on virtual time, with a connected driver and the protocol that feeds it."""

    async def run(story: Story) -> None:
        ports: list[asyncio.Protocol] = []

        async def connect(_: Bus, protocol: Callable[[], asyncio.Protocol], **line: object) -> object:
            assert isinstance(line.pop("names"), Names)
            assert line == {"baud": 115200, "framing": "8N1"}
            ports.append(protocol())
            return Silent(), ports[0]

        monkeypatch.setattr("drivers.pushed.connect", connect)
        driver = open_bus(Bus("p1", "/dev/none"), ticks())
        await driver.connect()
        await story(driver, ports[0])
        await driver.close()

    return lambda story: run_virtually(run(story))
