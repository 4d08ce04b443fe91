"""The embedded broker as a child process."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import broker

pytest.importorskip("iotcore", reason="the iotcore wheel is not installed (the `embedded` extra)")


async def test_answers_connack_and_ends_with_its_context() -> None:
    """The URL works inside the context and nothing listens after it."""
    async with broker.embedded_broker() as url:
        port = int(url.rpartition(":")[2])
        assert url == f"mqtt://127.0.0.1:{port}"
        assert await broker.answers(port)
    assert not await broker.answers(port)


async def test_listens_on_the_loopback_only() -> None:
    """No other address of this host answers, whatever network it is in."""
    async with broker.embedded_broker() as url:
        port = int(url.rpartition(":")[2])
        listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
        addresses = {line.split()[1] for line in listening if line.split()[3] == "0A"}
        assert f"0100007F:{port:04X}" in addresses
        assert f"00000000:{port:04X}" not in addresses


async def test_taken_port_is_said() -> None:
    """A port in use is an error with a hint, not a broker that belongs to somebody else."""
    async with broker.embedded_broker() as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(broker.BrokerError, match=f"listening on port {port}"):
            async with broker.embedded_broker(port):
                pass


async def test_missing_wheel_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the wheel the error names the extra to install."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(broker.BrokerError, match=r"nabd\[embedded\]"):
        async with broker.embedded_broker():
            pass


async def test_dies_with_its_parent(free_port: Callable[[], int]) -> None:
    """A parent that is killed leaves no broker behind."""
    port = free_port()
    program = (
        "import asyncio, gateway.broker as b\n"
        "async def main():\n"
        f"    async with b.embedded_broker({port}):\n"
        "        print('up', flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    assert await parent.stdout.readline() == b"up\n"
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(5):
        while await broker.answers(port):
            await asyncio.sleep(0.02)


def test_probe_is_a_whole_packet() -> None:
    """The remaining length of the hand-made CONNECT is right."""
    assert broker.PROBE[1] == len(broker.PROBE) - 2
