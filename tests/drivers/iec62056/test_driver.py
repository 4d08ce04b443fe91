"""Tests of drivers/iec62056/driver.py and session.py: whole conversations with simulated meters on virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from drivers import link
from drivers.contract import Bus, DecodeError, Keys, Meter, NoAnswer, NotConnected, Reading, Refused
from drivers.iec62056.driver import SIGN_ON, Iec62056Driver
from drivers.iec62056.hand_over import open_hdlc
from drivers.iec62056.messages import BREAK
from drivers.iec62056.session import Manner, Timing
from drivers.profiles import Profile, load
from simulator.iec62056_server import Model
from tests.support.optical import VALUES, Wire
from tests.support.virtual_time import run_virtually

PROFILE = load("iec62056-21")
READ = {"energy_import_wh": 12345678, "power_w": -250}
BUS = Bus("head", "/dev/ttyUSB0")


def profile_with(manner: Manner = PROFILE.layout.manner, **layout: object) -> Profile:
    """Give the generic profile with other options."""
    return replace(PROFILE, layout=replace(PROFILE.layout, manner=manner, **layout))


def meter_of(manner: Manner = PROFILE.layout.manner, **options: Any) -> Meter:
    """Give a meter with other options of its profile, address or keys."""
    own = {key: options.pop(key) for key in ("address", "keys", "deadline") if key in options}
    return Meter("m", profile_with(manner, **options), **own)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Give a callable that connects a driver to a wire and runs a conversation on virtual time."""

    def begin(wire: Wire, talk: Callable[[Iec62056Driver], Coroutine[Any, Any, Any]], bus: Bus = BUS) -> Any:
        monkeypatch.setattr(link, "connect", wire.connect)
        monkeypatch.setattr(link, "set_line", wire.set_line)

        async def whole() -> Any:
            loop = asyncio.get_running_loop()
            driver = Iec62056Driver(bus, lambda: int(1000 * loop.time()))
            await driver.connect()
            try:
                return await talk(driver)
            finally:
                await driver.close()
                await asyncio.sleep(0)

        return run_virtually(whole())

    return begin


async def twice(driver: Iec62056Driver, meter: Meter) -> tuple[Reading, Reading]:
    """Read a meter, and once more."""
    return await driver.read(meter), await driver.read(meter)


@pytest.mark.parametrize(
    ("model", "manner", "speeds"),
    [
        (Model("A", " "), Manner(), [300]),
        (Model("B", "E"), Manner(), [300, 9600, 300, 9600]),
        (Model("C", "5"), Manner(), [300, 9600, 300, 9600]),
        (Model("C", "0"), Manner(), [300]),
        (Model("C", "5", maker="Nbd"), Manner(), [300, 9600, 300, 9600]),
        (Model("C", "5", framed=False), Manner(bcc="absent"), [300, 9600, 300, 9600]),
        (Model("C", "5", obeys=False), Manner(stay=True), [300]),
        (Model("C", "6", first_baud=9600), Manner(speed=9600), [300, 9600, 19200, 9600, 19200]),
        (Model("C", "3"), Manner(wake_up=True), [300, 2400, 300, 2400]),
    ],
    ids=["A", "B", "C", "C at 300", "fast", "no check", "stays", "other first speed", "wake-up"],
)
def test_a_list_in_every_mode(run: Callable[..., Any], model: Model, manner: Manner, speeds: list[int]) -> None:
    """Each mode gives the values, twice, and the port is set to each speed in its turn, never too early."""
    wire = Wire(model)
    first, second = run(wire, lambda driver: twice(driver, meter_of(manner)))
    assert first.values == second.values == READ
    assert first.at < second.at
    assert [line.baud for line in wire.speeds] == speeds
    assert BREAK not in wire.sent


def test_a_long_list_at_300_baud_takes_its_time(run: Callable[..., Any]) -> None:
    """A minute of characters is waited for, whatever the default deadline of a meter."""
    values = {f"1.8.0*{number:02d}": "000000.000*kWh" for number in range(70)} | dict(VALUES)
    wire = Wire(Model("A", " "), values)

    async def timed(driver: Iec62056Driver) -> tuple[Reading, float]:
        start = asyncio.get_running_loop().time()
        return await driver.read(meter_of()), asyncio.get_running_loop().time() - start

    reading, seconds = run(wire, timed)
    assert reading.values == READ
    assert 50 < seconds < 80


