"""Two Modbus servers that others wrote judge our client: libmodbus in C, and pymodbus over TCP and RTU."""

import shutil
import struct
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path

import pytest

from drivers.contract import Bus, Meter, Refused
from drivers.modbus.driver import open_bus
from drivers.modbus.layout import Row
from drivers.modbus.plan import Wire
from drivers.modbus.table import Table
from drivers.profiles import Profile, load
from tests.conftest import skip_or_fail
from tests.support.modbus_slaves import meter, profile_of

SOURCE = Path(__file__).parents[2] / "support" / "modbus_server.c"


def floats(count: int) -> Meter:
    """Make a meter of `count` floats in input registers."""
    rows = tuple(Row(2 * n, "f32", f"v{n}", Fraction(1), table=4) for n in range(count))
    return Meter("floats", profile_of(Table(rows)), 1)


@pytest.fixture(scope="module")
def libmodbus_server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the server, once."""
    if shutil.which("cc") is None or not Path("/usr/include/modbus/modbus.h").exists():
        skip_or_fail("cc or libmodbus is missing (apt install gcc libmodbus-dev)")
    program = tmp_path_factory.mktemp("libmodbus") / "modbus_server"
    subprocess.run(["cc", "-O1", "-o", str(program), str(SOURCE), "-lmodbus"], check=True, timeout=60)
    return program


@pytest.fixture
def libmodbus(libmodbus_server: Path, free_port: Callable[[], int]) -> Iterator[str]:
    """Run the server and give its URL."""
    port = free_port()
    with subprocess.Popen([str(libmodbus_server), str(port)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield f"tcp://127.0.0.1:{port}"
        process.kill()


async def test_libmodbus(libmodbus: str) -> None:
    """Floats, integers, the longest list, a register that is missing and exceptions, as the C library gives them."""
    driver = open_bus(Bus("b", libmodbus), lambda: 0)
    await driver.connect()
    for _ in range(100):
        reading = await driver.read(floats(30))
        assert reading.values == {f"v{n}": round(230.2 + n, 4) for n in range(30)}
    assert (await driver.read(meter(5, 55))).values == {f"r{n}": 100 + n for n in range(5, 60)}
    assert (await driver.read(meter(55, 6))).values == {f"r{n}": 100 + n for n in range(55, 60)}
    with pytest.raises(Refused) as caught:
        await driver.read(meter(60, 6))
    assert caught.value.code == 2
    await driver.close()
    assert driver.counters() == {"missing_register": 7}


def registers_of(name: str) -> dict[int, int]:
    """Take the registers of a profile's examples, of two for one register the first."""
    from tomllib import loads

    from drivers.profiles import SHIPPED

    found: dict[int, int] = {}
    for example in loads((SHIPPED / f"{name}.toml").read_text())["examples"]:
        for start, text in example["bytes"].items():
            words = struct.unpack(f">{len(bytes.fromhex(text)) // 2}H", bytes.fromhex(text))
            found = {int(start, 0) + n: word for n, word in enumerate(words)} | found
    return found


@asynccontextmanager
async def pymodbus_tcp(table: dict[int, int]) -> AsyncIterator[str]:
    """Run pymodbus' TCP server on the given registers, the same for functions 3 and 4."""
    pytest.importorskip("pymodbus", reason="the `simulator` extra")
    from pymodbus.server import ModbusTcpServer

    server = ModbusTcpServer(pymodbus_device(table), address=("127.0.0.1", 0))
    await server.listen()
    try:
        yield f"tcp://127.0.0.1:{server.transport.sockets[0].getsockname()[1]}"
    finally:
        await server.shutdown()


def pymodbus_device(table: dict[int, int]) -> object:
    """Make a device of unit 1 whose registers beyond the table are zero up to its end."""
    from pymodbus.simulator import DataType, SimData, SimDevice

    values = [table.get(at, 0) for at in range(max(table) + 1)]
    return SimDevice(id=1, simdata=[SimData(0, values=values, datatype=DataType.REGISTERS)])


@pytest.mark.parametrize("name", ["eastron-sdm120", "carlo-gavazzi-em340", "janitza-umg96rm", "tuf-2000m"])
async def test_pymodbus_tcp(name: str) -> None:
    """Whole meters as pymodbus serves them over TCP, value for value as their examples say."""
    profile = load(name)
    async with pymodbus_tcp(registers_of(name)) as url:
        driver = open_bus(Bus("b", url), lambda: 0)
        await driver.connect()
        reading = await driver.read(Meter("m", profile))
        await driver.close()
    assert set(reading.values) == {row.key for row in profile.rows}
    assert reading.values == direct(profile, registers_of(name))


def direct(profile: Profile, table: dict[int, int]) -> dict[str, object]:
    """Decode the registers without any wire."""
    layout: Table = profile.layout
    return dict(layout.decode({at: struct.pack(">H", word) for at, word in table.items()}, Wire(10 / 9600)))


async def test_pymodbus_rtu() -> None:
    """A whole meter as pymodbus serves it in RTU frames, through a transparent TCP gateway."""
    pytest.importorskip("pymodbus", reason="the `simulator` extra")
    from pymodbus.framer import FramerType
    from pymodbus.server import ModbusTcpServer

    name = "eastron-sdm120"
    server = ModbusTcpServer(pymodbus_device(registers_of(name)), framer=FramerType.RTU, address=("127.0.0.1", 0))
    await server.listen()
    port = server.transport.sockets[0].getsockname()[1]
    driver = open_bus(Bus("b", f"rtu+tcp://127.0.0.1:{port}"), lambda: 0)
    await driver.connect()
    for _ in range(5):
        reading = await driver.read(Meter("m", load(name)))
        assert reading.values == direct(load(name), registers_of(name))
    with pytest.raises(Refused) as caught:
        await driver.read(meter(0x100, 2))
    assert caught.value.code == 2
    await driver.close()
    await server.shutdown()
