"""What each command does, in terms of the parts that do it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from gateway.clock import wall_ms
from gateway.commands import remote
from gateway.commands.judge import Command, Refused
from gateway.commands.running import Do
from gateway.replay import replay
from gateway.station import Station, read_now
from gateway.uplink import Uplink

Done = Mapping[str, Any]


class OneMeter(BaseModel):
    """The payload of `cmd/read_now`."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    meter: str


def answers(
    here: Station, uplink: Uplink, changes: remote.Remote, reload: Callable[[], Awaitable[Done]]
) -> Mapping[str, Do]:
    """Name what each command of an edge does; `reload` reads the gateway's own file again."""

    async def ping(_: Command) -> Done:
        return {"pong": wall_ms()}

    async def read(command: Command) -> Done:
        try:
            wish = OneMeter.model_validate_json(command.payload)
        except ValidationError:
            raise Refused("malformed", 'the payload is not {"meter": ID}') from None
        return await read_now(here, wish.meter)

    async def again(command: Command) -> Done:
        return await replay(here.journal, uplink, command.payload)

    async def set_interval(command: Command) -> Done:
        return await changes.set_interval(command.payload)

    async def take_over(command: Command) -> Done:
        wish = remote.wanted(command.payload)
        return await (reload() if wish.config is None else changes.stage(wish))

    return {"ping": ping, "read_now": read, "replay": again, "set_interval": set_interval, "reload": take_over}
