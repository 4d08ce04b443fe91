"""Another interval for one meter, as `set_interval` asks for: within what its model and its wire allow."""

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.commands.judge import Refused
from gateway.config.build import meter_id
from gateway.config.models import EdgeConfig, MeterTable
from gateway.config.relations import find
from gateway.config.wire import load_of

SHORTEST, LONGEST = 1.0, 86_400.0
"""Seconds; a house that wants more than one reading a second says so in its own file."""


class Wanted(BaseModel):
    """The payload of `cmd/set_interval`."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    meter: str
    every_s: float = Field(ge=SHORTEST, le=LONGEST, allow_inf_nan=False)


def wanted(payload: bytes) -> Wanted:
    """Read the payload; raises Refused."""
    try:
        return Wanted.model_validate_json(payload)
    except ValidationError:
        form = f'{{"meter": ID, "every_s": {SHORTEST:g} to {LONGEST:g}}}'
        raise Refused("malformed", f"the payload is not {form}") from None


def with_interval(config: EdgeConfig, wish: Wanted) -> tuple[str, EdgeConfig]:
    """Give the meter's id and the configuration with its new interval; raises Refused."""
    at = next((n for n, row in enumerate(config.meter) if wish.meter in (row.name, meter_id(config, row))), None)
    if at is None:
        raise Refused("malformed", "there is no such meter here")
    rows = list(config.meter)
    rows[at] = rows[at].model_copy(update={"every": wish.every_s})
    new = config.model_copy(update={"meter": tuple(rows)})
    for key, what, hint in find(new):
        if key == ("meter", at, "every"):
            raise Refused("malformed", f"every_s {what} ({hint})")
    _see_that_the_wire_carries(config, new, rows[at])
    return meter_id(config, rows[at]), new


def _see_that_the_wire_carries(old: EdgeConfig, new: EdgeConfig, row: MeterTable) -> None:
    bus = next(bus for bus in new.bus if bus.name == row.bus)
    before, after = (load_of(bus, [row for row in config.meter if row.bus == bus.name]) for config in (old, new))
    if after > max(1.0, before):
        raise Refused("malformed", f"bus {bus.name} would be asked for {after:.1f} times what its speed allows")
