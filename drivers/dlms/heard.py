"""The highest invocation counters heard of meters, kept over restarts, so that an old message stays old.

A meter's file is written again when its counter has risen by `STEP`, and when the driver closes: a power cut in between
lets at most that many old messages pass for new ones, once.
"""

import json
from hashlib import sha256
from pathlib import Path

from drivers.dlms.security import Received

STEP = 256
"""Messages between two writes: three hours of a meter that pushes each ten seconds ciphers some thousand."""


class Heard:
    """The counters of each meter, by its id; without a folder they live as long as the driver."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._received: dict[str, Received] = {}
        self._written: dict[str, int] = {}

    def of(self, meter: str) -> Received:
        """Give a meter's counters."""
        if meter not in self._received:
            self._received[meter] = Received(self._read(meter))
            self._written[meter] = _sum(self._received[meter])
        return self._received[meter]

    def keep(self, meter: str, *, at_once: bool = False) -> None:
        """Write a meter's counters, if it is time; never raises, since a full disk must not stop readings."""
        received = self._received.get(meter)
        if received is None or self._folder is None:
            return
        risen = _sum(received) - self._written[meter]
        if risen >= STEP or (at_once and risen):
            self._write(meter, received)
            self._written[meter] = _sum(received)

    def keep_all(self) -> None:
        """Write what has risen since."""
        for meter in self._received:
            self.keep(meter, at_once=True)

    def _path(self, meter: str) -> Path | None:
        name = sha256(b"nabd heard" + meter.encode()).hexdigest()[:16]
        return self._folder / f"heard-{name}" if self._folder else None

    def _read(self, meter: str) -> dict[bytes, int]:
        path = self._path(meter)
        try:
            told = json.loads(path.read_text("ascii")) if path else {}
            return {bytes.fromhex(title): int(counter) for title, counter in told.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}  # nothing was heard before, or nothing that can be read: each message is new

    def _write(self, meter: str, received: Received) -> None:
        path = self._path(meter)
        if path is None:
            return
        text = json.dumps({title.hex(): counter for title, counter in received.highest.items()})
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = path.with_suffix(".new")
            new.write_text(text, "ascii")
            new.replace(path)
        except OSError:
            return


def _sum(received: Received) -> int:
    return sum(received.highest.values())
