"""`nabd factory-reset`: says what will go, refuses while a program runs, erases, says what is gone and what stays.

At the keyboard it wants `--yes`; without, it only tells. `asked.py` is the reset that a button asks for.
"""

import argparse
import asyncio
import fcntl
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gateway import control
from gateway.config.customers import Document, HubConfig
from gateway.reset.erase import erase, trim
from gateway.reset.places import elsewhere, places, sockets

Say = Callable[[str], None]


def run(
    options: argparse.Namespace,
    config: Document,
    file: Path,
    say: Say,
    complain: Say,
    *,
    env: Mapping[str, str] = os.environ,
) -> int:
    """Reset; 0 when all is gone, 1 when it was only told, 2 when it could not be done."""
    if is_running(config, env):
        complain("nabd factory-reset: a program runs with this configuration; stop it first: systemctl stop 'nabd-*'")
        return 2
    found = places(config, file, env, configuration=not options.keep_configuration)
    if not options.yes:
        say("This would be erased for good:")
        for path in found:
            say(f"  {path}")
        say("Nothing was done. To do it: nabd factory-reset --yes")
        return 1
    return carry_out(found, elsewhere(config), say, complain)


def carry_out(found: Sequence[Path], stays: Sequence[str], say: Say, complain: Say, last: Sequence[Path] = ()) -> int:
    """Erase what was found, in this order, then the files of `last`, and tell it; 0, or 2 when a disk refuses."""
    try:
        gone = [path for place in found for path in erase(place)]
        untrimmed = trim([path.parent for path in found])
        for path in last:
            path.unlink()
    except OSError as error:
        complain(f"nabd factory-reset: {error.filename}: {error.strerror}; not everything is erased, do it again")
        return 2
    _tell(gone, untrimmed, stays, say)
    return 0


def _tell(gone: Sequence[Path], untrimmed: Sequence[str], stays: Sequence[str], say: Say) -> None:
    for path in gone:
        say(f"erased {path}")
    say(f"{len(gone)} files and folders are erased.")
    for line in untrimmed:
        say(f"The disk could not be told which blocks are free ({line}): old copies may be found on it with tools.")
    for secret in stays:
        say(f"Kept by systemd, remove it there: {secret}")
    say("What a store, a broker or a hub elsewhere has taken stays there.")


def is_running(config: Document, env: Mapping[str, str]) -> bool:
    """Tell whether a program holds the journal, or any answers that keeps something where we erase."""
    if not isinstance(config, HubConfig) and _is_locked(config.journal.folder / "journal.lock"):
        return True
    return any(_answers(socket) for socket in sockets(config, env))


def _answers(socket: Path) -> bool:
    try:
        asyncio.run(control.ask(socket, {"do": "status"}))
    except control.NobodyThere:
        return False
    return True


def _is_locked(path: Path) -> bool:
    try:
        lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False
