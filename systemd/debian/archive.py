# ruff: noqa: INP001  a tool that makes the package, not a part of it
"""Writes a Debian package from entries in memory, byte for byte the same whoever makes it and when.

1. Entries become a tar: sorted, with their folders, owned by root, all of one time.
2. Two such tars, what dpkg is told and what it lays down, and the format's number become one `ar` file.
"""

import hashlib
import io
import lzma
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

KILOBYTE = 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, or with `link` a symbolic link, at `path` below the root."""

    path: str
    data: bytes = b""
    mode: int = 0o644
    link: str = ""


def package(
    control: Mapping[str, str], scripts: Mapping[str, str], entries: Iterable[Entry], epoch: int, effort: int = 6
) -> bytes:
    """Give the .deb: fields of its control file, maintainer scripts by name, its files; `epoch` in seconds.

    `effort` is xz's, 0 to 9: 6 takes a minute for a whole Nabd, 0 seconds.
    """
    files = list(entries)
    told = [
        Entry("control", _control(control, files).encode()),
        Entry("md5sums", _sums(files).encode()),
        *(Entry(name, text.encode(), 0o644 if name == "triggers" else 0o755) for name, text in scripts.items()),
    ]
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar.xz": _tar(told, epoch, effort),
        "data.tar.xz": _tar(files, epoch, effort),
    }
    return b"!<arch>\n" + b"".join(_member(name, data, epoch) for name, data in parts.items())


def _control(fields: Mapping[str, str], files: Iterable[Entry]) -> str:
    size = sum(-(-len(entry.data) // KILOBYTE) for entry in files)
    return "".join(f"{name}: {value}\n" for name, value in {"Installed-Size": size, **fields}.items())


def _sums(files: Iterable[Entry]) -> str:
    """List the sums by which `dpkg --verify` finds what changed on a card; they protect against no attacker."""
    plain = sorted((entry for entry in files if not entry.link), key=lambda entry: entry.path)
    return "".join(f"{hashlib.md5(entry.data, usedforsecurity=False).hexdigest()}  {entry.path}\n" for entry in plain)


def _tar(entries: Iterable[Entry], epoch: int, effort: int) -> bytes:
    by_path = {entry.path: entry for entry in entries}
    folders = {str(folder) for path in by_path for folder in PurePosixPath(path).parents}
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(folders | set(by_path)):
            entry = by_path.get(path)
            tar.addfile(_info(path, entry, epoch), io.BytesIO(entry.data) if entry else None)
    return lzma.compress(raw.getvalue(), preset=effort)


def _info(path: str, entry: Entry | None, epoch: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo("." if path == "." else f"./{path}")
    info.mtime = epoch
    info.uname = info.gname = "root"
    if entry is None:
        info.type, info.mode = tarfile.DIRTYPE, 0o755
    elif entry.link:
        info.type, info.mode, info.linkname = tarfile.SYMTYPE, 0o777, entry.link
    else:
        info.mode, info.size = entry.mode, len(entry.data)
    return info


def _member(name: str, data: bytes, epoch: int) -> bytes:
    head = f"{name:<16}{epoch:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n"
    return head.encode() + data + b"\n" * (len(data) % 2)
