"""Meters that lack registers of their profile: found by halves, left out from then on."""

import struct
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from fractions import Fraction

import pytest

from drivers.contract import Bus, DecodeError, Meter, Refused
from drivers.modbus.codec import Read
from drivers.modbus.driver import ModbusDriver, open_bus
from drivers.modbus.layout import Row, Status
from drivers.modbus.nameplate import Nameplate
from drivers.modbus.plan import Span, Wire
from drivers.modbus.table import Table
from tests.support.modbus_slaves import TcpHost, mbap, profile_of, registers

WIRE = Wire(10 / 9600)


def row(at: int, table: int = 3) -> Row:
    """Make a row that shows which register it came from."""
    return Row(at, "u16", f"r{at}", Fraction(1), table=table)


class Meters:
    """A host whose one meter lacks registers, and refuses requests that `refuses` says."""

    def __init__(self, refuses: Callable[[int, range], bool], code: int = 2) -> None:
        self.refuses, self.code = refuses, code
        self.asked: list[tuple[int, int]] = []

    def __call__(self, request: bytes) -> Iterable[tuple[float, bytes]]:
        """Answer one TCP request."""
        function, at, count = struct.unpack(">BHH", request[7:12])
        self.asked.append((at, count))
        if self.refuses(function, range(at, at + count)):
            return [(0, mbap(request, bytes((function | 0x80, self.code))))]
        return [(0, mbap(request, registers(request[6:])))]


def lacking(*missing: int) -> Meters:
    """Make a meter that refuses every request with one of these registers."""
    return Meters(lambda _, asked: any(at in asked for at in missing))


@asynccontextmanager
async def reading(meters: Meters, in_flight: int = 1) -> AsyncIterator[ModbusDriver]:
    """Open a driver on a host of such meters."""
    async with TcpHost(meters) as host:
        driver = open_bus(Bus("b", host.url, in_flight=in_flight), lambda: 0)
        await driver.connect()
        yield driver
        await driver.close()


def meter(rows: Iterable[Row | Status], **limits: int) -> Meter:
    """Make a meter of these rows."""
    return Meter("m", profile_of(Table(tuple(rows), **limits)), 1)  # type: ignore[arg-type]


def values(places: Iterable[int]) -> dict[str, int]:
    """Name what a reading of these registers gives."""
    return {f"r{at}": at for at in places}


@pytest.mark.parametrize("code", [2, 3])
@pytest.mark.parametrize("missing", [(0,), (31,), (13,), (4, 5), (0, 17, 31)])
async def test_missing_registers_are_found_and_left_out(missing: tuple[int, ...], code: int) -> None:
    """The others are read at once; the next reading asks for nothing that is missing, in as few requests as can be."""
    meters = lacking(*missing)
    meters.code = code
    whole = meter(row(at) for at in range(32))
    there = [at for at in range(32) if at not in missing]
    async with reading(meters) as driver:
        assert (await driver.read(whole)).values == values(there)
        assert driver.counters()["missing_register"] == len(missing)
        assert len(meters.asked) <= 2 * len(missing) * 6
        meters.asked.clear()
        for _ in range(2):
            assert (await driver.read(whole)).values == values(there)
    runs = 1 + sum(1 for at in there[1:] if at - 1 not in there)
    assert len(meters.asked) == 2 * runs


@pytest.mark.parametrize("in_flight", [1, 4])
async def test_hole_that_must_not_be_read_along(in_flight: int) -> None:
    """Two runs of registers with a bad hole between: nothing is missing, and the hole is not touched again."""
    meters = lacking(18)
    whole = meter([row(at) for at in (*range(16), *range(20, 36), *range(100, 110))])
    there = values((*range(16), *range(20, 36), *range(100, 110)))
    async with reading(meters, in_flight) as driver:
        assert (await driver.read(whole)).values == there
        meters.asked.clear()
        assert (await driver.read(whole)).values == there
        assert meters.asked == [(0, 16), (20, 16), (100, 10)]
        assert driver.counters() == {}


async def test_meter_that_takes_fewer_registers_than_its_profile_says() -> None:
    """Exception 3 for more than ten at once: everything is read, and the large request never again."""
    meters = Meters(lambda _, asked: len(asked) > 10, code=3)
    whole = meter(row(at) for at in range(40))
    async with reading(meters) as driver:
        for _ in range(2):  # the second reading tries what the first one left open
            assert (await driver.read(whole)).values == values(range(40))
        meters.asked.clear()
        assert (await driver.read(whole)).values == values(range(40))
        assert all(count <= 10 for _, count in meters.asked)
        assert not driver.counters()


async def test_two_tables() -> None:
    """Rows of both tables are read, each by its own function, and a row missing in one is not missed in the other."""
    meters = Meters(lambda function, asked: function == 4 and 3 in asked)
    rows = [*(row(at) for at in range(6)), *(Row(at, "u16", f"i{at}", Fraction(1), table=4) for at in range(6))]
    async with reading(meters) as driver:
        got = (await driver.read(meter(rows))).values
    assert got == values(range(6)) | {f"i{at}": at for at in range(6) if at != 3}


