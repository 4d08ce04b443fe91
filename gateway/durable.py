"""Puts a file in another's place so that a power cut leaves the old one or the new one, never half of it."""

import os
from pathlib import Path


def replace(path: Path, data: bytes) -> None:
    """Write a file that its owner alone may read, durably, or leave the old one as it is; raises OSError."""
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
