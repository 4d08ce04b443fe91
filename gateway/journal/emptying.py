"""Held readings leave their chunks: with their time, once that is known, or as `untimed`.

1. What is still open is committed, so that every held reading is in a chunk on disk.
2. Each chunk becomes a window of its own, which deletes the chunk, or marks it released while a time may still come.
3. One commit for a few chunks, until none is left. While the disk refuses, the rest stays for the next call.
"""

import contextlib
from collections.abc import Callable, Iterable

from gateway.journal.commit import Committer
from gateway.journal.errors import Unwritable
from gateway.journal.held import HeldRow
from gateway.journal.job import Chunk
from gateway.journal.runs import count_of
from gateway.journal.window import Window
from gateway.journal.writer import Writer

RowsOf = Callable[[bytes], Iterable[HeldRow]]
"""What makes a chunk's lines rows again: `timed` or `untimed` of held.py."""


async def empty(
    writer: Writer, committer: Committer, boot: str, rows_of: RowsOf, *, give_time: bool, final: bool
) -> int:
    """Send the held readings of a boot; says how many. `final` ones are sent no second time, so their chunks go."""
    count = 0
    with contextlib.suppress(Unwritable):
        writer.shut()
        await committer.commit()
        while chunks := await committer.chunks(boot, unreleased=not final):
            for chunk in chunks:
                count += _take_over(writer, committer, chunk, rows_of, give_time=give_time, final=final)
            await committer.commit()
    return count


def _take_over(
    writer: Writer, committer: Committer, chunk: Chunk, rows_of: RowsOf, *, give_time: bool, final: bool
) -> int:
    """Queue one chunk's readings as a window that deletes the chunk, or marks it released."""
    window, number = Window({}), count_of(chunk.seqs)
    rows = [] if chunk.lines is None else list(rows_of(chunk.lines))
    for seq, meter, at, row in rows:
        window.add(seq, meter, at, row, timed=give_time)
    if chunk.lines is None:
        committer.name_damage(chunk.seqs, 0)
    final = final or chunk.lines is None
    committer.held -= 0 if chunk.released else number
    committer.unrepaired -= number if final else 0
    writer.push(window, drop=[chunk.number] if final else [], release=[] if final else [chunk.number])
    return len(rows)
