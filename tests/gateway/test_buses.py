"""The buses of a station: asked for nameplates between two turns, and given back to their pollers whatever happens."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from drivers.contract import Meter, NoAnswer, NotConnected, Reading
from gateway.buses import Buses, _Running
from gateway.custody import Lent
from gateway.poll import Poller
from tests.support.virtual_time import run_virtually


@dataclass
class Wire:
    """A driver with two meters, of which the second says nothing; it may fail to open, or to close."""

    turns: Literal["asked", "pushed"] = "asked"
    broken: bool = False
    stuck: bool = False
    is_open: bool = False

    async def connect(self) -> None:
        """Open the port."""
        if self.broken:
            raise NotConnected("no such port")
        self.is_open = True

    async def read(self, meter: Meter) -> Reading:
        """Answer at once."""
        return Reading(meter.id, 0, {"power_w": 1})

    async def nameplate(self, meter: Meter) -> Mapping[str, str]:
        """Tell the first meter's number."""
        assert self.is_open
        if meter.id != "first":
            raise NoAnswer("silence")
        return {"serial": "4711"}

    async def close(self) -> None:
        """Close it, against the contract with an error where it is stuck."""
        self.is_open = False
        if self.stuck:
            raise OSError("input/output error")

    def counters(self) -> Mapping[str, int]:
        """Nothing was rejected."""
        return {}


def buses_of(wire: Any) -> Buses:
    """Have one bus, which nobody polls."""
    nothing: Any = None
    buses = Buses(lambda: 0, nothing, nothing, nothing)
    meters = [(Meter(name, nothing), 10.0) for name in ("first", "second")]
    poller = Poller("bus", wire, meters, nothing)
    buses._running["bus"] = _Running(nothing, wire, poller)
    return buses


@pytest.mark.parametrize(("broken", "said"), [(False, {"first": {"serial": "4711"}}), (True, {})])
def test_who_does_not_say_what_it_is_is_left_out(broken: bool, said: dict[str, Any]) -> None:
    """A silent meter costs the others nothing; a bus that cannot be opened says nothing; both are polled again."""
    wire = Wire(broken=broken)
    buses = buses_of(wire)
    assert run_virtually(buses.nameplates("bus")) == said
    assert not buses.pollers()[0].custody.lent
    assert not wire.is_open


def test_a_port_that_does_not_close_is_given_back() -> None:
    """Whatever ends the questions, the poller goes on."""
    buses = buses_of(Wire(stuck=True))
    with pytest.raises(OSError, match="input/output"):
        run_virtually(buses.nameplates("bus"))
    assert not buses.pollers()[0].custody.lent


def test_who_hangs_up_before_the_turn_is_over_closes_nothing() -> None:
    """The port is the poller's until it says that it has closed it."""
    wire = Wire()
    buses = buses_of(wire)
    custody = buses.pollers()[0].custody

    async def story() -> None:
        await custody.open()
        await wire.connect()
        asking = asyncio.create_task(buses.nameplates("bus"))
        await asyncio.sleep(1)
        with pytest.raises(Lent):
            custody.check()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    run_virtually(story())
    assert wire.is_open
    assert not custody.lent


def test_how_often_a_bus_was_opened_again_is_told() -> None:
    """An adapter that comes and goes looks well whenever somebody looks."""
    buses = buses_of(Wire())
    (poller,) = buses.pollers()
    poller.turns.clear()
    poller.reconnects = 3
    assert [bus["reconnects"] for bus in buses.status(0.0)] == [3]
