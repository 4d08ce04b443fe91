"""The security log: who came in, what was refused, which keys and settings changed; one JSON object a line.

1. Whoever has something to note calls `note`. Where no log is kept, that is nothing.
2. A program keeps its log in a file beside its control socket (`place_of`). A thread of its own writes it, so that no
   slow disk holds up the program; what comes faster than it may is counted, and the next line of its kind says so.
3. The file is turned over at 1 MB; it and four older ones are kept, 5 MB in all. It outlives restarts.
4. Lines are pure ASCII: what came from outside can neither end a line nor colour a terminal. No secret is noted.
5. Each line says what the clock was worth, and one is written when somebody sets it.
"""

import contextlib
import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from gateway.clock import SystemProbe
from gateway.commands.bucket import Bucket
from gateway.journal.schema import make_folder

Kind = Literal[
    "started", "stopped", "updated", "clock_set", "clock_state",
    "link_made", "entered", "entry_refused", "entry_blocked", "left", "session_ended", "moved_in",
    "host_refused", "form_refused",
    "config_taken", "config_refused", "command_done", "command_refused", "settings_refused",
    "key_made", "certificate_taken", "certificate_refused",
    "meter_written", "journal_copied", "journal_restored", "support_made", "reset_asked", "tamper",
]  # fmt: skip
"""What is noted; docs/reference/security-log.md explains each."""

NAME = "security.log"
SIZE, FILES = 1_000_000, 5
"""Bytes of a file, and how many there are: 30,000 lines, months of a gateway at home."""
TEXT_LIMIT = 200
"""Characters of one value: a host name, a reason. Longer ones come from whoever tries to fill the log."""
AT_ONCE, A_SECOND = 50, 0.2
"""Lines of one kind: an attack shows, and turns the log over in a day at the soonest."""
WAITING = 1000
LOOK_EVERY = 30.0
SET_BY = 1.0
"""Seconds between two looks at the clock, and by which it was set rather than corrected."""

_LOG = logging.getLogger("nabd.security")
_LOG.propagate = False
_SILENT = logging.CRITICAL + 1
_LOG.setLevel(_SILENT)


def note(kind: Kind, **facts: str | int | None) -> None:
    """Note that something happened; `facts` are shown as they are, so they hold no secret."""
    _LOG.info(kind, extra={"facts": facts})


class SecurityLog(logging.Handler):
    """Writes what is noted; `clock` says what the clock is worth, `wall` gives UTC seconds."""

    def __init__(
        self,
        file: Path,
        clock: Callable[[], str] = lambda: SystemProbe()()[0],
        wall: Callable[[], float] = time.time,
        passed: Callable[[], float] = time.monotonic,
        *,
        own: bool = True,
    ) -> None:
        """Not `own`: only add to a file that is there, and leave turning it over to the program whose file it is."""
        super().__init__()
        self.lost = 0
        self._file, self._clock, self._wall, self._passed, self._own = file, clock, wall, passed, own
        self._buckets: dict[str, Bucket] = {}
        self._unsaid: dict[str, int] = {}
        self._lines: queue.Queue[str | None] = queue.Queue(WAITING)
        self._state, self._offset = clock(), wall() - passed()
        self._thread = threading.Thread(target=self._write_all, name="security-log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take one note; never waits."""
        kind = record.getMessage()
        bucket = self._buckets.setdefault(kind, Bucket(AT_ONCE, A_SECOND))
        if not bucket.take(self._passed()):
            self._unsaid[kind] = self._unsaid.get(kind, 0) + 1
            return
        facts = dict(getattr(record, "facts", {}))
        if unsaid := self._unsaid.pop(kind, 0):
            facts["unsaid_before"] = unsaid
        self._put(line_of(kind, facts, self._wall(), self._state))

    def close(self) -> None:
        """Write what waits, and stop."""
        with contextlib.suppress(queue.Full):
            self._lines.put(None, timeout=1)
        self._thread.join(5)
        super().close()

    def _put(self, line: str) -> None:
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self.lost += 1

    def _write_all(self) -> None:
        while True:
            try:
                line = self._lines.get(timeout=LOOK_EVERY)
            except queue.Empty:
                self.look()
                continue
            if line is None:
                return
            try:
                self._write(line)
            except OSError:  # a full or read-only disk: told by the journal, which cannot write either
                self.lost += 1

    def look(self) -> None:
        """See whether the clock was set, or is worth something else, since the last look."""
        state, offset = self._clock(), self._wall() - self._passed()
        if state != self._state:
            note("clock_state", before=self._state, now=state)
        if abs(offset - self._offset) > SET_BY:
            note("clock_set", by_ms=round((offset - self._offset) * 1000))
        self._state, self._offset = state, offset

    def _write(self, line: str) -> None:
        if not self._file.exists():
            if not self._own:
                return
            self._file.touch(mode=0o600)
        elif self._own and self._file.stat().st_size + len(line) > SIZE:
            self._turn_over()
        with self._file.open("a", encoding="ascii") as file:
            file.write(line)

    def _turn_over(self) -> None:
        for number in range(FILES - 1, 0, -1):
            older = self._file.with_name(f"{NAME}.{number - 1}") if number > 1 else self._file
            with contextlib.suppress(FileNotFoundError):
                older.replace(self._file.with_name(f"{NAME}.{number}"))
        self._file.touch(mode=0o600)


def line_of(kind: str, facts: dict[str, str | int | None], at: float, clock: str) -> str:
    """Write one line: when, what the clock was worth, what, and the facts, each bounded and escaped."""
    when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    bounded = {key: value[:TEXT_LIMIT] if isinstance(value, str) else value for key, value in facts.items()}
    # What JSON leaves as it is, a terminal might act on: DEL is the only such character of ASCII.
    return json.dumps({"at": when, "clock": clock, "kind": kind, **bounded}).replace("\x7f", "\\u007f") + "\n"


@contextlib.contextmanager
def keeping(file: Path, *, own: bool = True) -> Iterator[SecurityLog]:
    """Keep the log in a file while the block runs."""
    if own:
        with contextlib.suppress(OSError):  # the first start of all; what cannot be made is told by the journal
            make_folder(file.parent)
    log = SecurityLog(file, own=own)
    _LOG.addHandler(log)
    _LOG.setLevel(logging.INFO)
    try:
        yield log
    finally:
        _LOG.removeHandler(log)
        # Handlers of others, such as a test's, keep no log of ours.
        kept = any(isinstance(handler, SecurityLog) for handler in _LOG.handlers)
        _LOG.setLevel(logging.INFO if kept else _SILENT)
        log.close()


def note_start(file: Path, version: str) -> None:
    """Note a start, and before it an update where the last start was of another version."""
    before = _last_version(file)
    if before and before != version:
        note("updated", before=before, now=version)
    note("started", version=version)


def _last_version(file: Path) -> str:
    for path in (file, file.with_name(f"{NAME}.1")):
        with contextlib.suppress(OSError, ValueError):
            for line in reversed(path.read_text(encoding="ascii").splitlines()):
                if '"kind": "started"' in line:
                    return str(json.loads(line).get("version", ""))
    return ""
