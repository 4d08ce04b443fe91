"""Thins old readings in PostgreSQL: of each step of time the first stays, the others are deleted.

1. The meters are found by skipping through the key's index, where DISTINCT would read every row.
2. A bounded number of a meter's readings is looked at, and what follows the first of each step is deleted. The next
   look begins at the step where that one stopped, so that this step's first reading is known again.
3. In between the connection is given back: whoever waits to write comes first.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

PIECE = 5000
"""Readings of one look: some hundredths of a second, which a batch of new readings may have to wait."""

_METERS = """WITH RECURSIVE named AS (
    (SELECT tenant, meter FROM reading ORDER BY tenant, meter LIMIT 1)
    UNION ALL
    SELECT next.* FROM named, LATERAL (
        SELECT tenant, meter FROM reading WHERE (tenant, meter) > (named.tenant, named.meter)
        ORDER BY tenant, meter LIMIT 1) next
    ) SELECT tenant, meter FROM named"""
_STEPS = """WITH piece AS (
        SELECT ts FROM reading WHERE tenant = $1 AND meter = $2 AND ts >= $3 AND ts < $4 ORDER BY ts LIMIT $6),
    step AS (SELECT min(ts) AS first, max(ts) AS last, count(*) AS n FROM piece GROUP BY ts / $5)
    SELECT coalesce(sum(n), 0)::bigint AS seen, max(last) AS last, coalesce(sum(n - 1), 0)::bigint AS surplus,
        array_agg(first) FILTER (WHERE n > 1) AS firsts, array_agg(last) FILTER (WHERE n > 1) AS lasts FROM step"""
# Span by span, since a server without statistics joins a list of times by comparing each reading with each.
_DELETE = "DELETE FROM reading WHERE tenant = $1 AND meter = $2 AND ts > $3 AND ts <= $4"

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
            found = await connection.fetchrow(_STEPS, *meter, since, before, step, piece)
            if found["surplus"]:
                spans = zip(found["firsts"], found["lasts"], strict=True)
                await connection.executemany(_DELETE, [(*meter, first, last) for first, last in spans])
        gone += int(found["surplus"])
        if found["seen"] < piece:
            return gone
        since = found["last"] - found["last"] % step
