"""The homes of a scenario in its own time, and the servers of its lines.

1. Homes are made from the seed, with what will happen to them.
2. The meters of a line become one server. Faults and pace are put around it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from drivers import profiles
from drivers.profiles import Profile
from simulator import sml_server
from simulator.faults import RTU_UNIT, TCP_UNIT, Fault, Faults, Faulty
from simulator.habits import Home
from simulator.households import Extra, Household
from simulator.iec62056_server import Iec62056Server, Model, values_of
from simulator.mbus_server import MEDIA, MbusMeter, MbusServer
from simulator.meters import modbus_meter
from simulator.modbus_server import ModbusServer
from simulator.p1_server import P1Server, telegram
from simulator.pace import Pace, Paced
from simulator.scenario import LineTable, MeterTable, Scenario
from simulator.serving import Server, SimulatorError

Clock = Callable[[], float]
"""Gives unix seconds."""

NUMBERS = 21_050_000
"""What M-Bus meters have printed on them: this, and their primary address."""

MBUS_ADDRESS = 2
"""Where a short frame has the address."""

SML_EVERY = 2.0
"""Seconds: a telegram takes half a second at 9600 baud, and meters leave a pause."""

RTU_SILENCE = 3.5
"""Characters of silence that end an RTU frame."""


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
            self._values(meter)  # the days until now are lived through once, before anybody waits for an answer

    def now(self) -> float:
        """Give the homes' unix time, which may run faster than the clock."""
        return self._start + (self._clock() - self._start) * self._plan.speed

    def line(self, table: LineTable) -> tuple[str, Server]:
        """Name a line's protocol and make its server; raises SimulatorError, ProfileError."""
        meters = [meter for meter in self._plan.meter if meter.line == table.name]
        models = [profiles.load(meter.profile) for meter in meters]
        protocols = {model.driver for model in models}
        if protocols == {"modbus"}:
            return "modbus", self._modbus(table, meters, models)
        if protocols == {"p1"} and table.kind != "rtu+tcp":
            return "p1", self._p1(table, meters)
        if protocols == {"iec62056-21"} and table.kind != "rtu+tcp":
            return "iec62056-21", self._iec62056(table, meters, models[0])
        if protocols == {"sml"} and table.kind != "rtu+tcp":
            return "sml", self._sml(table, meters)
        if protocols == {"mbus"}:
            return "mbus", self._mbus(table, meters, models)
        raise SimulatorError(
            f"line {table.name} cannot carry {' and '.join(sorted(protocols)) or 'no meter'}",
            "give it meters of one protocol: modbus and mbus on any kind of line, others on pty or tcp",
        )

    def _modbus(self, table: LineTable, meters: Sequence[MeterTable], models: Iterable[Profile]) -> Server:
        addresses = [1 if meter.address is None else meter.address for meter in meters]
        units = {
            address: modbus_meter(model, partial(self._values, meter), address)
            for address, meter, model in zip(addresses, meters, models, strict=True)
        }
        if len(units) < len(meters):
            raise SimulatorError(f"two meters of line {table.name} have one address", "give each its own")
        if table.kind == "tcp":
            return self._around(table, ModbusServer(units, "tcp"), TCP_UNIT)
        return self._around(table, ModbusServer(units, "rtu"), RTU_UNIT, RTU_SILENCE)

    def _p1(self, table: LineTable, meters: Iterable[MeterTable]) -> Server:
        main = [meter for meter in meters if meter.channel == "electricity"]
        subs = {meter.address or 1: meter for meter in meters if meter.channel != "electricity"}
        if len(main) != 1 or any(channel not in range(1, 5) for channel in subs):
            raise SimulatorError(
                f"line {table.name} must have one electricity meter", "others hang on its channels 1 to 4, by address"
            )
        home = self._homes[main[0].household]
        submeters = {channel: (meter.channel, self._homes[meter.household]) for channel, meter in subs.items()}
        zone = ZoneInfo(self._plan.zone)
        return self._around(table, P1Server(lambda: telegram(home, submeters, self.now(), zone)), None)

    def _iec62056(self, table: LineTable, meters: Sequence[MeterTable], profile: Profile) -> Server:
        if len(meters) != 1 or profile.commodity != "electricity":
            raise SimulatorError(f"line {table.name} carries one electricity meter", "an optical head sees only one")
        manner = profile.layout.manner
        model = Model(
            "C" if manner.mode == "auto" else manner.mode,
            "E" if manner.mode == "B" else "5",
            first_baud=table.baud or manner.speed,
            framed=manner.bcc != "absent",
            obeys=not manner.stay,
            address=str(meters[0].address or ""),
        )
        server = Iec62056Server(model, lambda: values_of(self._values(meters[0])), paced=table.baud is not None)
        return self._around(table.model_copy(update={"baud": None}), server, None if model.mode == "D" else 0)

    def _mbus(self, table: LineTable, meters: Iterable[MeterTable], models: Iterable[Profile]) -> Server:
        slaves = [
            MbusMeter(
                meter.address or 0, f"{NUMBERS + (meter.address or 0):08}", MEDIA[model.commodity],
                partial(self._values, meter),
            )
            for meter, model in zip(meters, models, strict=True)
        ]  # fmt: skip
        return self._around(table, MbusServer(slaves), MBUS_ADDRESS, RTU_SILENCE)

    def _sml(self, table: LineTable, meters: Sequence[MeterTable]) -> Server:
        if len(meters) != 1 or meters[0].channel != "electricity":
            raise SimulatorError(f"line {table.name} carries one electricity meter", "an optical head sees only one")
        home = self._homes[meters[0].household]
        return self._around(table, P1Server(lambda: sml_server.telegram(home, self.now()), SML_EVERY), None)

    def _around(self, table: LineTable, server: Server, unit_at: int | None, gap: float = 0.0) -> Server:
        """Put the line's faults and pace around a server."""
        faults = [
            Fault(
                row.kind, row.probability, row.times, row.unit,
                self._start + row.after, self._start + row.after + row.lasts, row.seconds, row.size,
            )
            for row in self._plan.fault if row.line == table.name
        ]  # fmt: skip
        if faults:
            server = Faulty(server, Faults(faults, self._plan.seed, self.now), unit_at)
        return Paced(server, Pace(table.baud, table.framing, gap, table.turnaround)) if table.baud else server

    def _extras(self, home: str) -> list[Extra]:
        return [
            Extra(row.channel, self._start + row.after, self._start + row.after + row.lasts, row.rate, row.phase)
            for row in self._plan.event
            if row.household == home
        ]

    def _values(self, meter: MeterTable) -> Mapping[str, float]:
        return self._homes[meter.household].at(meter.channel, self.now())
