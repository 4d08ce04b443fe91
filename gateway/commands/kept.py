"""A configuration that the hub sent and that proved itself: kept beside the journal, used at the next start.

1. It is one file, put in place in one step: a start finds the old one or the new one, whatever was killed when.
2. Its first line names the gateway's own file by its SHA-256. Whoever changes that file means it: it wins, and what
   the hub sent is set aside.
3. What can no longer be used is set aside too, and the gateway's own file runs.
"""

import logging
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from gateway import durable
from gateway.config.errors import ConfigError
from gateway.config.load import load_text
from gateway.config.models import EdgeConfig
from gateway.reload import needs_start

NAME, ASIDE = "remote.toml", "remote.old.toml"
LIMIT = 48 * 1024
"""Bytes of a configuration that a command may carry: some two hundred meters."""
_HEAD = "# Sent by the hub; it counts while the gateway's own file has the SHA-256 "

log = logging.getLogger("nabd")


class Kept:
    """The kept configuration of one gateway."""

    def __init__(self, own: Path, folder: Path) -> None:
        """`own` is the gateway's own file, `folder` the journal's; `base` is what the former said when it was read."""
        self.own, self.path = own.absolute(), folder / NAME
        self.runs = False
        self.base: EdgeConfig | None = None
        self._based = ""

    def read(self, text: str) -> EdgeConfig:
        """Take a text for a configuration that stands beside the gateway's own file; raises ConfigError."""
        return load_text(text, self.own.with_name(NAME), "edge")

    def choose(self, own: EdgeConfig) -> EdgeConfig:
        """Say what runs: the kept configuration, or `own`, what the gateway's own file says."""
        self._based, self.base = digest(self.own), own
        found = self._find()
        self.runs = False
        if found is None:
            return own
        based, text = found
        why = "the gateway's own file was changed"
        if based == self._based:
            try:
                config = self.read(text)
            except ConfigError as error:
                why = str(error)
            else:
                fixed = needs_start(own, config)
                if not fixed:
                    self.runs = True
                    return config
                why = f"it differs in {', '.join(fixed)}"
        self._set_aside(why)
        return own

    def rereads(self, reread: Callable[[], EdgeConfig]) -> Callable[[], EdgeConfig]:
        """Give what reads the gateway's own file anew, by `reread`, and says what is to run now."""
        return lambda: self.choose(reread())

    def keep(self, text: str) -> None:
        """Keep what proved itself, durably; raises OSError."""
        durable.replace(self.path, f"{_HEAD}{self._based}\n{text}".encode())
        self.runs = True

    def drop(self) -> bool:
        """Forget what is kept; False if there is nothing. Raises OSError."""
        self.runs = False
        there = self.path.exists()
        self.path.unlink(missing_ok=True)
        return there

    def note(self) -> str:
        """Say, without changing anything, what of the hub's runs instead of the gateway's own file, or ""."""
        found = self._find()
        if found is None or found[0] != digest(self.own):
            return ""
        return f"a configuration that the hub sent runs instead of it: {self.path} (`nabd reload --local` drops it)"

    def _find(self) -> tuple[str, str] | None:
        """Give what is kept: the SHA-256 it is based on, and its text."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None
        head, _, rest = text.partition("\n")
        return (head.removeprefix(_HEAD), rest) if head.startswith(_HEAD) else ("", text)

    def _set_aside(self, why: str) -> None:
        try:
            self.path.replace(self.path.with_name(ASIDE))
        except OSError as error:
            why += f"; it cannot be renamed: {error.strerror}"
        log.warning("the configuration that the hub sent is set aside as %s: %s", ASIDE, why)


def digest(file: Path) -> str:
    """Give a file's SHA-256 in hexadecimal, "" where it cannot be read."""
    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