def test_a_list_beyond_its_budget_is_given_up(run: Callable[..., Any]) -> None:
    """What takes longer than budget and deadline fails, and says what to change; a longer deadline lets it come."""
    values = {f"1.8.0*{number:02d}": "000000.000*kWh" for number in range(70)} | dict(VALUES)
    wire = Wire(Model("C", "0"), values)
    with pytest.raises(NoAnswer, match=rf"not whole within {SIGN_ON + 10:g} s.*budget"):
        run(wire, lambda driver: driver.read(meter_of(budget=10.0)))
    assert wire.sent.endswith(BREAK)
    assert run(wire, lambda driver: driver.read(meter_of(budget=10.0, deadline=90.0))).values == READ


def test_a_meter_that_stays_at_300_is_noticed(run: Callable[..., Any]) -> None:
    """One that does not follow its own offer fails with the option that helps."""
    wire = Wire(Model("C", "5", obeys=False))
    with pytest.raises((NoAnswer, DecodeError), match=r"stay = true|framing"):
        run(wire, lambda driver: driver.read(meter_of()))
    assert wire.sent.endswith(BREAK)


@pytest.mark.parametrize("parity", [False, True])
def test_echo_and_parity_in_software(run: Callable[..., Any], *, parity: bool) -> None:
    """A head that hears itself, or passes eight bits, changes nothing."""
    bus = replace(BUS, framing="8N1") if parity else BUS
    for meter in (meter_of(), meter_of(ask="R5")):
        wire = Wire(Model("C", "5"), echo=True, parity=parity)
        assert run(wire, lambda driver, meter=meter: driver.read(meter), bus).values == READ


def test_the_device_address_is_asked_for(run: Callable[..., Any]) -> None:
    """Of several meters on one current loop only the one with the address answers."""
    wire = Wire(Model("C", "5", address="12345678"))
    assert run(wire, lambda driver: driver.read(meter_of(address="12345678"))).values == READ
    assert b"/?12345678!\r\n" in wire.sent
    with pytest.raises(NoAnswer, match="m: silence"):
        run(wire, lambda driver: driver.read(meter_of(address="99")))


def test_a_wake_up_leaves_the_meter_its_time(run: Callable[..., Any]) -> None:
    """The sign-on follows 2.2 s of NULs, as long as they take to leave, and a pause."""
    wire = Wire(Model("C", "0"))
    assert run(wire, lambda driver: driver.read(meter_of(Manner(wake_up=True)))).values == READ
    assert wire.sent.startswith(bytes(66) + b"/?!")
    assert wire.moments[1] - wire.moments[0] == pytest.approx(2.2 + 1.5 + 0.2)


def test_a_long_address_at_300_baud(run: Callable[..., Any]) -> None:
    """A sign-on that takes a second to leave does not shorten the answer's deadline; nor does its echo."""
    wire = Wire(Model("C", "0", address="A" * 31), echo=True, damage=lambda _: b"")

    async def timed(driver: Iec62056Driver) -> float:
        start = asyncio.get_running_loop().time()
        with pytest.raises(NoAnswer, match="m: silence "):
            await driver.read(meter_of(address="A" * 31))
        return asyncio.get_running_loop().time() - start

    assert run(wire, timed) >= 0.2 + 36 * 10 / 300 + Timing().answer


@pytest.mark.parametrize("address", ["7!", "é", "1" * 33])
def test_an_address_that_is_none(run: Callable[..., Any], address: str) -> None:
    """What no sign-on can carry is refused before anything is sent."""
    wire = Wire()
    with pytest.raises(Refused, match="no device address"):
        run(wire, lambda driver: driver.read(meter_of(address=address)))
    assert wire.sent == b""


