"""Whether the journal's file is the one that was made here, or a copy laid in its place.

Numbers go on where the file says. A copy of yesterday's says less than was used since, so numbers would be given
twice. Therefore:

1. Beside the file lies a note of its inode: its number, and the generation that the file system drew for it.
2. A copy is another inode, so it does not fit the note that was copied with it. It is set aside under a name of its
   own, a new stream begins, and what the copy had not sent is brought into that under new numbers (`beside.py`).

A file system that draws no generations is not judged, and a file without a note is believed. An image of the whole
card, or a snapshot rolled back, has the very same inodes: such copies are not noticed here.
"""

import contextlib
import fcntl
import os
import struct
from pathlib import Path

from gateway.journal import schema

NOTE = "journal.id"
_GETVERSION = (2 << 30) | (struct.calcsize("l") << 16) | (ord("v") << 8) | 1
"""FS_IOC_GETVERSION: read, as long as a C long, type v, number 1; the kernel fills in 32 bits of it."""
_LONGEST = 64
"""Bytes of a note: two numbers of at most twenty digits."""


def is_copy(folder: Path) -> bool:
    """Say whether the journal in `folder` is not the one that its note names; raises OSError."""
    path, note = folder / schema.NAME, folder / NOTE
    if not (path.exists() and note.exists()):
        return False
    with note.open(encoding="ascii", errors="replace") as file:
        noted = file.read(_LONGEST)
    return bool(here := inode_of(path)) and bool(noted) and noted != here


def note(folder: Path) -> None:
    """Write down which file the journal in `folder` is, unless that is noted; a note that cannot be written waits."""
    path, target = folder / schema.NAME, folder / NOTE
    with contextlib.suppress(OSError):
        here = inode_of(path).encode()
        if target.exists() and target.read_bytes() == here:
            return
        part = target.with_name(target.name + ".part")
        part.touch(mode=0o600)
        with part.open("wb") as file:
            file.write(here)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
        schema.sync_folder(folder)


def inode_of(path: Path) -> str:
    """Name a file's inode, "" where its number says nothing: without a generation it may be used again at once."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        room = bytearray(struct.calcsize("l"))
        fcntl.ioctl(fd, _GETVERSION, room)
        generation = struct.unpack_from("=I", room)[0]
        return f"{os.fstat(fd).st_ino} {generation}" if generation else ""
    except OSError:
        return ""
    finally:
        os.close(fd)
