"""Who may see the pages: whoever opened a one-time link on this device, and nobody else. There is no password.

1. `link` makes a token of 160 random bits. It opens one session, once, within a day; making one needs the machine.
   It says whom it lets in: the operator, or a customer to the home of one tenant.
2. `enter` trades it for a session, which a cookie names. Of both, only hashes are kept.
3. A session ends after `stay` without a look, after a year, by `leave` or `end`, or when newer ones of the same
   tenant push it out. Where one operator sees many homes, theirs ends after a quarter-hour's rest or half a day.
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
from gateway.web.rights import Role

LINK_BYTES = 20
SESSION_BYTES = 32
LINK_LIFE_MS = 24 * 3_600_000
YEAR_MS = 365 * 24 * 3_600_000
REST_MS, SHIFT_MS = 15 * 60_000, 12 * 3_600_000
"""How long an operator of many homes may rest, and how long they work at most."""
LINKS = 16
"""Unused links of a tenant at a time: more than any household's devices; the oldest falls."""
SESSIONS = 64
"""Devices of a tenant that stay signed in: more than any household's; the one longest away falls."""
NAMED = 8
"""Digits of a session's hash by which people name it."""
SAVES_A_STAY = 30
TRIES = 10
"""Wrong links a minute and address: enough for anybody's typing, hopeless against 160 bits."""
TRIES_MS = 60_000
ADDRESSES = 1000
"""Addresses whose tries are counted; a thousand liars at once cost less than 100 kB."""


class TooManyTries(Exception):  # noqa: N818
    """This address tried too many wrong links in the last minute."""


@dataclass(frozen=True, slots=True)
class Door:
    """What a link opens: every home to the operator, or a `tenant`'s to its customer."""

    role: Role = "operator"
    tenant: str = ""


OPERATOR = Door()


@dataclass(slots=True)
class Session:
    """One device that was let in; times in UTC ms."""

    role: Role
    tenant: str
    begun: int
    used: int

    @property
    def door(self) -> Door:
        """What it may see."""
        return Door(self.role, self.tenant)


@dataclass(frozen=True, slots=True)
class _Link:
    door: Door
    until: int


_SESSIONS = TypeAdapter(dict[str, Session])


class Access:
    """Keeps links and sessions."""

    def __init__(self, file: Path | None, *, stay: float, now: Callable[[], int], shifts: bool = False) -> None:
        """`file` outlives the program, None keeps sessions in memory; `stay` in seconds; `now` gives UTC ms.

        `shifts` says that an operator's session ends with their shift.
        """
        self.shifts = shifts
        self._file, self._stay_ms, self._now = file, int(stay * 1000), now
        self._links: dict[str, _Link] = {}
        self._tries: dict[str, list[int]] = {}
        self._sessions = _load(file)
        self._saved = now()

    @property
    def stay(self) -> int:
        """How many seconds a browser shall keep the cookie."""
        return self._stay_ms // 1000

    def link(self, door: Door = OPERATOR) -> str:
        """Make the token of a one-time link."""
        token = secrets.token_urlsafe(LINK_BYTES)
        waiting = [name for name, link in self._links.items() if link.door == door]
        for name in waiting[: len(waiting) - LINKS + 1]:
            del self._links[name]
        self._links[_hash(token)] = _Link(door, self._now() + LINK_LIFE_MS)
        note("link_made", role=door.role, tenant=door.tenant)
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
        link = self._links.pop(_hash(token), None)
        if link is None or link.until <= now:
            self._count(address, [*tries, now])
            note("entry_refused", address=address)
            return None
        if old is not None:
            self._sessions.pop(_hash(old), None)
        self._make_room(link.door)
        secret = secrets.token_urlsafe(SESSION_BYTES)
        self._sessions[_hash(secret)] = Session(link.door.role, link.door.tenant, now, now)
        note("entered", address=address, role=link.door.role, tenant=link.door.tenant)
        self._save()
        return secret

    def knows(self, secret: str | None) -> bool:
        """Tell whether a secret names a living session, and count this as its use."""
        return self.session(secret) is not None

    def session(self, secret: str | None) -> Session | None:
        """Give the living session that a secret names, and count this as its use."""
        if secret is None:
            return None
        name, now = _hash(secret), self._now()
        session = self._sessions.get(name)
        if session is None:
            return None
        if self._is_over(session, now):
            del self._sessions[name]
            note("session_ended", why="too long away")
            self._save()
            return None
        session.used = now
        if now - self._saved > self._stay_ms // SAVES_A_STAY:
            self._save()
        return session

    def sessions(self) -> dict[str, Session]:
        """Give the living sessions, each by a name that opens nothing."""
        now = self._now()
        return {name[:NAMED]: one for name, one in self._sessions.items() if not self._is_over(one, now)}

    def end(self, tenant: str | None = None, session: str | None = None) -> int:
        """End one session by its name, or all sessions and unused links of a tenant's; says how many sessions."""
        gone = [
            name
            for name, one in self._sessions.items()
            if name[:NAMED] == session or (tenant is not None and one.door == Door("customer", tenant))
        ]
        for name in gone:
            del self._sessions[name]
            note("session_ended", why="revoked")
        if tenant is not None:
            self._links = {name: link for name, link in self._links.items() if link.door.tenant != tenant}
        self._save()
        return len(gone)

    def leave(self, secret: str | None) -> None:
        """End a session."""
        if secret is not None and self._sessions.pop(_hash(secret), None) is not None:
            note("left")
            self._save()

    def _is_over(self, session: Session, now: int) -> bool:
        """Tell whether a session was not used for too long, or is too old."""
        shift = self.shifts and session.role == "operator"
        rest, most = (REST_MS, SHIFT_MS) if shift else (self._stay_ms, YEAR_MS)
        return now - session.used > rest or now - session.begun > most

    def _make_room(self, door: Door) -> None:
        """Let the session that was longest away give way to a new one of the same tenant's."""
        same = [name for name, one in self._sessions.items() if one.door == door]
        if len(same) >= SESSIONS:
            del self._sessions[min(same, key=lambda name: self._sessions[name].used)]
            note("session_ended", why="too many")

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
