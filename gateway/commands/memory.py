"""The ids of commands that were carried out, over restarts, so that none is carried out twice.

The file is written before a command is carried out: killed in between, the command is lost, not repeated.
"""

import asyncio
import contextlib
from pathlib import Path

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError

from gateway import durable

NAME = "commands.json"
KEPT_MS = 10 * 60 * 1000
"""Milliseconds an id is kept beyond the command's end: more than two machines' clocks are ever apart."""
MOST = 1024
"""Ids at most, the newest stay: at one command a second they reach back 17 minutes, and a command is valid for 5."""

_FILE = TypeAdapter(dict[str, int], config=ConfigDict(defer_build=True))


class Executed:
    """The ids in order of their execution; each with its command's end in UTC ms, 0 where that was unknown."""

    def __init__(self, file: Path) -> None:
        """`Executed.open` takes up what was kept."""
        self._file = file
        self._ids: dict[str, int] = {}
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    def open(cls, folder: Path) -> "Executed":
        """Go on with what the file in this folder holds; without one, or with one nobody can read, with nothing."""
        executed = cls(folder / NAME)
        with contextlib.suppress(OSError, ValidationError):  # there was none yet, or a disk lost it: it is written anew
            executed._ids = _FILE.validate_json(executed._file.read_bytes())
        return executed

    def __contains__(self, identity: str) -> bool:
        """Whether a command of this id was carried out."""
        return identity in self._ids

    def add(self, identity: str, until: int, now: int | None) -> None:
        """Remember an id; those whose time is over and those too many are forgotten. `now` is UTC in ms, or None."""
        if now is not None:
            self._ids = {name: end for name, end in self._ids.items() if not end or end + KEPT_MS > now}
        self._ids[identity] = until
        while len(self._ids) > MOST:
            del self._ids[next(iter(self._ids))]

    async def keep(self) -> None:
        """Write all of them down, durably; raises OSError."""
        async with self._one_at_a_time:
            await asyncio.to_thread(durable.replace, self._file, orjson.dumps(self._ids))
