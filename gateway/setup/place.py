"""Puts a configuration in its place: proven first, then whole or not at all, for root and the service's group only."""

import grp
import os
import tempfile
from contextlib import suppress
from itertools import count
from pathlib import Path

from gateway.config.load import load
from gateway.config.models import Kind
from gateway.setup.errors import SetupError

MODE = 0o640
"""Root writes, the service's group reads; nobody else learns of topics, addresses and users."""
GROUP = "nabd"


def put(path: Path, kind: Kind, text: str) -> Path | None:
    """Write the file, and give where one that was there lies now; raises SetupError and ConfigError."""
    try:
        return _put(path, kind, text)
    except OSError as error:
        raise SetupError(
            f"{path} cannot be written: {error.strerror}", "run it with sudo, or name a file with -c"
        ) from None


def _put(path: Path, kind: Kind, text: str) -> Path | None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{kind}-", suffix=".toml", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        load(fresh, kind)
        fresh.chmod(MODE)
        with suppress(KeyError, PermissionError):  # no such group, or not root: then whoever runs this owns the file
            os.chown(fresh, -1, grp.getgrnam(GROUP).gr_gid)
        kept = _keep(path)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return kept


def _keep(path: Path) -> Path | None:
    """Set aside what stands there, under a name that loses none before it."""
    if not path.exists():
        return None
    numbers = count(1)
    while True:
        kept = path.with_suffix(f".old{next(numbers)}")
        with suppress(FileExistsError):
            os.link(path, kept)
            return kept
