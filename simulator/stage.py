"""The homes of a scenario in its own time, and the servers of its lines.

1. Homes are made from the seed, with what will happen to them.
2. The meters of a line become one server. Faults and pace are put around it.
"""

from collections.abc import Callable
from importlib import import_module
from zoneinfo import ZoneInfo

from drivers import profiles
from simulator.faults import Fault, Faults, Faulty
from simulator.habits import Home
from simulator.households import Extra, Household
from simulator.pace import Pace, Paced
from simulator.place import Place, Placed
from simulator.scenario import LineTable, Scenario
from simulator.serving import Server, SimulatorError

Clock = Callable[[], float]
"""Gives unix seconds."""

SERVERS = {
    "dlms": "simulator.dlms.line",
    "iec62056-21": "simulator.iec62056_server",
    "mbus": "simulator.mbus_server",
    "modbus": "simulator.modbus_server",
    "p1": "simulator.p1_server",
    "pulse": "simulator.pulse_server",
    "sml": "simulator.sml_server",
    "wmbus": "simulator.wmbus_stick",
    "wmbusmeters": "simulator.wmbusmeters_server",
}
"""The one line a new protocol adds: the module whose `line(place)` serves its meters."""


class Stage:
    """What a scenario puts behind its lines."""

    def __init__(self, plan: Scenario, clock: Clock) -> None:
        self._plan = plan
        self._start = clock()
        self._clock = clock
        self._homes = {
            table.name: Household(Home(plan.seed + place, table.solar), self._extras(table.name))
            for place, table in enumerate(plan.household)
        }
        for meter in plan.meter:
            # The days until now are lived through once, before anybody waits for an answer.
            self._homes[meter.household].at(meter.channel, self.now())

    def now(self) -> float:
        """Give the homes' unix time, which may run faster than the clock."""
        return self._start + (self._clock() - self._start) * self._plan.speed

    def line(self, table: LineTable) -> tuple[str, Server]:
        """Name a line's protocol and make its server; raises SimulatorError, ProfileError."""
        meters = tuple(meter for meter in self._plan.meter if meter.line == table.name)
        models = tuple(profiles.load(meter.profile) for meter in meters)
        protocols = sorted({model.driver for model in models})
        if len(protocols) != 1 or protocols[0] not in SERVERS:
            raise SimulatorError(
                f"line {table.name} cannot carry {' and '.join(protocols) or 'no meter'}",
                f"give it meters of one protocol: {', '.join(SERVERS)}",
            )
        if table.kind == "board" and protocols != ["pulse"]:
            raise SimulatorError(f"line {table.name} is a board", "its GPIO lines carry pulse meters only")
        place = Place(table, meters, models, self._homes, self.now, ZoneInfo(self._plan.zone))
        placed = import_module(SERVERS[protocols[0]]).line(place)
        return protocols[0], self._around(table, placed)

    def _around(self, table: LineTable, placed: Placed) -> Server:
        """Put the line's faults and pace around a server."""
        server = placed.server
        faults = [
            Fault(
                row.kind, row.probability, row.times, row.unit,
                self._start + row.after, self._start + row.after + row.lasts, row.seconds, row.size,
            )
            for row in self._plan.fault if row.line == table.name
        ]  # fmt: skip
        if faults:
            server = Faulty(server, Faults(faults, self._plan.seed, self.now), placed.unit_at)
        if placed.keeps_pace or not table.baud:
            return server
        return Paced(server, Pace(table.baud, table.framing, placed.gap, table.turnaround))

    def _extras(self, home: str) -> list[Extra]:
        return [
            Extra(row.channel, self._start + row.after, self._start + row.after + row.lasts, row.rate, row.phase)
            for row in self._plan.event
            if row.household == home
        ]
