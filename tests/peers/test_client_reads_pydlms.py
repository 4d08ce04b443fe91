"""Our DLMS driver reads a meter by other people, over all associations and both transports.

tests/peers/dlms_pydlms.txt says how its environment is made.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drivers.contract import Meter
from drivers.dlms.association import NotAdmitted
from drivers.dlms.axdr import Data
from drivers.dlms.driver import DlmsDriver
from drivers.dlms.objects import Denied, Descriptor, Result, by_entry
from drivers.dlms.reading import read_objects
from tests.support import dlms_peers as peers
from tests.support.dlms_readers import driver_for, meter_behind

MIDNIGHT = int(datetime(2024, 5, 1, tzinfo=UTC).timestamp()) * 1000
QUARTER, DAY = 900_000, 86_400_000
PROFILE = Descriptor(7, bytes((1, 0, 99, 1, 0, 255)), 2)
REGISTER = Descriptor(3, bytes((1, 0, 1, 8, 0, 255)), 0)
LINKS = {"wrapper": 0, "hdlc": 1, "hdlc-wide": 7}


@pytest.fixture(params=LINKS)
def link(request: pytest.FixtureRequest) -> str:
    """Name the way to the peer's meter; by window where it is HDLC."""
    name: str = request.param
    return name


@asynccontextmanager
async def peer_read_by_us(link: str, state: Path) -> AsyncIterator[DlmsDriver]:
    """Run the peer's meter and our driver."""
    async with (
        peers.pydlms_meter(hdlc=link != "wrapper", window=LINKS[link] or 1) as port,
        driver_for(port, state) as driver,
    ):
        yield driver


@pytest.mark.parametrize("association", peers.ASSOCIATIONS)
async def test_everything_is_read(link: str, association: str, tmp_path: Path) -> None:
    """Registers in one reading, twice over; objects; the load profile by time and by number; all of it released."""
    meter = meter_behind(association, hdlc=link != "wrapper")
    async with peer_read_by_us(link, tmp_path) as driver:
        for _ in range(2):
            reading = await driver.read(meter)
            assert reading.values == {
                "energy_import_wh": 12345678, "energy_export_wh": 4321, "power_import_w": 1520,
                "voltage_l1_v": 230.1, "current_l1_a": 5.23,
            }  # fmt: skip
        objects = await driver._converse(meter, read_objects)
        assert {REGISTER, Descriptor(7, PROFILE.obis, 0)} < set(objects)
        rows = await driver.history(meter, MIDNIGHT, MIDNIGHT + DAY)
        assert [row.captured for row in rows] == list(range(MIDNIGHT, MIDNIGHT + DAY, QUARTER))
        assert [row.values for row in rows] == [{"energy_import_wh": 1000 + 7 * number} for number in range(96)]
        assert [entry.elements[1].content for entry in await by_number(driver, meter, 3, 6)] == [1014, 1021, 1028, 1035]
        assert dict(driver.counters()).get("bad_tag") is None


async def by_number(driver: DlmsDriver, meter: Meter, first: int, last: int) -> tuple[Data, ...]:
    """Read some rows by number."""
    result: Result = await driver._converse(meter, lambda client: client.get(PROFILE, by_entry(first, last)))
    assert not isinstance(result, Denied)
    return result.elements


@pytest.mark.parametrize("association", ["lls", "lls-ciphered", "gmac"])
async def test_wrong_secrets_are_told_apart_from_silence(link: str, association: str, tmp_path: Path) -> None:
    """The peer's no to a wrong password or key is an error of its own, and the meter is then left alone."""
    meter = meter_behind(association, hdlc=link != "wrapper", wrong=True)
    async with peer_read_by_us(link, tmp_path) as driver:
        for _ in range(2):
            with pytest.raises(NotAdmitted):
                await driver.read(meter)
