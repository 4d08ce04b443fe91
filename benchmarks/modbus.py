"""How near Modbus comes to what its wires allow: a paced line at 9600 baud, one TCP connection, thirty-two of them.

On TCP the product's driver, a bare asyncio client and pymodbus read the same sixty registers of the same host in turns.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from fractions import Fraction
from functools import partial

from pymodbus.client import AsyncModbusTcpClient

from benchmarks.rig import Figure
from drivers import link
from drivers.contract import Bus, Meter
from drivers.modbus.codec import Read
from drivers.modbus.driver import open_bus
from drivers.modbus.layout import INPUT, Row
from drivers.modbus.plan import Limits, Span, Wire, cover
from drivers.modbus.table import Table
from drivers.modbus.tcp import TcpLine
from drivers.profiles import Profile

REGISTERS = 60
IN_FLIGHT = 8
BAUD, TURNAROUND = 9600, 0.01
CHARACTER = 10 / BAUD

Ask = Callable[[], Awaitable[object]]


def meter(registers: int, unit: int = 1) -> Meter:
    """Make a meter whose values are its registers."""
    rows = tuple(Row(at, "u16", f"r{at}", Fraction(1), table=INPUT) for at in range(registers))
    return Meter(f"m{unit}", Profile("bench", "Bench", "modbus", "one-source", (), Table(rows)), unit, 5.0)


# --- the line --------------------------------------------------------------------------------------------------------


async def _read_for(device: str, seconds: float, registers: int) -> tuple[float, int]:
    """Read without pause from a paced line; give the part of the time its wire was busy, and the readings."""
    driver = open_bus(Bus("line", device, BAUD), lambda: 0)
    await driver.connect()
    one = meter(registers)
    await driver.read(one)
    start, readings = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        await driver.read(one)
        readings += 1
    passed = time.monotonic() - start
    await driver.close()
    return readings * Wire(CHARACTER, TURNAROUND).time_of(registers) / passed, readings


def on_the_line(seconds: float) -> list[Figure]:
    """The part of a 9600 baud line's time that carries something."""
    figures = []
    for registers in (20, 40, 100):
        command = [sys.executable, "-m", "benchmarks.modbus_line", str(BAUD), str(TURNAROUND), str(registers)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as line:
            assert line.stdout
            busy, readings = asyncio.run(_read_for(line.stdout.readline().strip(), seconds, registers))
            line.kill()
        name = f"RTU at {BAUD} baud busy, {registers} registers a request, {readings} requests"
        figures.append(Figure(name, f"{busy:.1%}", ">= 97 %", busy >= 0.97))
    adjacent = len(cover([Span(2 * n, 2 * n + 2) for n in range(20)], Limits(125), Wire(CHARACTER)))
    figures.append(Figure("requests for 20 values side by side", str(adjacent), "1", adjacent == 1))
    return figures


# --- TCP -------------------------------------------------------------------------------------------------------------


class Bare(asyncio.Protocol):
    """The least an asyncio client can do: a future by transaction id, nothing checked."""

    def __init__(self) -> None:
        """Nothing is open yet."""
        self.waiting: dict[bytes, asyncio.Future[bytes]] = {}
        self.number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Give each answer to its future; answers are never split on a loopback."""
        size = 9 + 2 * REGISTERS
        for at in range(0, len(data), size):
            self.waiting.pop(data[at : at + 2]).set_result(data[at + 9 : at + size])

    async def ask(self) -> bytes:
        """Send one request and await its answer."""
        self.number = (self.number + 1) & 0xFFFF
        key = self.number.to_bytes(2, "big")
        self.waiting[key] = asyncio.get_running_loop().create_future()
        self.transport.write(key + b"\0\0\0\6\1\4\0\0\0" + bytes((REGISTERS,)))
        return await self.waiting[key]


async def _rate(asks: list[Ask], in_flight: int, seconds: float) -> tuple[float, float]:
    """Ask on all connections without pause; give requests a second, and us of CPU a request."""
    done = 0
    until = time.monotonic() + seconds

    async def work(ask: Ask) -> None:
        nonlocal done
        while time.monotonic() < until:
            await ask()
            done += 1

    start, cpu = time.monotonic(), time.process_time()
    await asyncio.gather(*(work(ask) for ask in asks for _ in range(in_flight)))
    return done / (time.monotonic() - start), (time.process_time() - cpu) / done * 1e6


async def _ours(port: int, connections: int, seconds: float) -> tuple[float, float]:
    bus = Bus("tcp", f"tcp://127.0.0.1:{port}")
    read = Read(INPUT, 0, REGISTERS)
    opened = [
        await link.connect(bus, lambda: TcpLine(lambda: 0, Counter(), IN_FLIGHT), baud=BAUD, framing="8N1")
        for _ in range(connections)
    ]
    try:
        return await _rate([partial(line.ask, 1, read, 5.0) for _, line in opened], IN_FLIGHT, seconds)
    finally:
        for _, line in opened:
            await line.close()


async def _bare(port: int, connections: int, seconds: float) -> tuple[float, float]:
    loop = asyncio.get_running_loop()
    clients = [(await loop.create_connection(Bare, "127.0.0.1", port))[1] for _ in range(connections)]
    try:
        return await _rate([client.ask for client in clients], IN_FLIGHT, seconds)
    finally:
        for client in clients:
            client.transport.abort()


async def _pymodbus(port: int, connections: int, seconds: float) -> tuple[float, float]:
    clients = [AsyncModbusTcpClient("127.0.0.1", port=port) for _ in range(connections)]
    for client in clients:
        await client.connect()
    asks: list[Ask] = [
        lambda client=client: client.read_input_registers(0, count=REGISTERS, device_id=1)  # type: ignore[misc]
        for client in clients
    ]
    try:
        return await _rate(asks, 1, seconds)  # it answers one caller at a time
    finally:
        for client in clients:
            client.close()


def over_tcp(seconds: float) -> list[Figure]:
    """Requests a second of all three, on one connection and on thirty-two, in turns."""
    host = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.modbus_host", str(REGISTERS)], stdout=subprocess.PIPE, text=True
    )
    assert host.stdout
    port = int(json.loads(host.stdout.readline()))
    figures = []
    for connections, least in ((1, 15_000), (32, 30_000)):
        measured: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": [], "pymodbus": []}
        for _ in range(3):
            for name, client in (("ours", _ours), ("bare", _bare), ("pymodbus", _pymodbus)):
                measured[name].append(asyncio.run(client(port, connections, seconds / 18)))
        rates = {name: statistics.median(rate for rate, _ in runs) for name, runs in measured.items()}
        cpu = {name: statistics.median(us for _, us in runs) for name, runs in measured.items()}
        places = "connection" if connections == 1 else "connections"
        figures += [
            Figure(
                f"requests/s of {REGISTERS} registers on {connections} TCP {places}",
                f"{rates['ours']:,.0f}, {1e6 / cpu['ours']:,.0f} a CPU second",
                f">= {least:,}",
                rates["ours"] >= least,
            ),
            Figure(
                "  a bare asyncio client that checks nothing",
                f"{rates['bare']:,.0f} = {rates['bare'] / rates['ours']:.1f} x ours",
                "none",
                True,
            ),
            Figure(
                "  pymodbus' client",
                f"{rates['pymodbus']:,.0f} = {rates['pymodbus'] / rates['ours']:.2f} x ours",
                "none",
                True,
            ),
        ]
    host.kill()
    host.wait()
    return figures


def full() -> list[Figure]:
    """Both, long enough to be sure."""
    return on_the_line(20) + over_tcp(36)


def quick() -> list[Figure]:
    """Both, in half a minute."""
    return on_the_line(4) + over_tcp(12)
