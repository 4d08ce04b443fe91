"""An independent reader, smartmeter-obis for Node, reads our simulated meters: in its own environment, never in ours.

mkdir peers && cd peers && npm install smartmeter-obis@4.0.0
NABD_PEERS_NODE=$PWD pytest tests/peers
"""

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from simulator import sml_server as sml
from simulator.iec62056_server import Iec62056Server, Model
from simulator.pushing import PushingServer
from simulator.wire import pty_line, tcp_line

VALUES = {"0.0.0": "4711", "1.8.0": "012345.678*kWh", "16.7.0": "-000.250*kW", "32.7.0": "230.1*V"}
READ = {
    "1-0:0.0.0": [4711, ""], "1-0:1.8.0": [12345.678, "kWh"], "1-0:16.7.0": [-0.25, "kW"], "1-0:32.7.0": [230.1, "V"],
}  # fmt: skip


@pytest.fixture
def node() -> str:
    """Give the program that runs the peer, where it is installed."""
    place, program = os.environ.get("NABD_PEERS_NODE"), shutil.which("node")
    if not place or not program or not (Path(place) / "node_modules" / "smartmeter-obis").is_dir():
        pytest.skip("no peer: set NABD_PEERS_NODE to a folder where `npm install smartmeter-obis` was run")
    return program


async def said_by(node: str, **options: Any) -> dict[str, list[Any]]:
    """Let the peer read once."""
    script = Path(__file__).with_name("smartmeter_obis.js")
    peer = await asyncio.create_subprocess_exec(node, script, json.dumps(options), stdout=-1, stderr=-1)
    try:
        async with asyncio.timeout(60):
            out, err = await peer.communicate()
    except TimeoutError:
        peer.kill()
        await peer.communicate()
        raise
    assert peer.returncode == 0, err.decode()
    values: dict[str, list[Any]] = json.loads(out)
    return values


@pytest.mark.parametrize("model", [Model("A", " "), Model("B", "E"), Model("C", "5"), Model("C", "0")], ids=repr)
async def test_a_meter_that_is_asked(node: str, model: Model, tmp_path: Path) -> None:
    """The peer signs on at 300 baud, follows the offer of a speed, and reads what we would."""
    async with pty_line(Iec62056Server(model, lambda: VALUES, paced=True), tmp_path / "head"):
        found = await said_by(
            node, protocol="D0Protocol", transport="SerialRequestResponseTransport",
            transportSerialPort=str(tmp_path / "head"), transportSerialBaudrate=300,
            transportSerialDataBits=8, transportSerialParity="none",  # a pty has no parity
        )  # fmt: skip
    assert found == READ


@pytest.mark.parametrize("framed", [False, True])
async def test_a_meter_that_talks_by_itself(node: str, *, framed: bool) -> None:
    """The peer listens to mode D over TCP."""
    async with tcp_line(Iec62056Server(Model("D", framed=framed), lambda: VALUES), "127.0.0.1") as port:
        found = await said_by(
            node, protocol="D0Protocol", transport="TCPTransport", transportTcpHost="127.0.0.1", transportTcpPort=port
        )
    assert found == READ


async def test_a_meter_with_sml(node: str) -> None:
    """The peer listens to a household meter's SML over TCP."""
    entries = [
        sml.entry("1-0:1.8.0*255", sml.unsigned(123456789, 8), sml.WH, -1, status=0x182),
        sml.entry("1-0:16.7.0*255", sml.signed(-250, 4), sml.W, 0),
    ]
    server = PushingServer(lambda: sml.push(b"\x0a\x01NBD\0\0\0\0\x2a", entries, 1, 4711))
    async with tcp_line(server, "127.0.0.1") as port:
        found = await said_by(
            node, protocol="SmlProtocol", transport="TCPTransport", transportTcpHost="127.0.0.1", transportTcpPort=port
        )
    assert found == {"1-0:1.8.0*255": [12345.6789, "kWh"], "1-0:16.7.0*255": [-250, "W"]}
