"""For each line on stdin: forks a process that adds readings until it is killed.

The child says its pid, then each number once `add` has returned it; the end of a child is an empty line. Forked,
because starting Python ten times would take longer than the test.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from gateway.journal import Journal


async def main(folder: Path, mirror: Path) -> None:
    """Open the journal and never stop; values repeat the number, so that a reader can prove them."""
    journal = await Journal.open(
        folder,
        gw="gw-1",
        mirror=mirror,
        window=0.02,
        wall=lambda: time.time_ns() // 1_000_000,
        clock_state=lambda: "synced",
        boot="boot-1",
    )
    task = asyncio.create_task(journal.run())
    os.write(1, b"%d\n" % os.getpid())
    while not task.done():
        for _ in range(5):
            ahead = journal.next_seq
            seq = journal.add(f"m-{ahead % 3}", time.time_ns() // 1_000_000, 0, 0, {"n": ahead})
            os.write(1, b"%d\n" % seq)
        await asyncio.sleep(0.001)


for _ in sys.stdin:
    child = os.fork()
    if not child:
        asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
    os.waitpid(child, 0)
    os.write(1, b"\n")
