"""The reset that a page asks for: the program leaves a file for the reset before its next start, and ends.

The program erases nothing itself: it may not write to its own configuration, and others hold its files open. The unit
of a house names the file in `NABD_RESET`, and systemd starts `asked.py` before the house anew. Where nothing is named
nobody would look for the file, and no page offers a reset.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway import durable
from gateway.seclog import note

PLACE = "NABD_RESET"
FAREWELL = 1.0
"""Seconds until the program ends: the page that tells of it has reached its reader."""


def _end_soon() -> None:
    asyncio.get_running_loop().call_later(FAREWELL, os.kill, os.getpid(), signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Reset:
    """A reset that may be asked for: `name` is what whoever asks has to type, `end` lets the program end."""

    name: str
    file: Path
    end: Callable[[], None] = _end_soon

    def ask(self) -> None:
        """Leave the file, durably, and end the program; raises OSError when the disk refuses, and nothing ends."""
        durable.replace(self.file, b"")
        note("reset_asked")
        self.end()


def offered(name: str, env: Mapping[str, str] = os.environ) -> Reset | None:
    """Give the reset of the box called `name`, where somebody would do it."""
    return Reset(name, Path(env[PLACE])) if env.get(PLACE) else None
