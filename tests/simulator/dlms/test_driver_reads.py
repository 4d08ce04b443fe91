"""Our driver reads the simulated meter: every association and link, with what goes wrong on lines and in meters."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.contract import DriverError, Meter
from drivers.dlms.association import NotAdmitted
from drivers.dlms.driver import DlmsDriver
from drivers.dlms.objects import Denied, Descriptor, by_entry
from drivers.dlms.reading import read_objects
from simulator.dlms.hdlc_server import HdlcServer, Offer, Pranks
from simulator.dlms.meter import DlmsMeter, Trick
from simulator.dlms.wrapper_server import WrapperServer
from simulator.wire import tcp_line
from tests.support.dlms_meters import HOME, NOW, dlms_meter
from tests.support.dlms_peers import ASSOCIATIONS
from tests.support.dlms_readers import driver_for, meter_behind

LINKS = {"wrapper": None, "hdlc": Offer(), "hdlc-wide": Offer(length=1024, window=7)}
DAY, QUARTER = 86_400_000, 900_000
PROFILE = Descriptor(7, bytes((1, 0, 99, 1, 0, 255)), 2)


@asynccontextmanager
async def line_to(
    meter: DlmsMeter, state: Path, offer: Offer | None = None, pranks: Pranks | None = None
) -> AsyncIterator[DlmsDriver]:
    """Put a meter behind a port, and connect our driver to it; without an offer it speaks the wrapper."""
    server = WrapperServer(meter) if offer is None else HdlcServer(meter, offer=offer)
    if isinstance(server, HdlcServer) and pranks:
        server.pranks = pranks
    async with tcp_line(server, "127.0.0.1") as port, driver_for(port, state) as driver:
        yield driver


def energy_at(time: float) -> int:
    """Give the register's watt-hours."""
    return int(HOME.at("electricity", time)["energy_import"])


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("association", ASSOCIATIONS)
async def test_everything_is_read(link: str, association: str, tmp_path: Path) -> None:
    """Registers, objects, rows by time and by number; and the meter has nothing to complain of."""
    simulated, meter = dlms_meter(), meter_behind(association, hdlc=link != "wrapper")
    async with line_to(simulated, tmp_path, LINKS[link]) as driver:
        reading = await driver.read(meter)
        assert reading.values["energy_import_wh"] == energy_at(NOW)
        assert reading.values["voltage_l1_v"] == round(HOME.at("electricity", NOW)["voltage_l1"], 1)
        assert reading.meter_time == NOW * 1000
        assert Descriptor(7, PROFILE.obis, 0) in await driver._converse(meter, read_objects)
        until = int(NOW) * 1000 // QUARTER * QUARTER
        rows = await driver.history(meter, until - DAY + QUARTER, until)
        assert [row.captured for row in rows] == list(range(until - DAY + QUARTER, until + 1, QUARTER))
        assert [row.values["energy_import_wh"] for row in rows] == [
            energy_at((row.captured or 0) / 1000) for row in rows
        ]
        chosen = await driver._converse(meter, lambda client: client.get(PROFILE, by_entry(957, 960)))
        assert not isinstance(chosen, Denied)
        assert [row.elements[2].content for row in chosen.elements] == [
            row.values["energy_import_wh"] for row in rows[-4:]
        ]
    assert simulated.rejected == {}


async def refused(driver: DlmsDriver, meter: Meter) -> DriverError:
    """Read, and give the error that must come of it."""
    with pytest.raises(DriverError) as caught:
        await driver.read(meter)
    return caught.value


@pytest.mark.parametrize("trick", [trick for trick in Trick if trick is not Trick.EXCEPTION])
async def test_a_meters_false_messages_are_refused(trick: Trick, tmp_path: Path) -> None:
    """Replayed, repeated, lower and leaping counters, a foreign title: refused; the true meter is then believed."""
    simulated, meter = dlms_meter(), meter_behind("lls-ciphered", hdlc=False)
    async with line_to(simulated, tmp_path) as driver:
        before = await driver.read(meter)
        simulated.tricks.append(trick)
        said = str(await refused(driver, meter))
        assert REFUSED[trick] in said
        assert not simulated.tricks
    # A new driver, as after a restart: what it has heard, and what the false message said of counters, is on disk.
    async with line_to(simulated, tmp_path) as driver:
        assert (await driver.read(meter)).values == before.values
    assert simulated.rejected == {}


REFUSED = {
    Trick.REPLAY: "does not rise", Trick.SAME_COUNTER: "does not rise", Trick.LOWER_COUNTER: "does not rise",
    Trick.WRONG_TITLE: "was expected", Trick.JUMP: "do not open",
}  # fmt: skip


async def test_a_no_to_a_list_is_not_the_end(tmp_path: Path) -> None:
    """A meter that answers a list with an exception is asked one by one."""
    simulated, meter = dlms_meter(), meter_behind("lls-ciphered", hdlc=False)
    async with line_to(simulated, tmp_path) as driver:
        before = await driver.read(meter)
        simulated.tricks.append(Trick.EXCEPTION)
        assert (await driver.read(meter)).values == before.values
        assert not simulated.tricks


async def test_what_was_heard_before_a_restart_is_refused_after_it(tmp_path: Path) -> None:
    """A whole conversation of the meter, said again to a driver that was started anew, opens nothing."""
    simulated, meter = dlms_meter(), meter_behind("lls-ciphered", hdlc=False)
    async with line_to(simulated, tmp_path) as driver:
        await driver.read(meter)
    simulated.counter = 1
    async with line_to(simulated, tmp_path) as driver:
        assert "does not rise" in str(await refused(driver, meter))


@pytest.mark.parametrize(
    "pranks", [Pranks(lost=1), Pranks(damaged=1), Pranks(not_ready=2)], ids=["lost", "damaged", "rnr"]
)
async def test_a_lost_frame_costs_no_reading(pranks: Pranks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames that are lost or damaged are asked for again, and a meter that is not ready is waited for."""
    monkeypatch.setattr("drivers.dlms.driver.ANSWER", 0.05)
    simulated, meter = dlms_meter(), meter_behind("none", hdlc=True, deadline=0.05)
    async with line_to(simulated, tmp_path, Offer(), pranks) as driver:
        assert (await driver.read(meter)).values["energy_import_wh"] == energy_at(NOW)
    assert pranks == Pranks()


@pytest.mark.parametrize("association", ["lls", "lls-ciphered", "gmac"])
async def test_wrong_secrets_do_not_lock_the_meter(association: str, tmp_path: Path) -> None:
    """A wrong password or key is told once, and then kept from the meter, which would lock itself."""
    simulated, wrong = dlms_meter(), meter_behind(association, hdlc=False, wrong=True)
    async with line_to(simulated, tmp_path) as driver:
        for _ in range(10):
            assert isinstance(await refused(driver, wrong), NotAdmitted)
        assert not simulated.is_locked
        reading = await driver.read(meter_behind(association, hdlc=False))
        assert reading.values["energy_import_wh"] == energy_at(NOW)
