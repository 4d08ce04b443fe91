"""Who may see the pages: whoever opened a one-time link on this device, and nobody else. There is no password.

1. `link` makes a token of 160 random bits. It opens one session, once, within a day; making one needs the machine.
2. `enter` trades it for a session, which a cookie names. Of both, only hashes are kept.
3. A session ends after `stay` without a look, after a year, by `leave`, or when newer ones push it out.
4. Sessions lie in a small file, so that a tablet on the wall outlives a restart. It is written when one begins or ends,
   and a few times in a `stay` when one is used.
"""

import contextlib
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from pydantic import TypeAdapter, ValidationError

from gateway.seclog import note

LINK_BYTES = 20
SESSION_BYTES = 32
LINK_LIFE_MS = 24 * 3_600_000
YEAR_MS = 365 * 24 * 3_600_000
LINKS = 16
"""Unused links at a time: more than any household's devices; the oldest falls."""
SESSIONS = 64
"""Devices that stay signed in: more than any household's; the one longest away falls."""
SAVES_A_STAY = 30
TRIES = 10
"""Wrong links a minute and address: enough for anybody's typing, hopeless against 160 bits."""
TRIES_MS = 60_000
ADDRESSES = 1000
"""Addresses whose tries are counted; a thousand liars at once cost less than 100 kB."""


class TooManyTries(Exception):  # noqa: N818
    """This address tried too many wrong links in the last minute."""


@dataclass(slots=True)
class Session:
    """One device that was let in; times in UTC ms."""

    begun: int
    used: int


_SESSIONS = TypeAdapter(dict[str, Session])


class Access:
    """Keeps links and sessions."""

    def __init__(self, file: Path | None, *, stay: float, now: Callable[[], int]) -> None:
        """`file` outlives the program, None keeps sessions in memory; `stay` in seconds; `now` gives UTC ms."""
        self._file, self._stay_ms, self._now = file, int(stay * 1000), now
        self._links: dict[str, int] = {}
        self._tries: dict[str, list[int]] = {}
        self._sessions = _load(file)
        self._saved = now()

    @property
    def stay(self) -> int:
        """How many seconds a browser shall keep the cookie."""
        return self._stay_ms // 1000

    def link(self) -> str:
        """Make the token of a one-time link."""
        token = secrets.token_urlsafe(LINK_BYTES)
        while len(self._links) >= LINKS:
            del self._links[next(iter(self._links))]
        self._links[_hash(token)] = self._now() + LINK_LIFE_MS
        note("link_made")
        return token

    def enter(self, token: str, address: str, old: str | None = None) -> str | None:
        """Use a link up and give the new session's secret, or None for a link that is none; raises TooManyTries.

        `old` is the secret this device showed so far; it ends here, so nobody can plant one beforehand.
        """
        now = self._now()
        tries = [at for at in self._tries.get(address, ()) if now - at < TRIES_MS]
        if len(tries) >= TRIES:
            note("entry_blocked", address=address)
            raise TooManyTries
        until = self._links.pop(_hash(token), None)
        if until is None or until <= now:
            self._count(address, [*tries, now])
            note("entry_refused", address=address)
            return None
        if old is not None:
            self._sessions.pop(_hash(old), None)
        while len(self._sessions) >= SESSIONS:
            del self._sessions[min(self._sessions, key=lambda name: self._sessions[name].used)]
            note("session_ended", why="too many")
        secret = secrets.token_urlsafe(SESSION_BYTES)
        self._sessions[_hash(secret)] = Session(now, now)
        note("entered", address=address)
        self._save()
        return secret

    def knows(self, secret: str | None) -> bool:
        """Tell whether a secret names a living session, and count this as its use."""
        if secret is None:
            return False
        name, now = _hash(secret), self._now()
        session = self._sessions.get(name)
        if session is None:
            return False
        if now - session.used > self._stay_ms or now - session.begun > YEAR_MS:
            del self._sessions[name]
            note("session_ended", why="too long away")
            self._save()
            return False
        session.used = now
        if now - self._saved > self._stay_ms // SAVES_A_STAY:
            self._save()
        return True

    def leave(self, secret: str | None) -> None:
        """End a session."""
        if secret is not None and self._sessions.pop(_hash(secret), None) is not None:
            note("left")
            self._save()

    def _count(self, address: str, tries: list[int]) -> None:
        self._tries.pop(address, None)
        while len(self._tries) >= ADDRESSES:
            del self._tries[next(iter(self._tries))]
        self._tries[address] = tries

    def _save(self) -> None:
        self._saved = self._now()
        if self._file is None:
            return
        written = self._file.with_suffix(".new")
        # On a full or read-only disk sessions live on in memory; a device then needs a new link after a restart.
        with contextlib.suppress(OSError):
            written.unlink(missing_ok=True)
            written.touch(mode=0o600)
            written.write_bytes(orjson.dumps({name: asdict(session) for name, session in self._sessions.items()}))
            written.replace(self._file)


def _load(file: Path | None) -> dict[str, Session]:
    """Read the sessions; a file that is gone or damaged means that everybody needs a new link."""
    if file is None:
        return {}
    try:
        return _SESSIONS.validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return {}


def _hash(secret: str) -> str:
    """Hash a secret of full entropy: no salt and no stretching is needed against guessing."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
