# ruff: noqa: INP001  a tool that makes the package, not a part of it
"""Makes a signed apt repository of our Debian packages: `./run repository FOLDER --key KEY`.

1. Each package is read and must be Nabd: a key that signs for one product signs nothing else.
2. It is laid into the pool. What lies there under a version never changes: a new content is a new version.
3. `Packages` lists the packages with their SHA-256, `Release` lists `Packages` with its own, and says until when it
   holds, so that nobody can show a gateway an old one for ever.
4. gpg signs `Release`; the key may be on a card. The public half lies beside, as nabd.asc.

The same packages, key and time (SOURCE_DATE_EPOCH) give the same bytes, where the key's kind of signature does: RSA and
Ed25519 do.
"""

import argparse
import hashlib
import io
import lzma
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from systemd.debian.wheels import MACHINES, BuildError

ROOT = Path(__file__).parents[2]
SUITE, COMPONENT = "stable", "main"
DAYS = 90
"""How long a `Release` holds: an old one, with a mended weakness in it, can be shown no longer than this."""
DAY = 86400
_AR_HEAD = 60
_SIGNED = {"Release.gpg": "--detach-sign", "InRelease": "--clear-sign"}


@dataclass(frozen=True, slots=True)
class Package:
    """A .deb: its control file's text and fields, and its bytes."""

    control: str
    fields: Mapping[str, str]
    data: bytes

    @property
    def path(self) -> str:
        """Where it lies in the repository."""
        name, version, architecture = (self.fields[field] for field in ("Package", "Version", "Architecture"))
        return f"pool/{COMPONENT}/{name}_{version}_{architecture}.deb"


def read(data: bytes) -> Package:
    """Read one of our packages; raises BuildError for anything else."""
    try:
        with tarfile.open(fileobj=io.BytesIO(_member(data, "control.tar.xz"))) as told:
            control = told.extractfile("./control")
            text = control.read().decode().strip("\n") if control else ""
    except (tarfile.TarError, lzma.LZMAError, EOFError, KeyError, ValueError) as error:
        raise BuildError(f"this is no package that ./run package made: {error}") from error
    fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line and not line.startswith(" "))
    if fields.get("Package") != "nabd" or fields.get("Architecture") not in MACHINES or "Version" not in fields:
        raise BuildError(f"a repository of Nabd holds nabd alone, not {fields.get('Package')!r}")
    return Package(text, fields, data)


def _member(data: bytes, wanted: str) -> bytes:
    """Give a member of an `ar` file: heads of 60 bytes, names of 16, sizes of 10 from 48, all at even places."""
    at = len(b"!<arch>\n")
    while head := data[at : at + _AR_HEAD]:
        size = int(head[48:58])
        at += _AR_HEAD
        if head[:16].decode().strip().rstrip("/") == wanted:
            return data[at : at + size]
        at += size + size % 2
    raise KeyError(wanted)


def indexes(packages: Iterable[Package]) -> dict[str, bytes]:
    """Give the lists of packages, by path below the suite: one an architecture, newest spelling last."""
    listed: dict[str, list[str]] = {architecture: [] for architecture in MACHINES}
    for package in sorted(packages, key=lambda one: one.path):
        more = {"Filename": package.path, "Size": len(package.data), "SHA256": _sha256(package.data)}
        rows = [package.control, *(f"{name}: {value}" for name, value in more.items())]
        listed[package.fields["Architecture"]].append("\n".join(rows) + "\n")
    return {f"{COMPONENT}/binary-{name}/Packages": "\n".join(rows).encode() for name, rows in listed.items()}


def release(lists: Mapping[str, bytes], epoch: int, days: int) -> bytes:
    """Give `Release`: what the suite is, since when and until when it holds, and the sums of its lists."""
    fields = {
        "Origin": "Nabd", "Label": "Nabd", "Suite": SUITE, "Codename": SUITE,
        "Date": formatdate(epoch, usegmt=True), "Valid-Until": formatdate(epoch + days * DAY, usegmt=True),
        "Architectures": " ".join(MACHINES), "Components": COMPONENT,
    }  # fmt: skip
    sums = [f" {_sha256(data)} {len(data)} {path}" for path, data in lists.items()]
    return "\n".join([*(f"{name}: {value}" for name, value in fields.items()), "SHA256:", *sums, ""]).encode()


def make(folder: Path, packages: Iterable[Package], key: str, epoch: int, days: int = DAYS) -> None:
    """Make the repository, or add to it, signed by a key that gpg has; raises BuildError, OSError.

    Packages that lie in its pool stay listed.
    """
    suite = folder / "dists" / SUITE
    held = {package.path: package for package in map(read, _bytes_of(folder / "pool"))}
    for package in packages:
        if held.setdefault(package.path, package).data != package.data:
            raise BuildError(f"{package.path} has another content already: what is out stays; make a new version")
        _write(folder / package.path, package.data)
    if not held:
        raise BuildError("there is no package to list; make one: ./run package arm64")
    lists = indexes(held.values())
    listed = release(lists, epoch, days)
    signed = {name: _gpg(epoch, listed, "--local-user", key, how) for name, how in _SIGNED.items()}
    # The signed file comes last: until then gateways see the repository as it was.
    for path, data in {**lists, "Release": listed, **signed}.items():
        _write(suite / path, data)
    _write(folder / "nabd.asc", _gpg(epoch, b"", "--export", key))


def _bytes_of(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.rglob("*.deb"))]


def _write(path: Path, data: bytes) -> None:
    """Put a file in place whole, for others may be reading."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(data)
    fresh.replace(path)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _gpg(epoch: int, told: bytes, *arguments: str) -> bytes:
    command = ["gpg", "--batch", "--armor", "--digest-algo", "SHA512", "--faked-system-time", f"{epoch}!", *arguments]
    try:
        done = subprocess.run(command, input=told, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise BuildError("gpg signs the repository, and is not here: apt install gnupg") from error
    if done.returncode or not done.stdout:
        raise BuildError(f"gpg did not sign: {done.stderr.decode(errors='replace').strip() or 'no such key'}")
    return done.stdout


def main() -> int:
    """Make the repository and say where it lies."""
    parser = argparse.ArgumentParser(prog="./run repository", description="Make a signed apt repository.")
    parser.add_argument("folder", type=Path, help="where it is made; serve this folder, or carry it on a stick")
    parser.add_argument("--key", required=True, help="the key that signs, as gpg knows it: a fingerprint")
    parser.add_argument("--packages", type=Path, default=ROOT / "dist", help="the folder of the .deb files (dist)")
    parser.add_argument("--days", type=int, default=DAYS, help=f"how long it holds without being signed anew ({DAYS})")
    options = parser.parse_args()
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    try:
        make(options.folder, map(read, _bytes_of(options.packages)), options.key, epoch, options.days)
    except (BuildError, OSError) as error:
        print(f"nabd repository: {error}", file=sys.stderr)  # noqa: T201  it talks to people
        return 2
    print(options.folder)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