async def test_a_meter_that_refuses_everything() -> None:
    """Its own refusal comes through; from then on it costs one request, and it is read again once it answers."""
    starting = True
    meters = Meters(lambda _, __: starting)
    whole = meter(row(at) for at in (*range(10), *range(100, 110)))
    async with reading(meters) as driver:
        with pytest.raises(Refused, match="does not exist") as caught:
            await driver.read(whole)
        assert (caught.value.code, caught.value.meter) == (2, "m")
        meters.asked.clear()
        for _ in range(3):
            with pytest.raises(Refused):
                await driver.read(whole)
        assert len(meters.asked) == 3
        starting = False
        await driver.read(whole)
        assert (await driver.read(whole)).values == values((*range(10), *range(100, 110)))


async def test_a_reconnect_forgets() -> None:
    """After `connect` the whole profile is asked for again: another meter may hang there."""
    gone = {5}
    meters = Meters(lambda _, asked: any(at in asked for at in gone))
    whole = meter(row(at) for at in range(10))
    async with reading(meters) as driver:
        assert len((await driver.read(whole)).values) == 9
        gone.clear()
        assert len((await driver.read(whole)).values) == 9
        await driver.connect()
        assert (await driver.read(whole)).values == values(range(10))


@pytest.mark.parametrize("code", [1, 4, 5, 6, 10, 11])
async def test_other_exceptions_are_not_halved(code: int) -> None:
    """Busy, broken or unreachable is not a matter of registers: one request, one error."""
    meters = Meters(lambda _, __: True, code)
    async with reading(meters) as driver:
        with pytest.raises(Refused) as caught:
            await driver.read(meter(row(at) for at in range(10)))
    assert (caught.value.code, len(meters.asked)) == (code, 1)


async def test_status_bits_reach_the_reading() -> None:
    """A reading carries the words of its status registers, each once."""
    rows: list[Row | Status] = [
        row(1),
        Status(0x8001, "u16", ((1, "leak"), (1 << 15, "dry"), (2, "burst"))),
        Status(3, "u16", ((1, "leak"),)),
    ]
    async with reading(lacking()) as driver:
        got = await driver.read(meter(rows))
    assert got.values == {"r1": 1}
    assert sorted(got.status) == ["dry", "leak"]


async def test_nameplate() -> None:
    """Text and numbers by their names; what is refused is left out, what a terminal would obey too."""
    plates = (
        Nameplate("model", Read(3, 0x4232, 2)),
        Nameplate("escape", Read(3, 0x1B41, 1)),
        Nameplate("serial", Read(3, 0x1234, 2), "bcd32"),
        Nameplate("version", Read(3, 7, 2), "u32", "CDAB"),
        Nameplate("maker", Read(3, 99, 1)),
    )
    async with reading(lacking(99)) as driver:
        table = Table((row(1),), nameplate=plates)
        found = await driver.nameplate(Meter("m", profile_of(table), 1))
    assert found == {"model": "B2B3", "escape": "A", "serial": "12341235", "version": str(8 << 16 | 7)}


async def test_first_reading_in_another_order_is_never_given() -> None:
    """A wrong order in the profile is an error at each reading, until the profile is right (M4)."""
    value = struct.pack(">f", 230.1)

    def says(request: bytes) -> list[tuple[float, bytes]]:
        return [(0, mbap(request, b"\x03\x04" + value[2:] + value[:2]))]

    voltage = Row(0, "f32", "voltage_v", Fraction(1))
    async with TcpHost(says) as host:
        driver = open_bus(Bus("b", host.url), lambda: 0)
        await driver.connect()
        for _ in range(3):
            with pytest.raises(DecodeError, match=r"ABCD gives voltage .*CDAB would give voltage 230\.1 V") as caught:
                await driver.read(Meter("m", profile_of(Table((voltage,))), 1))
            assert caught.value.meter == "m"
        got = await driver.read(Meter("m", profile_of(Table((voltage,), "CDAB")), 1))
        assert got.values == {"voltage_v": 230.1}
        await driver.close()


def test_forbidden_and_limits_are_planned() -> None:
    """The table hands its limits to the plan of each of its functions."""
    rows = (*(row(at) for at in range(10)), *(row(at, 4) for at in range(10)))
    pages = Table(rows, max_registers=4, forbidden=(Span(5, 6),)).pages(WIRE)
    asked = [(page.read.function, page.read.start, page.read.count) for page in pages]
    assert sorted(at for function, start, count in asked if function == 4 for at in range(start, start + count)) == [
        *range(10)
    ]
    assert (3, 5, 1) in asked
    assert all(count <= 4 for _, _, count in asked)
