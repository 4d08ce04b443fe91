"""True time on a board without a clock: what the wall clock says is believed only when somebody has set it.

1. Moments are taken on the boot clock (`boot_ms`), which runs on through suspend and every change of the wall clock.
2. `stamp` turns such a moment into UTC with the offset of this instant; while the clock is unsynced it gives None, and
   the reading is held until `offset` exists.
3. Whether it is synced is decided by `TABLE` from three witnesses, asked at most once a second.
4. A clock that nobody corrects drifts. It is believed on (`holdover`) as long as it can be off by no more than
   `ERROR_LIMIT_MS`, then it is unsynced like one that never was.

A step of the wall clock is followed at once, since the newer time is the better one. After a step back the same
millisecond comes by a second time; so that no (meter, ts) is used twice, stamps are even, odd after the first step
back, even after the second, and so on. Within one meter stamps may then go back.
"""

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from gateway.message import ClockState

Probe = Callable[[], tuple[ClockState, int]]
"""Gives what the witnesses say, and how many ms ago the clock was last corrected (0 while unsynced)."""

# timesyncd synced in this boot, kernel flag says synchronised, chronyd or ntpd is running  ->  state
TABLE: dict[tuple[bool, bool, bool], ClockState] = {
    (True, True, True): "synced",
    (True, True, False): "synced",
    # The kernel takes its flag back some nine hours after the last correction: synced once, now on its own.
    (True, False, True): "holdover",
    (True, False, False): "holdover",
    (False, True, True): "synced",
    # A flag nobody here maintains proves nothing: another system may have left it, and it lies about a clock set wrong.
    (False, True, False): "unsynced",
    (False, False, True): "unsynced",
    (False, False, False): "unsynced",
}

DRIFT_PPM = 100
"""What a crystal of a small board may be off; the error grows by this while nobody corrects it."""

ERROR_LIMIT_MS = 10_000
"""As far as a meter's own clock may be off before it is told: some 28 hours without correction."""

_TIMESYNCD = Path("/run/systemd/timesync/synchronized")
_DAEMONS = (
    Path("/run/chrony/chronyd.pid"),
    Path("/run/chronyd.pid"),
    Path("/run/ntpd.pid"),
    Path("/run/ntpsec/ntpd.pid"),
)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PROBE_EVERY = 1000
_STEP_MS, _SLEW = 100, 1000
"""A step back is more than this many ms, and more than slewing takes in the time that passed (at most 500 ppm). Smaller
ones cannot bring a meter's own millisecond back: it is never asked twice in a tenth of a second."""
_SLACK = 1000
"""Milliseconds: the boot time is the difference of two clocks read one after the other."""


def wall_ms() -> int:
    """Give UTC in ms as the system believes it."""
    return time.time_ns() // 1_000_000


def boot_ms() -> int:
    """Give ms since the board started, suspend included."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def read_boot_id() -> str:
    """Give the kernel's id of this start of the board."""
    return _BOOT_ID.read_text(encoding="ascii").strip()


class Clock:
    """Stamps moments; `trust="system"` believes the system always, for sites that set their clock in another way."""

    def __init__(
        self,
        trust: Literal["auto", "system"] = "auto",
        wall: Callable[[], int] = wall_ms,
        boot: Callable[[], int] = boot_ms,
        probe: Probe | None = None,
        boot_id: str | None = None,
    ) -> None:
        self._trust, self._wall, self._boot = trust, wall, boot
        self._probe = probe or SystemProbe(wall, boot)
        self.boot_id = boot_id or read_boot_id()
        self._evidence: ClockState = "unsynced"
        self._probed: int | None = None
        self._confirmed: int | None = None
        self._last: tuple[int, int] | None = None
        self.steps_back = 0

    def boot_ms(self) -> int:
        """Give ms since the board started: the clock every moment is taken on."""
        return self._boot()

    @property
    def state(self) -> ClockState:
        """Say how far to trust a stamp: `holdover` was synced in this boot and runs on its own now."""
        if self._trust == "system":
            return "synced"
        now = self._boot()
        if self._probed is None or now - self._probed >= _PROBE_EVERY:
            self._probed = now
            self._evidence, age = self._probe()
            if self._evidence != "unsynced":
                self._confirmed = max(now - age, self._confirmed or 0)
        if self._evidence == "synced":
            return "synced"
        return "unsynced" if self._confirmed is None or self._drift(now) > ERROR_LIMIT_MS else "holdover"

    @property
    def offset(self) -> int | None:
        """Give UTC minus boot clock in ms, for `Journal.repair`; None while unsynced."""
        return None if self.state == "unsynced" else self._wall() - self._boot()

    @property
    def error_ms(self) -> int | None:
        """Estimate how far off a stamp may be for drift alone; None while unsynced."""
        return None if self.state == "unsynced" else self._drift(self._boot())

    def stamp(self, at: int) -> int | None:
        """Give UTC in ms for a moment on the boot clock; None while unsynced."""
        if self.state == "unsynced":
            return None
        boot = self._boot()
        offset = self._wall() - boot
        if self._last is not None and self._last[1] - offset > _STEP_MS + (boot - self._last[0]) // _SLEW:
            self.steps_back += 1
        self._last = boot, offset
        return (at + offset) // 2 * 2 + self.steps_back % 2

    def _drift(self, now: int) -> int:
        alone = 0 if self._confirmed is None else now - self._confirmed
        return -(-alone * DRIFT_PPM // 1_000_000)  # rounded up: no estimate is below the true error


class SystemProbe:
    """Asks this system's three witnesses; the places are handed in by tests."""

    def __init__(
        self,
        wall: Callable[[], int] = wall_ms,
        boot: Callable[[], int] = boot_ms,
        timesyncd: Path = _TIMESYNCD,
        daemons: tuple[Path, ...] = _DAEMONS,
        kernel: Callable[[], bool] | None = None,
    ) -> None:
        self._wall, self._boot, self._timesyncd, self._daemons = wall, boot, timesyncd, daemons
        self._kernel = kernel or kernel_synced

    def __call__(self) -> tuple[ClockState, int]:
        """Look the witnesses up in `TABLE`; without a running correction the file's age is that of the last one."""
        age = self._age()
        state = TABLE[age is not None, self._kernel(), any(path.exists() for path in self._daemons)]
        return state, age or 0 if state == "holdover" else 0

    def _age(self) -> int | None:
        """Give ms since timesyncd touched its file, as it does at each correction; None unless in this boot."""
        try:
            touched = int(self._timesyncd.stat().st_mtime * 1000)
        except OSError:
            return None
        age = max(0, self._wall() - touched)
        return age if age <= self._boot() + _SLACK else None  # one left by an earlier boot proves nothing


_TIME_ERROR = 5
_STA_UNSYNC = 0x40
_STATUS_AT = 5
_TIMEX_LONGS = 64


def kernel_synced() -> bool:
    """Ask the kernel whether its clock is being disciplined: adjtimex without changing anything; needs no right."""
    # struct timex begins: unsigned int modes; long offset, freq, maxerror, esterror; int status. Padded, these stand at
    # multiples of a long, and the whole is 208 bytes on 64-bit machines; the buffer is larger.
    timex = (ctypes.c_long * _TIMEX_LONGS)()
    try:
        result: int = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return False
    status = ctypes.c_int.from_buffer(timex, _STATUS_AT * ctypes.sizeof(ctypes.c_long)).value
    return result not in (-1, _TIME_ERROR) and not status & _STA_UNSYNC
