"""Reads a day into a real journal until it is killed: `alert_child.py FOLDER MIRROR`, forked anew for each stdin line.

The child says its pid, and "done" once the whole day is in the journal and closed in order. A reading's number in the
day is its sequence number, so whoever goes on knows where. The time is the readings' own.
"""

import asyncio
import os
import sys
from pathlib import Path

from gateway.alerts.alerting import Alerting
from gateway.journal import Journal
from tests.support.alert_days import LIMITS, METERS, day, engine

DAY: list[tuple[str, int]] = [
    ("calm", 20), ("over", 30), ("calm", 30), ("leak", 90), ("high", 20), ("over", 20), ("calm", 40),
    ("dip", 2), ("leak", 80), ("over", 30), ("calm", 60),
] * 6  # fmt: skip
READINGS = [told for told in day(DAY) if told.meter]


async def run(folder: Path, mirror: Path | None, window: float = 0.02) -> None:
    """Go on where the journal ends, up to the end of the day."""
    now = [READINGS[0].ts - 1000]
    journal = await Journal.open(
        folder, gw="gw-1", mirror=mirror, window=window, wall=lambda: now[0], clock_state=lambda: "synced", boot="b"
    )
    done = journal.next_seq - 1
    if done:
        now[0] = READINGS[done - 1].ts
    alerting = await Alerting.open(engine(), journal, lambda: now[0], LIMITS)
    task = asyncio.create_task(journal.run())
    for number, told in enumerate(READINGS[done:], done + 1):
        now[0] = told.ts
        q, intervals = alerting.checker.judge(told.meter, told.ts, told.values, (), LIMITS[told.meter])
        assert journal.add(told.meter, told.ts, 0, q, told.values) == number
        alerting.hear(told.meter, told.ts, q, told.values, intervals)
        if number % 16 == 0:
            alerting.look()
            await asyncio.sleep(0.004)
        if number % 400 == 0:
            alerting.keep()
    task.cancel()
    alerting.keep()
    await journal.close()


if __name__ == "__main__":
    assert len(METERS) == 2
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            os.write(1, b"%d\n" % os.getpid())
            asyncio.run(run(Path(sys.argv[1]), Path(sys.argv[2])))
            os.write(1, b"done\n")
            os._exit(0)
        os.waitpid(child, 0)
        os.write(1, b"over\n")
