"""Thins old readings in PostgreSQL: of each step of time the first stays, the others are deleted.

1. The meters are found by skipping through the key's index, where DISTINCT would read every row.
2. A statement looks at a bounded number of a meter's readings and deletes those that are not the first of their step.
   The next one begins at the step where it stopped, so that this step's first reading is known again.
3. Between two statements the connection is given back: whoever wants to write comes first.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

PIECE = 5000
"""Readings one statement looks at: some milliseconds of work, far below a statement's timeout."""

_METERS = """WITH RECURSIVE named AS (
    (SELECT tenant, meter FROM reading ORDER BY tenant, meter LIMIT 1)
    UNION ALL
    SELECT next.* FROM named, LATERAL (
        SELECT tenant, meter FROM reading WHERE (tenant, meter) > (named.tenant, named.meter)
        ORDER BY tenant, meter LIMIT 1) next
    ) SELECT tenant, meter FROM named"""
# The surplus is an array: joined to it, a server that has no statistics yet would compare each reading with each.
_THIN = """WITH piece AS (
        SELECT ts FROM reading WHERE tenant = $1 AND meter = $2 AND ts >= $3 AND ts < $4 ORDER BY ts LIMIT $6),
    stepped AS (SELECT ts, ts / $5 = lag(ts / $5) OVER (ORDER BY ts) AS surplus FROM piece),
    gone AS (
        DELETE FROM reading WHERE tenant = $1 AND meter = $2
            AND ts = ANY (ARRAY (SELECT ts FROM stepped WHERE surplus)) RETURNING 1)
    SELECT (SELECT count(*) FROM piece) AS seen, (SELECT max(ts) FROM piece) AS last,
        (SELECT count(*) FROM gone) AS gone"""

Session = Callable[[], AbstractAsyncContextManager[Any]]
"""Lends the connection."""


async def thin(session: Session, before: int, step: int, piece: int = PIECE) -> int:
    """Keep of readings before a moment only the first of each step, both in ms; gives how many went."""
    before -= before % step  # a step that is not over yet would lose its first reading to a later look
    async with session() as connection:
        meters = await connection.fetch(_METERS)
    return sum([await _meter(session, (row["tenant"], row["meter"]), before, step, piece) for row in meters])


async def _meter(session: Session, meter: tuple[str, str], before: int, step: int, piece: int) -> int:
    since, gone = 0, 0
    while True:
        async with session() as connection:
            done: dict[str, int] = await connection.fetchrow(_THIN, *meter, since, before, step, piece)
        gone += done["gone"]
        if done["seen"] < piece:
            return gone
        since = done["last"] - done["last"] % step
