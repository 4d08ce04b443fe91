"""Secrets: they lie in files of their own, are read at start, and print as stars."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.config.errors import ConfigError, Problem

STARS = "********"
LIMIT = 64 * 1024
"""Bytes of a secret file: the longest private key with its chain is a tenth of this."""
TOO_OPEN = 0o037
"""Mode bits a secret may not have: the group may read it (root:nabd 0640), and that is all."""


class Secret:
    """A text that shows itself only to `reveal`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text; call it where the secret is used, and nowhere else."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({STARS})"

    def __str__(self) -> str:
        return STARS


@dataclass(frozen=True, slots=True)
class SecretFile:
    """Where a secret lies; `path` is None for a systemd credential while no service manager handed us any."""

    path: Path | None
    source: str

    def read(self) -> Secret:
        """Read the secret, without its line's end; raises ConfigError."""
        if self.path is None:
            problem = Problem(
                Path(self.source), None, "", "", "systemd handed us no credentials",
                "$CREDENTIALS_DIRECTORY is set only inside the service",
            )  # fmt: skip
            raise ConfigError(problem)
        if fault := fault_of(self.path):
            raise ConfigError(Problem(self.path, None, "", "", *fault))
        return Secret(self.path.read_text(encoding="utf-8").rstrip("\r\n"))


def locate(text: str, folder: Path, env: Mapping[str, str]) -> SecretFile:
    """Find the file that `text` names: a path, relative to `folder`, or `credential:NAME`."""
    scheme, colon, name = text.partition(":")
    if not colon or scheme != "credential":
        return SecretFile(folder / text, str(folder / text))
    given = env.get("CREDENTIALS_DIRECTORY")
    return SecretFile(Path(given) / name if given else None, text)


def fault_of(path: Path) -> tuple[str, str] | None:
    """Say what keeps a secret file from being used and what to do, or None.

    A file that is not there is not named: people paste the secret itself where its file's name should stand.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            return "is not a file", "name a file that holds the secret and nothing else"
        if mode & TOO_OPEN:
            return "names a file that others may read or change", f"run: chmod 600 {path}"
        data = path.read_bytes() if path.stat().st_size <= LIMIT else b""
        text = data.decode().strip()
    except PermissionError:
        return "names a file we may not read", "give it to the user nabd runs as; run `nabd check` with sudo"
    except UnicodeDecodeError:
        return "names a file that is not text", "write keys in hexadecimal or PEM"
    except (OSError, ValueError):
        return "names a file that is not there", "put the secret into a file and its name here, never the secret itself"
    return None if text else ("names a file that is empty or too long", "it holds the secret and nothing else")