def test_another_list_is_opted_for(run: Callable[..., Any]) -> None:
    """The acknowledgement carries the profile's protocol and mode characters around the meter's speed."""
    wire = Wire(Model("C", "0"))
    with pytest.raises(NoAnswer):  # the simulated meter has the standard list only
        run(wire, lambda driver: driver.read(meter_of(Manner(option="06"))))
    assert b"\x06006\r\n" in wire.sent


def test_a_meter_of_eight_bits_needs_no_parity(run: Callable[..., Any]) -> None:
    """A meter that talks 8N1 itself is read as it is through a head of 8N1."""
    wire = Wire(Model("C", "5"))
    bus = replace(BUS, framing="8N1")
    assert run(wire, lambda driver: driver.read(meter_of(characters="8N1")), bus).values == READ


def test_over_tcp_the_meter_is_told_to_stay(run: Callable[..., Any]) -> None:
    """A serial server keeps its speed, so the meter must."""
    wire = Wire(Model("C", "5"))
    assert run(wire, lambda driver: driver.read(meter_of()), Bus("b", "tcp://h:1")).values == READ
    assert b"\x06000\r\n" in wire.sent
    assert len(wire.speeds) == 1


@pytest.mark.parametrize("ask", ["R1", "R2", "R5", "R6"])
def test_registers_in_programming_mode(run: Callable[..., Any], ask: str) -> None:
    """Each row is asked for behind the password, those the meter lacks are left out, and B0 ends it."""
    wire = Wire(Model("C", "5", password="12345678"))
    meter = meter_of(ask=ask, keys=Keys(password=b"12345678"))

    async def talk(driver: Iec62056Driver) -> tuple[Reading, int]:
        return await driver.read(meter), driver.counters()["missing_register"]

    reading, missing = run(wire, talk)
    assert reading.values == READ
    assert missing == len(PROFILE.layout.rows) - len(READ)
    assert wire.sent.count(BREAK) == 1
    assert wire.sent.endswith(BREAK)


def test_a_wrong_password_is_refused(run: Callable[..., Any]) -> None:
    """The installer is sent to the password, and the meter is let go; the password is in no message."""
    wire = Wire(Model("C", "5", password="12345678"))
    with pytest.raises(Refused, match="password_file") as caught:
        run(wire, lambda driver: driver.read(meter_of(ask="R5", keys=Keys(password=b"secret"))))
    assert "secret" not in str(caught.value)
    assert wire.sent.endswith(BREAK)


def test_nobody_there(run: Callable[..., Any]) -> None:
    """A silent line costs the answer's deadline only."""
    wire = Wire(damage=lambda _: b"")

    async def timed(driver: Iec62056Driver) -> float:
        start = asyncio.get_running_loop().time()
        with pytest.raises(NoAnswer, match=r"m: silence .*head"):
            await driver.read(meter_of())
        return asyncio.get_running_loop().time() - start

    assert run(wire, timed) == pytest.approx(0.2 + 5 * 10 / 300 + Timing().answer)


@pytest.mark.parametrize("bit", range(8))
def test_a_turned_bit_is_no_reading(run: Callable[..., Any], bit: int) -> None:
    """A value that changed on its way is never believed."""

    def spoil(data: bytes) -> bytes:
        return data.replace(b"34", bytes((ord("3") ^ 1 << bit,)) + b"4")

    wire = Wire(Model("C", "5"), paced=False, damage=spoil)
    with pytest.raises((DecodeError, NoAnswer)):
        run(wire, lambda driver: driver.read(meter_of()))


def test_a_wrong_check_may_be_accepted(run: Callable[..., Any]) -> None:
    """Old meters with a wrong check character are read when their profile says so, and every reading is marked."""
    wire = Wire(Model("C", "5"), paced=False, damage=lambda data: data.replace(b"4711", b"4712"))
    reading = run(wire, lambda driver: driver.read(meter_of(Manner(bcc="ignored"))))
    assert reading.values == READ
    assert reading.status == ("measurement_error",)


