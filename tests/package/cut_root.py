"""Whole Debians on disks whose every write is recorded, and what is left of them when the power is cut.

1. `image_of` makes a disk of a root. Whoever records lets it boot through the recorder (`tests.power.recorder`).
2. `acknowledging` marks in the recording, as it goes, up to which number readings are committed, and where each phase
   of an installation begins.
3. `cuts` gives, for moments spread over all phases, the mounted disk as a cut just then may leave it (`tests.power.
   crash_points`), with the number that was marked last.
"""

import asyncio
import contextlib
import hashlib
import itertools
import os
import random
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway import control
from gateway.journal import JournalError, schema
from gateway.journal.reader import Reader
from tests.power.crash_points import Recording, images
from tests.power.disk import Disk, sh

MEGABYTE = 1 << 20
DISK = 768 * MEGABYTE
"""A minimal Debian takes 250 MB, a Nabd 90 and its compiled files 50; during an upgrade there are two."""
SPARE = ("var/cache/apt", "var/lib/apt/lists", "usr/share/locale", "usr/share/doc", "var/log/journal")
"""What no boot needs; less to copy at every cut."""
ASKING = 0.1
"""Seconds between two looks into the journal."""
PHASES = (b"begin", b"phase ")
JOURNAL = "var/lib/nabd/journal"


def image_of(place: Path, image: Path) -> Path:
    """Make a disk of 4 KB blocks, as cards have, that holds a root; gives the image."""
    for path in SPARE:
        shutil.rmtree(place / path, ignore_errors=True)
    with image.open("wb") as file:
        file.truncate(DISK)
    whole = "lazy_itable_init=0,lazy_journal_init=0"
    sh("mkfs.ext4", "-q", "-F", "-b", "4096", "-E", whole, "-d", str(place), str(image))
    return image


@contextlib.contextmanager
def acknowledging(place: Path, mark: Path) -> Iterator[None]:
    """While the block runs, mark the highest number such that no reading up to it is missing in the journal's file.

    The file shows a commit only once SQLite has flushed it, so whatever is marked must outlive every later cut. A phase
    begins whenever /opt/nabd/current leads elsewhere.
    """
    over = threading.Event()

    def ask() -> None:
        last, led = 0, _leads(place)
        while not over.wait(ASKING):
            if (leads := _leads(place)) != led:
                led = leads
                say(mark, f"phase {led}")
            with contextlib.suppress(control.NobodyThere, JournalError, OSError):
                asyncio.run(control.ask(place / JOURNAL / "edge.sock", {"do": "share"}))
                seen = committed(place)
                if seen > last:
                    last = seen
                    say(mark, f"safe {seen}")

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        yield
    finally:
        over.set()
        asker.join()


def _leads(place: Path) -> str:
    with contextlib.suppress(FileNotFoundError):
        return str((place / "opt/nabd/current").readlink())
    return ""


def say(mark: Path, words: str) -> None:
    """Put words into the recording."""
    with mark.open("ab", buffering=0) as file:
        file.write(f"{words}\n".encode())


def committed(place: Path) -> int:
    """Give the highest number such that no reading up to it is missing in the journal; raises JournalError."""
    with contextlib.closing(Reader(place / JOURNAL / schema.NAME)) as reader:
        numbers = {found.row["seq"] for found in reader.readings()}
    assert len(numbers) == max(numbers, default=0), sorted(numbers)
    return len(numbers)


@dataclass(frozen=True)
class Cut:
    """A disk after a cut: where it is mounted, and what it must not have lost."""

    number: int
    place: Path
    safe: int
    """Readings up to this number were committed."""
    moment: str
    """The phase, and where in the recording."""


def cuts(recording: Recording, count: int, folder: Path, dice: random.Random) -> Iterator[Cut]:
    """Give so many cuts, as many in each phase, there spread evenly, each at any record of its stretch."""
    begins = [at for at, (kind, _, data) in enumerate(recording.log) if kind == b"A" and data.startswith(PHASES)]
    phases = list(itertools.pairwise([*begins, len(recording.log)]))
    points = []
    for number, (begin, end) in enumerate(phases):
        share = count * (number + 1) // len(phases) - count * number // len(phases)
        edges = [begin + (end - begin) * step // share for step in range(share + 1)]
        points += [dice.randrange(low, max(high, low + 1)) for low, high in itertools.pairwise(edges)]
    torn = Disk(folder / "torn.img", folder / "torn")
    torn.path.mkdir(exist_ok=True)
    for number, point in enumerate(images(recording.base, recording.log, points, torn.image, dice)):
        marks = b"".join(data for kind, _, data in recording.log[: point + 1] if kind == b"A").split(b"\n")[:-1]
        begun = next(line.decode() for line in reversed(marks) if line.startswith(PHASES))
        safe = max((int(line.split()[1]) for line in marks if line.startswith(b"safe ")), default=0)
        torn.mount()
        try:
            yield Cut(number, torn.path, safe, f"{begun} at record {point} of {len(recording.log)}")
        finally:
            torn.unmount()


def sums_of(package: Path) -> dict[str, str]:
    """List the files of the program in a package, with their MD5 sums."""
    told = subprocess.run(["dpkg-deb", "--ctrl-tarfile", package], capture_output=True, timeout=30, check=True).stdout
    lines = subprocess.run(
        ["tar", "-xO", "./md5sums"], input=told, capture_output=True, timeout=30, check=True
    ).stdout.decode()
    listed = (line.split("  ", 1) for line in lines.splitlines())
    inside = "opt/nabd/release/"
    return {path.removeprefix(inside): total for total, path in listed if path.startswith(inside)}


def version_of(place: Path, known: dict[str, dict[str, str]]) -> str:
    """Say which version each file behind /opt/nabd/current is of: "mixed" if of several, "none" if there is none."""
    current = place / "opt/nabd/current"
    if not os.path.lexists(current):
        return "none"
    release = current.parent / current.readlink()
    found = {
        str(path.relative_to(release)): hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        for path in release.rglob("*")
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts
    }
    return next((version for version, sums in known.items() if sums == found), "mixed")
