"""A journal in memory that stands in while the disk refuses at the start, so that a gateway always starts.

1. When the journal's own folder cannot be opened, one is opened in memory, beside the mirror: with a stream of its
   own, readings are collected, sent and acknowledged as ever. It says that it is degraded.
2. Every few seconds the folder is tried again. Once it opens, the journal goes on as that one; what the stand-in still
   holds is taken in under new numbers (`beside.py`).
3. A program that ends before that finds it again at its next start, unless the power was cut.

A folder that this user may not write is no disk that refuses: that stays an error.
"""

import contextlib
import os
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from gateway.journal import schema
from gateway.journal.beside import Beside
from gateway.journal.errors import Unwritable
from gateway.journal.journal import Away, Journal

_QUOTA = 64 * 1024 * 1024
"""Bytes of memory its file may take: what closed windows may take too while a disk refuses later on."""
_FIRST_BLOCK = 1 << 40
"""Its blocks are numbered from here, so that a late answer to one never means a block of the real journal."""


def place_of(mirror: Path, folder: Path) -> Path:
    """Name the folder in memory of the stand-in for `folder`."""
    return mirror / f"nabd-journal-{zlib.crc32(os.fsencode(folder.resolve())):08x}"


async def open_with_stand_in(
    opener: Callable[..., Awaitable[Journal]], folder: Path, *, mirror: Path | None, **options: Any
) -> Journal:
    """Open the journal in `folder`, or its stand-in; raises JournalError when neither opens."""
    place = place_of(mirror, folder) if mirror else None

    async def reopen() -> Journal:
        return await opener(folder, mirror=mirror, **options)

    async def in_memory(place: Path) -> Journal:
        return await opener(place, mirror=mirror, **(options | {"quota": _QUOTA, "keep": 0.0}))

    try:
        journal = await reopen()
    except Unwritable as error:
        if place is None or isinstance(error.__cause__, PermissionError):
            raise
        try:
            journal = await in_memory(place)
        except Unwritable:
            raise error from None
        journal.next_block = max(journal.next_block, _FIRST_BLOCK)
        journal.away = Away(f"{error.what}; readings are kept in memory", reopen, _beside(place))
    else:
        if place is not None and (place / schema.NAME).exists():
            try:
                await (await in_memory(place)).close()  # brings in what its own mirror holds
            except BaseException:
                await journal.close()
                raise
            journal.beside.append(_beside(place))
    return journal


async def come_home(journal: Journal) -> None:
    """Go on as the journal on disk if that opens by now; else nothing changes."""
    away = journal.away
    if away is None:
        return
    with contextlib.suppress(Unwritable):
        other = await away.reopen()
        await journal.become(other)
        journal.beside.append(away.beside)
        await other.close()  # the stand-in by now


def _beside(place: Path) -> Beside:
    return Beside(place / schema.NAME, whole_folder=True)
