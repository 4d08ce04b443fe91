"""This box: its network, its clock, its disk, its card, its supply."""

import errno
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from gateway.doctor.finding import Finding
from gateway.flash import advice
from gateway.message import ClockState
from gateway.troubles import has_network

FULL = 32 * 1024 * 1024
"""Bytes free below which a disk counts as full: SQLite's log and one quarter of an hour of a large gateway."""
AHEAD = 120.0
"""Seconds by which a file may be newer than the clock says: a step by a time server that came right after it."""
WORN = 80
"""Percent of a card's life after which it should be replaced."""
THROTTLED = Path("sys/devices/platform/soc/soc:firmware/get_throttled")
NOW, PAST = 0x1, 0x10000
"""Bits of that word: the voltage is too low now, and was since the start."""


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """The folder we write to; `error` is what kept us from it, `wear` what the program says of flash, both "" if well.

    `worn` gives by card the percent of its life that are used up.
    """

    folder: str
    free: int | None = None
    error: str = ""
    wear: str = ""
    worn: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BoxFacts:
    """The rest; times in seconds since 1970, `newest` the newest of the files known and when it was written."""

    clock: ClockState
    now: float
    newest: tuple[str, float] = ("", 0.0)
    network: bool = True
    throttled: int | None = None


def judge_box(facts: BoxFacts) -> list[Finding]:
    """Say what is wrong with network, clock and supply."""
    found = [] if facts.network else [Finding("no_network", "")]
    file, written = facts.newest
    if written > facts.now + AHEAD:
        evidence = {"now": shown(facts.now), "file": file, "later": shown(written)}
        found.append(Finding("clock_wrong", "", evidence))
    elif facts.clock == "unsynced":
        found.append(Finding("clock_unsynced", "", {"now": shown(facts.now)}))
    if facts.throttled is not None and facts.throttled & (NOW | PAST):
        code = "undervoltage" if facts.throttled & NOW else "undervoltage_past"
        found.append(Finding(code, "", {"flags": f"{facts.throttled:#x}"}))
    return found


def judge_disk(facts: DiskFacts) -> list[Finding]:
    """Say what is wrong with the disk."""
    found: list[Finding] = []
    if facts.error:
        found.append(Finding("disk_read_only", facts.folder, {"reason": facts.error}))
    if facts.free is not None and facts.free < FULL:
        found.append(Finding("disk_full", facts.folder, {"free_mb": facts.free // 1_000_000}))
    found += [Finding("card_worn", card, {"percent": used}) for card, used in facts.worn.items() if used >= WORN]
    if facts.wear:
        found.append(Finding("card_wears", facts.folder, {"reason": facts.wear}))
    return found


def shown(moment: float) -> str:
    """Write a moment for people, in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")


# --- looking ---------------------------------------------------------------------------------------------------------


def probe_box(clock: ClockState, now: float, files: Sequence[Path], root: Path = Path("/")) -> BoxFacts:
    """Look at this box; `files` are some of ours, which cannot have been written in the future."""
    written = {}
    for file in files:
        with suppress(OSError):
            written[str(file)] = file.stat().st_mtime
    newest = max(written.items(), key=lambda item: item[1], default=("", 0.0))
    routes = [root / "proc/net/route", root / "proc/net/ipv6_route"]
    return BoxFacts(clock, now, newest, has_network(routes), _throttled(root / THROTTLED))


def probe_disk(folder: Path, window: float, root: Path = Path("/"), fault: str = "", wear: str = "") -> DiskFacts:
    """Look at a disk; `fault` and `wear` are what a running program says of it."""
    place = next(path for path in (folder, *folder.parents) if path.is_dir())
    system = os.statvfs(place)
    error = fault
    if system.f_flag & os.ST_RDONLY:
        error = os.strerror(errno.EROFS)
    elif folder.is_dir() and not os.access(folder, os.W_OK):
        error = os.strerror(errno.EACCES)
    if wear:
        wear = "; ".join(filter(None, (wear, advice(folder, window))))
    return DiskFacts(str(folder), system.f_bavail * system.f_frsize, error, wear, _worn(root))


def _throttled(path: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(path.read_text(encoding="ascii"), 16)
    return None


def _worn(root: Path) -> dict[str, int]:
    """Read what each card says of its wear: two numbers in steps of ten percent; plain SD cards say nothing."""
    worn = {}
    for path in sorted((root / "sys/block").glob("mmcblk*/device/life_time")):
        with suppress(OSError, ValueError):
            steps = max(int(word, 16) for word in path.read_text(encoding="ascii").split())
            worn[path.parts[-3]] = max(0, steps - 1) * 10  # 0x01 says 0 to 10 %
    return worn
