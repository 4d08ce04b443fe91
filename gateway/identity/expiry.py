"""Watches the end of a gateway's own certificate: a word in its status, a line in the log 30, 7 and 1 day before."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from gateway.identity.errors import Unusable
from gateway.identity.validity import Validity, validity_of

STEPS = (30, 7, 1)
"""Days before the end at which it is said: time for a visit, for a call, for a night."""


class Expiry:
    """One certificate file, read again whenever it is another."""

    def __init__(self, path: Path, now: Callable[[], int | None]) -> None:
        """`now` gives UTC in ms, or None while the time is not known: then nothing is said."""
        self._path, self._now = path, now
        self._read: tuple[tuple[int, int] | None, Validity | None] = (None, None)

    def status(self) -> dict[str, object]:
        """Say until when it holds, for people; empty while there is no certificate."""
        validity, now = self._validity(), self._now()
        if validity is None:
            return {}
        until = datetime.fromtimestamp(validity.until / 1000, UTC).isoformat(timespec="seconds")
        return {"until": until} if now is None else {"until": until, "days_left": validity.days_left(now)}

    def faults(self) -> Mapping[str, Callable[[], str]]:
        """Name the warnings, each of which is told once; they fall silent together when it is renewed."""
        return {f"certificate, {step} days before its end": partial(self._warning, step) for step in STEPS}

    def _warning(self, step: int) -> str:
        validity, now = self._validity(), self._now()
        if validity is None or now is None or (left := validity.days_left(now)) >= step:
            return ""
        day = datetime.fromtimestamp(validity.until / 1000, UTC).date()
        said = f"it ends on {day}" if left >= 0 else f"it ended on {day}"
        return f"{said}; renew it: nabd enrol request --new"

    def _validity(self) -> Validity | None:
        try:
            seen = self._path.stat()
            mark = (seen.st_mtime_ns, seen.st_size)
            if mark != self._read[0]:
                self._read = mark, validity_of(self._path.read_text("ascii", "replace"))
        except OSError:
            self._read = None, None
        except Unusable:
            self._read = mark, None
        return self._read[1]
