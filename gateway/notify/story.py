"""What was done about one alert: who was told when, what was answered, whether somebody called; from the hub database.

What was dropped because it was no longer needed is left out.
"""

import sqlite3
from dataclasses import dataclass
from typing import Literal

from gateway.alerts.event import OPEN
from gateway.notify import answers_sql, outbox_sql
from gateway.notify.links import Action

Done = Literal["told", "reminded", "end told", "waits", "digest", "given up", "called", Action]
STEPS = 100
"""Steps of a story at the most: an alert that lasts a month has some forty."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done at `at` (UTC ms), by or on a channel."""

    at: int
    done: Done
    channel: str


def story_of(connection: sqlite3.Connection, tenant: str, alert: str) -> list[Step]:
    """Tell what was done about an alert, first to last."""
    name = (tenant, alert)
    rows = connection.execute(outbox_sql.TOLD, (*name, STEPS)).fetchall()
    steps = [Step(at, _done(telling, state, repeat), channel) for at, telling, state, repeat, channel in rows]
    for said, channel, at, called in connection.execute(answers_sql.SAID_TO, name).fetchall():
        steps.append(Step(at, said, channel))
        if called is not None:
            steps.append(Step(called, "called", ""))
    seen = connection.execute(outbox_sql.SEEN, name).fetchone()
    if seen is not None and not any(step.at == seen[0] and step.channel == seen[1] for step in steps):
        steps.append(Step(seen[0], "acknowledge", seen[1]))
    return sorted(steps, key=lambda step: step.at)


def _done(telling: str, state: str, repeat: int) -> Done:
    if state == "sent":
        return "end told" if telling not in OPEN else "reminded" if repeat else "told"
    return "waits" if state == "waiting" else "digest" if state == "digest" else "given up"
