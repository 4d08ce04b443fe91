"""Who we are to ciphered meters: our system title, and counters that are never used twice.

The title is made once, by chance, and kept beside the counters; so no two gateways with one key share a vector. A
profile may name another, for meters that know one client only.
"""

from collections.abc import Callable
from pathlib import Path

from drivers.contract import Keys, Refused
from drivers.dlms.association import Identity
from drivers.dlms.counters import Counters
from drivers.dlms.sealed import TITLE_LENGTH

MAKER = b"NBD"
"""The first three letters of our title."""

Random = Callable[[int], bytes]


class OurCounters:
    """Identities for associations; `folder` outlives crashes, `random` makes titles, challenges and keys."""

    def __init__(self, folder: Path | None, random: Random) -> None:
        self._folder = folder
        self._random = random
        self._counters = Counters(folder) if folder else None
        self._title: bytes | None = None

    def identity(self, keys: Keys, title: bytes | None) -> Identity:
        """Be somebody to a meter with these keys; raises Refused without a folder, or one that takes no file."""
        if keys.encryption is None:
            return Identity(title or bytes(TITLE_LENGTH), lambda: 0, self._random)
        counters, key, ours = self._kept(), keys.encryption, title or self._own_title()
        return Identity(ours, lambda: counters.count(key, ours), self._random)

    def rise(self, keys: Keys, title: bytes | None, least: int) -> None:
        """Go on above what the meter has seen; raises Refused."""
        if keys.encryption is not None:
            self._kept().rise(keys.encryption, title or self._own_title(), least)

    def _kept(self) -> Counters:
        if self._counters is None:
            raise Refused("there is no place for invocation counters", "a ciphered meter is asked by the gateway only")
        return self._counters

    def _own_title(self) -> bytes:
        if self._title is None and self._folder is not None:
            self._title = self._read_title(self._folder / "system-title")
        return self._title or bytes(TITLE_LENGTH)

    def _read_title(self, path: Path) -> bytes:
        try:
            if not path.exists():
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                new = path.with_suffix(".new")
                new.write_text((MAKER + self._random(TITLE_LENGTH - len(MAKER))).hex(), "ascii")
                new.replace(path)
            title = bytes.fromhex(path.read_text("ascii"))
        except (OSError, ValueError) as error:
            raise Refused(
                f"{path}: {error}", "delete the file: a new title is made, and counters begin anew"
            ) from error
        if len(title) != TITLE_LENGTH:
            raise Refused(f"{path} holds no system title", "16 hexadecimal digits")
        return title
