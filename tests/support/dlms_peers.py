"""Programs by other people that speak DLMS: a meter to be read by ours, and clients that read ours.

They live in environments of their own (tests/peers/dlms_*.txt): NABD_PEERS_PYDLMS and NABD_PEERS_GURUX name the Python
of each. Nothing of theirs is imported here.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = Path(__file__).parents[1] / "peers"
KEY = "000102030405060708090a0b0c0d0e0f"
AUTH_KEY = "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
PASSWORD = "12345678"
ASSOCIATIONS = {"none": (16, 0, False), "lls": (2, 1, False), "lls-ciphered": (3, 1, True), "gmac": (1, 5, True)}
"""Client address, mechanism, and whether messages are ciphered."""

SLOWEST = 60
"""Seconds one program of a peer may take on a busy machine; each takes one."""


def peer(name: str) -> str:
    """Give the Python of a peer's environment, or skip aloud."""
    variable = f"NABD_PEERS_{name.upper()}"
    python = os.environ.get(variable)
    if not python or not Path(python).exists():
        pytest.skip(f"no peer: set {variable} to a Python with tests/peers/dlms_{name}.txt installed")
    return python


@asynccontextmanager
async def pydlms_meter(*, hdlc: bool, window: int = 1) -> AsyncIterator[int]:
    """Run the peer's meter with all associations, and give its port on 127.0.0.1."""
    wanted = {"key": KEY, "auth_key": AUTH_KEY, "password": PASSWORD, "hdlc": hdlc, "window": window}
    meter = await asyncio.create_subprocess_exec(
        peer("pydlms"), PROGRAMS / "pydlms_meter.py", json.dumps(wanted), stdin=-1, stdout=-1
    )
    assert meter.stdin
    assert meter.stdout
    try:
        async with asyncio.timeout(SLOWEST):
            yield int(await meter.stdout.readline())
    finally:
        meter.stdin.close()
        await meter.wait()


async def run(python: str, *arguments: str | Path) -> str:
    """Let a peer's program run to its end, and give what it said."""
    program = await asyncio.create_subprocess_exec(python, *arguments, stdout=-1, stderr=-1)
    try:
        async with asyncio.timeout(SLOWEST):
            out, err = await program.communicate()
    except BaseException:
        program.kill()
        await program.wait()
        raise
    assert program.returncode == 0, err.decode()
    return out.decode()


async def run_pydlms(*arguments: str) -> Any:
    """Run the peer's command, which answers in JSON."""
    return json.loads(await run(str(Path(peer("pydlms")).with_name("pydlms")), *arguments))


async def reads(name: str, port: int, association: str, *, hdlc: bool, **wanted: Any) -> dict[str, Any]:
    """Let a peer's client, `gurux` or `pydlms`, read a meter on 127.0.0.1, and give what it found."""
    client, mechanism, ciphered = ASSOCIATIONS[association]
    known = {
        "port": port, "hdlc": hdlc, "client": client, "mechanism": mechanism, "ciphered": ciphered,
        "key": KEY, "auth_key": AUTH_KEY, "password": PASSWORD, "counter": 1000,
    }  # fmt: skip
    said = await run(peer(name), PROGRAMS / f"{name}_reader.py", json.dumps({**known, **wanted}))
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found
