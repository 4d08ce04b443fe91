"""Records of a mirror, or of a damaged file, become a window once more."""

from pathlib import Path
from typing import Any

import orjson

from gateway.journal.ledger import Ledger
from gateway.journal.mirror import EVENT, LOSS, READING
from gateway.journal.recover import rows_of
from gateway.journal.window import Window
from gateway.journal.writer import Writer
from gateway.message import Loss


def replay(
    writer: Writer,
    ledger: Ledger,
    records: list[tuple[int, bytes]],
    boot: str,
    *,
    number: int,
    mirror: Path | None = None,
    renumber: bool = False,
) -> None:
    """Queue what records hold, under its own numbers or, after a new stream began, under new ones."""
    window = Window({})
    for kind, row, data in rows_of(records):
        if kind == EVENT:
            window.events.append(data)
        elif kind == LOSS:
            ledger.add(Loss.model_validate(row), number)
        elif kind == READING:
            if renumber:
                row["seq"] = writer.next_seq
            writer.next_seq = max(writer.next_seq, row["seq"] + 1)
            _put(window, row, orjson.dumps(row) if renumber else data, boot)
    writer.closed_seq = writer.next_seq
    writer.count_held(len(window.held.rows))
    if not window.empty:
        writer.push(window, number=number, mirror=mirror)


def _put(window: Window, row: dict[str, Any], data: bytes, boot: str) -> None:
    seq, meter = row["seq"], row["meter"]
    if "ts" in row:
        window.add(seq, meter, row["ts"], data)
    elif row["boot"] == boot:
        window.held.add(seq, data)
    else:  # its boot is over, so no anchor will come
        window.add(seq, meter, row["mono"], data, timed=False)
