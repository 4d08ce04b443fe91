"""The embedded broker of demo and tests: rumqttd from the `iotcore` wheel, as a child process on 127.0.0.1.

It keeps everything in memory and listens on no other address; a home's or a fleet's broker is its owner's. MQTT 5 only.

    async with embedded_broker() as url:    # starts `python -m gateway.broker --port P`, waits for a CONNACK
        ...                                 # and ends it
"""

import argparse
import asyncio
import contextlib
import ctypes
import importlib.util
import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
PROBE = bytes.fromhex("1018 0004 4d515454 05 02 000a 00 000b 6e6162642d70726f626521")
"""An MQTT 5 CONNECT: client id "nabd-probe!", clean start, keep-alive 10 s."""
CONNACK = 0x20
PR_SET_PDEATHSIG = 1
# Ten segments of 4 MiB a topic filter: what a subscriber may fall behind before messages are forgotten. Blocks that are
# forgotten are sent again; a Raspberry Pi's memory is not.
CONFIG = """
id = 0
[router]
id = 0
max_connections = 1010
max_outgoing_packet_count = 200
max_segment_size = 4194304
max_segment_count = 10
[v5.1]
name = "v5-1"
listen = "{host}:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 100
"""


@dataclass
class BrokerError(Exception):
    """The embedded broker did not come up; `hint` says what a person can do."""

    what: str
    hint: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.what} ({self.hint})"


@contextlib.asynccontextmanager
async def embedded_broker(port: int = 0, timeout: float = 15.0) -> AsyncIterator[str]:
    """Run a broker for as long as the context lasts and give its URL; port 0 picks a free one. Raises BrokerError."""
    require_wheel()
    port = _reserve(port)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.broker", "--port", str(port), stdin=asyncio.subprocess.DEVNULL
    )
    try:
        await _wait_ready(child, port, timeout)
        yield f"mqtt://{HOST}:{port}"
    finally:
        if child.returncode is None:
            child.kill()  # it has nothing to save
        await child.wait()


def require_wheel() -> None:
    """Raise BrokerError where the `iotcore` package is not installed."""
    if importlib.util.find_spec("iotcore") is None:
        raise BrokerError(
            "the embedded broker is not installed",
            "pip install 'nabd[embedded]'; where it has no wheel, run mosquitto and give its url under [mqtt]",
        )


async def _wait_ready(child: asyncio.subprocess.Process, port: int, timeout: float) -> None:
    try:
        async with asyncio.timeout(timeout):
            while not await answers(port):
                if child.returncode is not None:
                    raise BrokerError(f"the embedded broker ended at once with status {child.returncode}", _taken(port))
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise BrokerError(f"the embedded broker gave no CONNACK within {timeout:g} s", _taken(port)) from None


async def answers(port: int, host: str = HOST) -> bool:
    """Whether a CONNECT gets a CONNACK: an open port alone proves little."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    try:
        writer.write(PROBE)
        async with asyncio.timeout(1):
            return (await reader.read(1))[:1] == bytes([CONNACK])
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()


def _reserve(port: int) -> int:
    """Name a port that nobody listens on: this one, or a free one for 0."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
        except OSError as error:
            raise BrokerError(f"port {port} cannot be used: {error.strerror}", _taken(port)) from error
        return int(sock.getsockname()[1])


def _taken(port: int) -> str:
    return f"is something else listening on port {port}?"


def serve(port: int) -> None:
    """Be the broker until killed; raises OSError when the port is taken."""
    require_wheel()
    from iotcore import IotCoreBroker  # noqa: PLC0415  only the child needs it

    logging.disable()  # it reports every packet
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's own handler never runs under rumqttd's loop
    with tempfile.TemporaryDirectory(prefix="nabd-broker-") as folder:
        config = Path(folder) / "rumqttd.toml"  # the ending names the format
        config.write_text(CONFIG.format(host=HOST, port=port), encoding="ascii")
        broker = IotCoreBroker(config_path=str(config))
    broker.run_forever()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as a child process that dies with its parent."""
    parser = argparse.ArgumentParser(prog="python -m gateway.broker", description="The embedded broker of the demo.")
    parser.add_argument("--port", type=int, default=1883)
    port = parser.parse_args(arguments).port
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return 1  # it died before we could ask to be told
    try:
        serve(port)
    except (BrokerError, OSError) as error:
        sys.stderr.write(f"embedded broker: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
