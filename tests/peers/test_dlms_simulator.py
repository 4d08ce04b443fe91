"""Two DLMS clients by other people read our simulated meter, over all associations and both transports.

tests/peers/dlms_*.txt say how their environments are made.
"""

import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulator.dlms.hdlc_server import HdlcServer, Offer
from simulator.dlms.wrapper_server import WrapperServer
from simulator.wire import tcp_line
from tests.support import dlms_peers as peers
from tests.support.dlms_meters import HOME, NOW, ZONE, dlms_meter

DAY = 86_400
LINKS = {"wrapper": None, "hdlc": Offer(), "hdlc-wide": Offer(length=1024, window=7)}
ENERGY, VOLTAGE, PROFILE = "1.0.1.8.0.255", "1.0.32.7.0.255", "1.0.99.1.0.255"


@pytest.fixture
def counters() -> Iterator[int]:
    """Give first counters of clients; one meter takes each counter once."""
    return itertools.count(1000, 1000)


@asynccontextmanager
async def meter_on(link: str) -> AsyncIterator[int]:
    """Run our meter, and give its port."""
    meter, offer = dlms_meter(), LINKS[link]
    server = WrapperServer(meter) if offer is None else HdlcServer(meter, offer=offer)
    async with tcp_line(server, "127.0.0.1") as port:
        yield port
    assert meter.rejected == {}


def energy_at(time: float) -> int:
    """Give the register's watt-hours."""
    return int(HOME.at("electricity", time)["energy_import"])


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("association", peers.ASSOCIATIONS)
async def test_gurux_reads_our_meter(link: str, association: str) -> None:
    """Registers with scaler and unit, a list, the object list, all rows, rows by range and by entry, and release."""
    async with meter_on(link) as port:
        found = await peers.gurux_reads(
            port, association, hdlc=link != "wrapper", registers=[ENERGY, VOLTAGE], profile=PROFILE,
            first=3, last=6, since=int(NOW) - 2 * DAY, until=int(NOW) - DAY,
        )  # fmt: skip
    voltage = round(HOME.at("electricity", NOW)["voltage_l1"], 1)
    assert found["registers"] == {ENERGY: [energy_at(NOW), 30], VOLTAGE: [pytest.approx(voltage), 35]}
    assert found["list"] == [energy_at(NOW), pytest.approx(voltage)]
    assert [3, ENERGY] in found["objects"]
    assert [7, PROFILE] in found["objects"]
    assert [column[:2] for column in found["columns"][:3]] == [[8, "0.0.1.0.0.255"], [1, "0.0.96.10.1.255"], [3, ENERGY]]
    assert len(found["rows"]) == 960
    assert found["by_entry"] == found["rows"][2:6]
    assert len(found["by_range"]) == 96
    times = [datetime.fromisoformat(row[0]).timestamp() for row in found["by_range"]]
    assert all(NOW - 2 * DAY <= time <= NOW - DAY and time % 900 == 0 for time in times)
    assert [row[2] for row in found["by_range"]] == [energy_at(time) for time in times]
