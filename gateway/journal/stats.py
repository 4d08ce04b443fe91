"""What the journal says about itself; goes into the `health` topic and onto the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class JournalStats:
    """Numbers since the file was made, but for `stored`, `written`, `commits` and `mirror_broken`: since this start.

    Bytes are bytes, times UTC ms. `degraded` is empty when all is well, else why commits fail; `standstill` is empty
    while there is progress or nothing to do. `held` counts readings without a time that a repair would give one, sent
    as untimed or not; `unwritten` bytes of JSON in closed windows that wait for the disk in memory. `log_size` is that
    of SQLite's log: far above a megabyte means that some reader keeps it from being brought into the file.
    """

    next_seq: int
    next_block: int
    pending: int
    pending_bytes: int
    oldest: int | None
    stored: int
    losses: Mapping[str, int]
    held: int
    commits: int
    written: int
    file_size: int
    log_size: int
    unwritten: int
    mirror_broken: int
    degraded: str
    standstill: str

    @property
    def fault(self) -> str:
        """What is wrong now, "" when all is well."""
        return self.degraded or self.standstill


def written_by(thread: int) -> int:
    """Bytes a thread of this process sent to the disk, as the kernel counts them; 0 where it does not."""
    return _write_bytes(Path(f"/proc/self/task/{thread}/io"))


def written_by_process() -> int:
    """Bytes all of this process sent to the disk, as the kernel counts them; 0 where it does not."""
    return _write_bytes(Path("/proc/self/io"))


def _write_bytes(path: Path) -> int:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("write_bytes:")), 0)
