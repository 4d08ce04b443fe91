"""What a start finds: the window a crash left open, or the proof that one was lost.

closed in order                                  nothing to do
not, but a mirror of this stream is there        the process died: its open window is added again, nothing is lost
not, and no mirror is there                      the memory is gone (power cut): the ledger names the open window
a mirror of another stream                       the journal was set aside as damaged: its open window gets new numbers
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.journal.ledger import loss_row
from gateway.journal.mirror import Found
from gateway.journal.tables import Meta
from gateway.message import Loss

SKIP_SEQS = 1 << 16
SKIP_BLOCKS = 1 << 10
"""After a power cut numbers go on this far ahead. A card may have lied about its last commits, whose blocks the hub may
hold and acknowledge late; a late ack must never free another block of the same number. Both are far above what a few
windows use, and 2^53 numbers allow for a power cut every second for four thousand years."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """`ours` are windows to add again as they are, `foreign` those to number anew, `lost` whether one is gone."""

    ours: list[Found]
    foreign: list[Found]
    finished: list[Found]
    lost: bool


def judge(found: list[Found], meta: Meta) -> Recovered:
    """Tell what a start must do from the mirror files and the one meta row."""
    own = [file for file in found if file.stream == meta.stream]
    ours = [file for file in own if file.window > meta.window]
    foreign = [file for file in found if file.stream != meta.stream and file.records]
    ours = [file for file in ours if file.records or file.torn]
    finished = [file for file in found if file not in ours and file not in foreign]
    torn = any(file.torn for file in ours)
    return Recovered(ours, foreign, finished, lost=not meta.clean and (not own or torn))


def rows_of(records: list[tuple[int, bytes]]) -> Iterator[tuple[int, dict[str, Any], bytes]]:
    """Give (kind, row, bytes) of each record that is JSON."""
    for kind, data in records:
        with contextlib.suppress(orjson.JSONDecodeError):
            row = orjson.loads(data)
            if isinstance(row, dict):
                yield kind, row, data


def lost_window(meta: Meta, boot: str, until: int | None, meters: Mapping[str | None, int | None]) -> list[Loss]:
    """Name the window that was open: a row per meter, its count unknown; `meters` gives what was scheduled in one."""
    return [
        loss_row(
            "crash" if boot == meta.boot else "power_cut",
            first=meta.next_seq,
            last=meta.next_seq + SKIP_SEQS - 1,
            meter=meter,
            since=meta.closed,
            until=until,
            scheduled=scheduled,
        )
        for meter, scheduled in (meters or {None: None}).items()
    ]
