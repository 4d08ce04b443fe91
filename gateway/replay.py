"""`cmd/replay`: the hub misses readings, and the edge sends the blocks that hold them once more.

The payload is `{"stream": "9f2c3a41b07d", "from": 1000, "to": 1059}`; without `stream` the journal's present one is
meant. Stored blocks that are still kept join the backlog, and the reply is `{"blocks": 3}`. Blocks that were never
stored are on their way in any case. The hub's half is `gateway/ask_again.py`.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.journal import Journal, JournalError
from gateway.uplink import Uplink


class Wanted(BaseModel):
    """The payload of `cmd/replay`."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)

    stream: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")] | None = None
    first: int = Field(alias="from", ge=0)
    last: int = Field(alias="to", ge=0)


async def replay(journal: Journal, uplink: Uplink, payload: bytes) -> dict[str, int | str]:
    """Answer `cmd/replay`: say how many blocks are sent again, or what is wrong."""
    try:
        wanted = Wanted.model_validate_json(payload)
    except ValidationError:
        return {"error": 'the payload is not {"from": SEQ, "to": SEQ}'}
    if wanted.stream not in {None, journal.stream}:
        return {"error": f"the journal's stream is {journal.stream}"}
    try:
        blocks = await journal.holding(wanted.first, wanted.last)
    except JournalError as error:
        return {"error": str(error)}
    uplink.replay(blocks)
    return {"blocks": len(blocks)}
