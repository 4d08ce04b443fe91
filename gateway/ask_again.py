"""The hub asks gateways again for readings that should be at the store and are not.

The hub's database knows which numbers are missing. `Asker` waits until a gap has stayed a while, for a backlog that
drains looks like one, and then asks the gateway, more and more seldom while nothing comes. The edge's half is
`gateway/replay.py`.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import orjson

from gateway.hubdb import Gap
from gateway.message import Topics
from gateway.transport import Message

FIRST_WAIT = 300.0
LAST_WAIT = 86_400.0
"""A gap nobody can fill is asked for once a day: its blocks may be on a disk that somebody is about to mend."""
RANGES = 8
"""Commands to one gateway at a time, fewer than it obeys at once; what lies between small gaps comes again too, and
changes nothing."""
EXPIRY = 60
"""Seconds a broker keeps a command for a gateway that is away; it is asked again."""


@dataclass(slots=True)
class _Turn:
    """When a gateway's stream may be asked next, and how long to wait after that."""

    at: float
    wait: float


class Asker:
    """Decides what to ask for; time is handed in, in seconds of any monotonic clock."""

    def __init__(self, first_wait: float = FIRST_WAIT) -> None:
        """`first_wait` is how long a gap must have been there, in seconds."""
        self._first_wait = first_wait
        self._turns: dict[tuple[str, str, int], _Turn] = {}

    def due(self, gaps: Iterable[Gap], now: float) -> list[Gap]:
        """Give the gaps to ask for now, of all there are; a gap that closed is forgotten."""
        due, turns = [], {}
        for gap in gaps:
            name = (gap.tenant, gap.gw, gap.stream)
            turn = turns[name] = self._turns.get(name) or _Turn(now + self._first_wait, self._first_wait)
            if now >= turn.at:
                due.append(gap)
                turn.at, turn.wait = now + turn.wait, min(turn.wait * 2, LAST_WAIT)
        self._turns = turns
        return due


def commands(gap: Gap, root: str, new_id: Callable[[], str] = lambda: secrets.token_hex(8)) -> Sequence[Message]:
    """Make the commands that ask for a gap; beyond RANGES of them the last one asks for all the rest."""
    topics, stream = Topics(gap.tenant, gap.gw, root), f"{gap.stream:012x}"
    ranges = list(gap.missing)
    if len(ranges) > RANGES:
        ranges[RANGES - 1 :] = [(ranges[RANGES - 1][0], ranges[-1][1])]
    return [
        Message(
            topics.of("cmd", "replay"),
            orjson.dumps({"id": new_id(), "role": "operator", "stream": stream, "from": first, "to": last}),
            qos=1,
            expiry=EXPIRY,
            response_topic=topics.of("reply"),
            correlation=f"replay:{stream}:{first}".encode(),
        )
        for first, last in ranges
    ]
