"""A line of a scenario and what hangs on it: what each protocol's server is made from.

Every simulated protocol has a module with `line(place) -> Placed`; `stage.SERVERS` names it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from drivers.profiles import Profile
from simulator.households import Household
from simulator.scenario import LineTable, MeterTable
from simulator.serving import Server, SimulatorError

Values = Callable[[], Mapping[str, float]]


@dataclass(frozen=True)
class Place:
    """One line with its meters and their models, in order; `homes` are the scenario's, `now` their unix time."""

    table: LineTable
    meters: tuple[MeterTable, ...]
    models: tuple[Profile, ...]
    homes: Mapping[str, Household]
    now: Callable[[], float]
    zone: ZoneInfo

    def values(self, meter: MeterTable) -> Values:
        """Give what a meter measures, in base units, whenever it is asked."""
        home = self.homes[meter.household]
        return lambda: home.at(meter.channel, self.now())

    def no_gateway(self) -> None:
        """Refuse `rtu+tcp`, which is Modbus and M-Bus only; raises SimulatorError."""
        if self.table.kind == "rtu+tcp":
            raise SimulatorError(f"line {self.table.name} cannot be rtu+tcp", 'such meters hang on "pty" or "tcp"')

    def only_meter(self) -> MeterTable:
        """Give the one electricity meter of a line that can have no other; raises SimulatorError."""
        measured = {(meter.channel, model.commodity) for meter, model in zip(self.meters, self.models, strict=True)}
        if len(self.meters) != 1 or measured != {("electricity", "electricity")}:
            what = f"line {self.table.name} carries one electricity meter"
            raise SimulatorError(what, "an optical head sees only one")
        return self.meters[0]


@dataclass(frozen=True)
class Placed:
    """A line's server.

    `unit_at` is where a request has its meter's address (faults may be of one meter), `gap` the characters of silence
    that end a request. `keeps_pace`: it paces its bytes itself.
    """

    server: Server
    unit_at: int | None = None
    gap: float = 0.0
    keeps_pace: bool = False
