"""What `nabd journal`, `nabd backup` and `nabd restore` print; each answers 0, or 1 when something cannot be read."""

import asyncio
import contextlib
import json
from argparse import Namespace
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from gateway import control
from gateway.journal import schema
from gateway.journal.backup import back_up, restore
from gateway.journal.reader import BlockLine, Reader
from gateway.journal.tables import Meta
from gateway.seclog import note

Say = Callable[[str], None]


def run(options: Namespace, folder: Path, gw: str, say: Say, complain: Say) -> int:
    """Do what the command line asks; raises JournalError."""
    if (folder / "edge.sock").exists():
        asyncio.run(_share(folder))
    if options.command == "backup":
        return save(folder, options.file, say)
    if options.command == "restore":
        return bring_back(folder, options.file, gw, say)
    if options.what == "export":
        return export(folder, say, complain, unsent=options.unsent)
    return ls(folder, say, as_json=options.json)


async def _share(folder: Path) -> None:
    """Ask a program that keeps this journal to let us look into its file."""
    with contextlib.suppress(control.NobodyThere):
        await control.ask(folder / "edge.sock", {"do": "share"})


def ls(folder: Path, say: Say, *, as_json: bool) -> int:
    """List the blocks of the journal in `folder`; raises JournalError."""
    with closing(Reader(folder / schema.NAME)) as reader:
        meta, losses, blocks = reader.meta(), reader.losses(), list(reader.blocks())
    states = dict(Counter(block.state for block in blocks))
    if as_json:
        say(json.dumps({"stream": meta.stream, "next_seq": meta.next_seq, "blocks": states, "losses": losses}))
        return 0
    for line in (*_summary(meta, states, losses), "", _HEAD, *map(_line, blocks)):
        say(line)
    return 0


def export(folder: Path, say: Say, complain: Say, *, unsent: bool) -> int:
    """Print every reading as one line of JSON; raises JournalError."""
    with closing(Reader(folder / schema.NAME)) as reader:
        for found in reader.readings(unsent=unsent):
            say(json.dumps({**found.row, "block": found.block, "state": found.state}, ensure_ascii=False))
        if reader.unreadable:
            complain(f"nabd: {reader.unreadable} blocks are damaged; their readings are left out")
    return 1 if reader.unreadable else 0


def save(folder: Path, target: Path, say: Say) -> int:
    """Copy the journal; raises JournalError."""
    size = back_up(folder, target)
    note("journal_copied")
    say(f"{target}: {size / 1e6:.1f} MB. Restoring it begins a new stream; the store sees no reading twice.")
    return 0


def bring_back(folder: Path, source: Path, gw: str, say: Say) -> int:
    """Make the journal anew from a copy; raises JournalError."""
    count = asyncio.run(restore(folder, source, gw))
    note("journal_restored", readings=count)
    say(f"{folder}: a new stream with {count} readings that the copy had not sent")
    return 0


def _summary(meta: Meta, states: dict[str, int], losses: dict[str, int]) -> list[str]:
    blocks = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none"
    lost = ", ".join(f"{reason} {count}" for reason, count in losses.items()) or "nothing"
    return [
        f"stream {meta.stream}, next reading {meta.next_seq}, next block {meta.next_block}",
        f"blocks: {blocks}",
        f"lost: {lost}",
    ]


_HEAD = f"{'block':>10}  {'state':8} {'closed (UTC)':19}  {'readings':>8}  {'bytes':>7}"


def _line(block: BlockLine) -> str:
    closed = datetime.fromtimestamp(block.closed / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{block.block:>10}  {block.state:8} {closed:19}  {block.readings:>8}  {block.size:>7}"
