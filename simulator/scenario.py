"""A scenario's file: which homes there are, which meters on which lines, and what will happen.

    seed  = 7                      # the same seed gives the same homes, registers and dice
    zone  = "Europe/Amsterdam"     # of the P1 meters' clocks
    speed = 1.0                    # seconds of the homes in one real second
    [[household]] name solar       # solar: peak of the panels in W
    [[line]]      name kind baud framing turnaround host port
    [[virtual]]   name formula     # passed on to who reads the listing: the demo has it computed
    [[meter]]     name line profile address household channel form key auth_key password
    [[event]]     household channel rate phase after lasts
    [[fault]]     line kind probability times unit after lasts seconds size

`after` and `lasts` are seconds of the homes, from the start of the simulator. Line kinds: "pty", a serial port; "tcp",
Modbus TCP, or any other meter on the network; "rtu+tcp", Modbus RTU or M-Bus behind a transparent gateway; "board",
GPIO lines with pulse meters, on a Unix socket.
"""

import tomllib
from collections.abc import Iterable
from math import inf
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from simulator.faults import Kind
from simulator.households import Channel
from simulator.serving import SimulatorError

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
NotNegative = Annotated[float, Field(ge=0)]
Key = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{32}$")]
Byte = Annotated[int, Field(ge=0, le=255)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HouseholdTable(_Table):
    """A home; its place in the file adds to the scenario's seed."""

    name: Name
    solar: NotNegative = 0.0


class LineTable(_Table):
    """A wire; without `baud` it has no pace."""

    name: Name
    kind: Literal["pty", "tcp", "rtu+tcp", "board"]
    baud: Annotated[int, Field(ge=300, le=1_000_000)] | None = None
    framing: Annotated[str, StringConstraints(pattern=r"^[78][NEO][12]$")] = "8N1"
    turnaround: NotNegative = 0.015
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 0


class MeterTable(_Table):
    """A meter on a line: what model, which address, and what of which home it measures.

    `form` is a P1 meter's country; with a `key` the meter ciphers what it says. A DLMS meter asks some of its
    clients for keys or for the `password`.
    """

    name: Name
    line: Name
    profile: Name
    address: Annotated[int, Field(ge=0, le=99_999_999)] | None = None
    household: Name = "home"
    channel: Channel = "electricity"
    form: Name | None = None
    key: Key | None = None
    auth_key: Key | None = None
    password: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,32}$")] | None = None


class VirtualTable(_Table):
    """A meter that a demo computes of others; nothing is served for it."""

    name: Name
    formula: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\"\\\n]+$")]


class EventTable(_Table):
    """A draw on top of the habits, in W or l/h."""

    household: Name = "home"
    channel: Channel
    rate: float
    phase: Annotated[int, Field(ge=1, le=3)] = 1
    after: NotNegative = 0.0
    lasts: NotNegative = inf


class FaultTable(_Table):
    """Something that goes wrong on a line."""

    line: Name
    kind: Kind
    probability: Annotated[float, Field(ge=0, le=1)] = 1.0
    times: Annotated[int, Field(ge=0)] | None = None
    unit: Byte | None = None
    after: NotNegative = 0.0
    lasts: NotNegative = inf
    seconds: NotNegative = 0.5
    size: Annotated[int, Field(ge=1, le=65_536)] = 3


class Scenario(_Table):
    """The whole file."""

    seed: int = 1
    zone: str = "Europe/Amsterdam"
    speed: Annotated[float, Field(gt=0)] = 1.0
    household: list[HouseholdTable] = Field(default_factory=lambda: [HouseholdTable(name="home")])
    line: list[LineTable] = Field(min_length=1)
    meter: list[MeterTable] = Field(min_length=1)
    virtual: list[VirtualTable] = Field(default_factory=list)
    event: list[EventTable] = Field(default_factory=list)
    fault: list[FaultTable] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        lines, homes = [line.name for line in self.line], [home.name for home in self.household]
        for what, names in (("line", lines), ("household", homes), ("meter", [meter.name for meter in self.meter])):
            if len(set(names)) < len(names):
                raise ValueError(f"two {what}s have the same name")
        _check("line", [*(meter.line for meter in self.meter), *(fault.line for fault in self.fault)], lines)
        _check("household", [*(m.household for m in self.meter), *(e.household for e in self.event)], homes)
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, OSError):
            raise ValueError(f"there is no zone {self.zone!r}") from None
        return self


def _check(what: str, used: Iterable[str], known: list[str]) -> None:
    for name in used:
        if name not in known:
            raise ValueError(f"there is no {what} {name!r}, only {', '.join(known)}")


def load(path: Path) -> Scenario:
    """Read a scenario's file; raises SimulatorError with the place of what is wrong."""
    try:
        return Scenario.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SimulatorError(f"{path}: {place}: {first['msg']}", "mend the scenario") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SimulatorError(f"{path}: {error}", "mend the scenario") from None
