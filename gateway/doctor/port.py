"""A serial port: is it there, who has it open, may we open it?

1. The kernel's list of open files is read first: a port that somebody has open is not touched.
2. Only then it is opened and closed again, without waiting and without a word being sent.
"""

import errno
import grp
import os
import pwd
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.doctor.finding import Finding

FILES = 65_536
"""Open files that are looked at: more than a whole desktop has."""


@dataclass(frozen=True, slots=True)
class PortFacts:
    """What is known of a port; `error` is the number of the error at opening it, 0 when it went well or was left."""

    where: str
    exists: bool = True
    holder: str = ""
    error: int = 0
    group: str = ""
    user: str = ""
    others: Sequence[str] = ()
    reason: str = ""


def probe(where: str, others: Sequence[str], *, proc: Path = Path("/proc"), touch: bool = True) -> PortFacts:
    """Look at a port; `others` are those there are, `touch` says whether it may be opened."""
    path = Path(where)
    try:
        status = path.stat()
    except OSError as error:
        return PortFacts(where, exists=False, error=error.errno or 0, others=others)
    user, group = _name_of_user(os.geteuid()), _name_of_group(status.st_gid)
    holder = ", ".join(holders(path, proc))
    met = _try_to_open(path) if touch and not holder else 0
    return PortFacts(where, holder=holder, error=met, group=group, user=user, others=others)


def judge(facts: PortFacts) -> list[Finding]:
    """Say what is wrong with a port."""
    if not facts.exists:
        return [Finding("port_missing", facts.where, {"ports": ", ".join(facts.others) or "-"})]
    if facts.holder or facts.error in (errno.EBUSY, errno.EAGAIN):
        return [Finding("port_busy", facts.where, {"holder": facts.holder or "?"})]
    if facts.error in (errno.EACCES, errno.EPERM):
        return [Finding("port_forbidden", facts.where, {"user": facts.user, "group": facts.group})]
    if facts.error:
        return [Finding("port_broken", facts.where, {"reason": facts.reason or os.strerror(facts.error)})]
    return []


def with_fault(facts: PortFacts, fault: str, user: int) -> PortFacts:
    """Add what another program, of this user, met when it opened the port, in the system's own words."""
    error = next((number for number in _MET if os.strerror(number) in fault), errno.EIO)
    return replace(facts, error=facts.error or error, user=_name_of_user(user), reason=fault)


_MET = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.EAGAIN, errno.ENOENT, errno.ENOTTY, errno.ENXIO)


def holders(path: Path, proc: Path) -> Iterator[str]:
    """Name the other programs that have a port open, as far as we may see: `name (process 123)`."""
    target, own, left = path.stat(), str(os.getpid()), FILES
    for process in proc.iterdir() if proc.is_dir() else ():
        if not process.name.isdecimal() or process.name == own:
            continue
        with suppress(OSError):  # a process of somebody else, or one that ended meanwhile
            for file in (process / "fd").iterdir():
                left -= 1
                if left <= 0:
                    return
                if str(file.readlink()).startswith("/dev/") and _is_same(file.stat(), target):
                    yield f"{_name_of_process(process)} (process {process.name})"
                    break


def _is_same(one: os.stat_result, other: os.stat_result) -> bool:
    """Tell whether two files are one port; pseudo-terminals of another container may have the same number."""
    numbered_apart = os.major(one.st_rdev) in PSEUDO
    return os.path.samestat(one, other) or (one.st_rdev == other.st_rdev != 0 and not numbered_apart)


PSEUDO = range(136, 144)
"""Linux's major numbers of pseudo-terminals."""


def _name_of_process(process: Path) -> str:
    with suppress(OSError):
        return "".join(c for c in (process / "comm").read_text(errors="replace").strip() if c.isprintable())
    return "?"


def _try_to_open(path: Path) -> int:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def _name_of_user(number: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    return str(number)


def _name_of_group(number: int) -> str:
    with suppress(KeyError):
        return grp.getgrgid(number).gr_name
    return str(number)