def test_a_meter_that_talks_by_itself(run: Callable[..., Any]) -> None:
    """Mode D gives each list once, at its own speed; while nobody reads, only the newest is kept."""
    wire = Wire(Model("D", "5", first_baud=9600, framed=False, every=2.0))
    meter = Meter("m", load("iec62056-21-d"))

    async def talk(driver: Iec62056Driver) -> list[int]:
        times = [(await driver.read(meter)).at]
        await asyncio.sleep(60)
        times += [(await driver.read(meter)).at for _ in range(3)]
        return times

    times = run(wire, talk)
    assert wire.speeds[-1].baud == 9600
    assert [later - sooner for sooner, later in pairwise(times[1:])] == [2000, 2000]
    assert times[1] - times[0] >= 58_000
    assert wire.sent == b""


def test_mode_d_falls_silent(run: Callable[..., Any]) -> None:
    """No list is no reading; an error says where to look."""
    wire = Wire(Model("D", framed=False, first_baud=9600), damage=lambda _: b"")
    with pytest.raises(NoAnswer, match=r"no list within 65 s.*speed"):
        run(wire, lambda driver: driver.read(Meter("m", load("iec62056-21-d"))))


def test_the_link_breaks(run: Callable[..., Any]) -> None:
    """Whoever waits is told to connect again, and then reads on."""
    wire = Wire(Model("C", "5"))

    async def talk(driver: Iec62056Driver) -> Reading:
        reading = asyncio.create_task(driver.read(meter_of()))
        await asyncio.sleep(0.5)
        wire.abort()
        with pytest.raises(NotConnected, match="closed the link"):
            await reading
        await driver.connect()
        return await driver.read(meter_of())

    assert run(wire, talk).values == READ


def test_a_babbling_line(run: Callable[..., Any]) -> None:
    """A line that is never silent is given up after a few seconds."""
    wire = Wire(Model("D", framed=False, every=0.1), paced=False)
    with pytest.raises(NoAnswer, match=r"never silent.*mode D"):
        run(wire, lambda driver: driver.read(meter_of()))


def test_a_list_of_other_things(run: Callable[..., Any]) -> None:
    """A list without any of the rows names what it holds."""
    wire = Wire(Model("C", "5"), {"6.8": "0029.055*MWh", "6.26": "01589.28*m3"})
    with pytest.raises(NoAnswer, match=r"but 6\.8, 6\.26.*profile fit"):
        run(wire, lambda driver: driver.read(meter_of()))


def test_cancelled_in_the_middle(run: Callable[..., Any]) -> None:
    """A read that is given up lets the meter go and the line be used again."""
    wire = Wire(Model("C", "0"))

    async def talk(driver: Iec62056Driver) -> Reading:
        reading = asyncio.create_task(driver.read(meter_of()))
        await asyncio.sleep(3)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert wire.sent.endswith(BREAK)
        return await driver.read(meter_of())

    assert run(wire, talk).values == READ


class Hdlc(asyncio.Protocol):
    """What a DLMS driver would put on the line."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say something at once."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"~")


@pytest.mark.parametrize("framing", [None, "7E1", "8N1"])
def test_hand_over_to_hdlc(monkeypatch: pytest.MonkeyPatch, framing: str | None) -> None:
    """Mode E agrees on protocol 2, switches to eight bits at the speed offered, and gives the open line away."""
    wire = Wire(Model("C", "5"), parity=framing == "8N1")
    monkeypatch.setattr(link, "connect", wire.connect)
    monkeypatch.setattr(link, "set_line", wire.set_line)

    async def talk() -> None:
        transport, protocol, said = await open_hdlc(replace(BUS, framing=framing), Hdlc, lambda: 0)
        assert transport is wire
        assert wire.protocol is protocol
        assert said.baud == 9600
        transport.abort()

    run_virtually(talk())
    assert wire.speeds[-1] == link.Line(9600, 8, "N", 1)
    assert wire.sent.endswith(b"\x06252\r\n~")


def test_no_hand_over_through_a_serial_server() -> None:
    """A serial server cannot change its framing, and the installer is told."""
    with pytest.raises(NotConnected, match="serial port of this machine"):
        run_virtually(open_hdlc(Bus("b", "tcp://h:1"), Hdlc, lambda: 0))
