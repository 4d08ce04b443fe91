"""Two DLMS clients by other people read our simulated meter, over all associations and both transports.

tests/peers/dlms_*.txt say how their environments are made.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest

from simulator.dlms.hdlc_server import HdlcServer, Offer
from simulator.dlms.wrapper_server import WrapperServer
from simulator.wire import tcp_line
from tests.support import dlms_peers as peers
from tests.support.dlms_meters import HOME, NOW, dlms_meter

DAY = 86_400
LINKS = {"wrapper": None, "hdlc": Offer(), "hdlc-wide": Offer(length=1024, window=7)}
ENERGY, VOLTAGE, PROFILE = "1.0.1.8.0.255", "1.0.32.7.0.255", "1.0.99.1.0.255"
WANTED = {
    "registers": [ENERGY, VOLTAGE], "profile": PROFILE, "first": 3, "last": 6,
    "since": int(NOW) - 2 * DAY, "until": int(NOW) - DAY,
}  # fmt: skip


@asynccontextmanager
async def meter_on(link: str) -> AsyncIterator[int]:
    """Run our meter, and give its port; it must have nothing to complain of."""
    meter, offer = dlms_meter(), LINKS[link]
    server = WrapperServer(meter) if offer is None else HdlcServer(meter, offer=offer)
    async with tcp_line(server, "127.0.0.1") as port:
        yield port
    assert meter.rejected == {}


def energy_at(time: float) -> int:
    """Give the register's watt-hours."""
    return int(HOME.at("electricity", time)["energy_import"])


def is_all_there(found: dict[str, Any]) -> None:
    """Hold what a peer read against the home."""
    voltage = round(HOME.at("electricity", NOW)["voltage_l1"], 1)
    assert found["registers"] == {ENERGY: [energy_at(NOW), 30], VOLTAGE: [pytest.approx(voltage), 35]}
    assert found["list"][0] == energy_at(NOW)
    assert [3, ENERGY] in found["objects"]
    assert [7, PROFILE] in found["objects"]
    assert len(found["rows"]) == 960
    assert found["by_entry"] == found["rows"][2:6]
    assert len(found["by_range"]) == 96
    times = [datetime.fromisoformat(row[0]).timestamp() for row in found["by_range"]]
    assert all(NOW - 2 * DAY <= time <= NOW - DAY and time % 900 == 0 for time in times)
    assert [row[2] for row in found["by_range"]] == [energy_at(time) for time in times]


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("association", peers.ASSOCIATIONS)
async def test_gurux_reads_our_meter(link: str, association: str) -> None:
    """Registers with scaler and unit, a list, the object list, all rows, rows by range and by entry, and release."""
    async with meter_on(link) as port:
        found = await peers.reads("gurux", port, association, hdlc=link != "wrapper", **WANTED)
    is_all_there(found)
    assert [column[:2] for column in found["columns"]][:3] == [
        [8, "0.0.1.0.0.255"],
        [1, "0.0.96.10.1.255"],
        [3, ENERGY],
    ]


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("association", peers.ASSOCIATIONS)
async def test_pydlms_reads_our_meter(link: str, association: str) -> None:
    """The same, by the other peer."""
    async with meter_on(link) as port:
        is_all_there(await peers.reads("pydlms", port, association, hdlc=link != "wrapper", **WANTED))


@pytest.mark.parametrize(
    ("association", "more"),
    [
        ("none", {"max_receive_pdu_size": 200}),
        ("none", {"propose_gbt": True, "gbt_window": 1, "max_receive_pdu_size": 200}),
        ("gmac", {"propose_gbt": True, "gbt_window": 5, "max_receive_pdu_size": 300, "use_dedicated_key": True}),
        ("gmac", {"protection": "general-glo", "max_receive_pdu_size": 300, "require_verified_release": True}),
        ("lls-ciphered", {"protection": "general-glo", "use_dedicated_key": True, "max_receive_pdu_size": 300}),
    ],
)
async def test_pydlms_reads_in_short_messages(association: str, more: dict[str, Any]) -> None:
    """Long answers go out in blocks of GET or in general ones, with the meter's key or one for the association."""
    async with meter_on("wrapper") as port:
        is_all_there(await peers.reads("pydlms", port, association, hdlc=False, more=more, **WANTED))


async def test_pydlms_finds_the_meters_counter() -> None:
    """The command line asks the public client for the counter and goes on above it, as people do."""
    keys = ("--key", peers.KEY, "--auth-key", peers.AUTH_KEY, "--system-title", "5059444c4d533031")
    async with meter_on("hdlc") as port:
        for _ in range(2):
            said = await peers.run_pydlms(
                "--json", "read", f"tcp+hdlc://127.0.0.1:{port}", "--client", "1", "--auth", "gmac", *keys,
                "--discover-ic", "--register", "--obis", ENERGY,
            )  # fmt: skip
            assert said[0]["value"] == energy_at(NOW)
            assert said[0]["unit"] == "Wh"


@pytest.mark.parametrize(("what", "value"), [("password", "87654321"), ("auth_key", 32 * "0"), ("key", 32 * "0")])
async def test_gurux_is_refused(what: str, value: str) -> None:
    """A wrong password or key opens nothing, and the peer understands the no."""
    meter = dlms_meter()
    async with tcp_line(WrapperServer(meter), "127.0.0.1") as port:
        with pytest.raises(AssertionError, match=r"permanently rejected|GXDLMSExceptionResponse"):
            await peers.reads(
                "gurux", port, "lls" if what == "password" else "gmac", hdlc=False, **{what: value}, **WANTED
            )
    assert meter.rejected == ({} if what == "password" else {"bad_tag": 1})
