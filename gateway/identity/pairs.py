"""Which certificate to show: the newest on disk, or a copy of the last one that let us in."""

import ssl
from dataclasses import replace as altered
from pathlib import Path

from gateway.durable import replace
from gateway.mqtt_tls import security_of
from gateway.transport import Endpoint

TRIES = 3
AGAIN_AFTER = 86_400.0
"""Seconds after which newer files that failed are tried once more: their cause may be mended at the broker."""

Mark = tuple[tuple[int, int, int] | None, ...]


class Pairs:
    """The newest files, as an endpoint names them, and the copy beside; `fault` says why the copy is shown."""

    def __init__(self, newest: Endpoint, keep: Path | None) -> None:
        """`keep` is a folder of ours for the copy; None keeps none."""
        self.fault = ""
        self._newest, self._keep = newest, keep
        self._tried: Mark = ()
        self._strikes = 0
        self._copy_since: float | None = None

    def choose(self, now: float) -> Endpoint:
        """Give what to show at this dial; `now` in seconds."""
        if self._mark() != self._tried:
            self._tried, self._strikes, self._copy_since = self._mark(), 0, None
        copy = self._copy()
        if copy is None:
            return self._newest
        if why := unfit(self._newest):
            self.fault = f"the newest certificate does not fit, the one before is used: {why}"
            return copy
        if self._strikes >= TRIES:
            self._strikes, self._copy_since = 0, now if self._copy_since is None else None
        elif self._copy_since is not None and now - self._copy_since > AGAIN_AFTER:
            self._copy_since = None
        return self._newest if self._copy_since is None else copy

    def failed(self, why: str) -> None:
        """Count a dial at which the broker did not take what was shown."""
        self._strikes += 1
        if self._strikes == TRIES and self._copy_since is None and self._copy() is not None:
            self.fault = f"the newest certificate failed {TRIES} times, the one before is used: {why}"

    def worked(self, shown: Endpoint) -> None:
        """Keep a copy of what let us in; blocks. Without room for it there is none."""
        self._strikes = 0
        if shown is not self._newest:
            return
        self.fault = ""
        if self._keep is None or self._mark() != self._tried:
            return
        try:
            for folder in (self._keep.parent, self._keep):
                folder.mkdir(mode=0o700, exist_ok=True)
            for name, files in (("pair.pem", (shown.cert_file, shown.key_file)), ("ca.pem", (shown.ca_file,))):
                data = b"".join(file.read_bytes() for file in dict.fromkeys(files) if file)
                kept = self._keep / name
                if not data:
                    kept.unlink(missing_ok=True)
                elif not kept.exists() or kept.read_bytes() != data:
                    replace(kept, data)
        except OSError:
            return

    def changed(self) -> bool:
        """Tell whether other files lie there than when we last dialled, and fit together."""
        return self._mark() != self._tried and not unfit(self._newest)

    def _copy(self) -> Endpoint | None:
        if self._keep is None or self._newest.cert_file is None:
            return None
        pair, authorities = self._keep / "pair.pem", self._keep / "ca.pem"
        if not pair.exists():
            return None
        trusted = authorities if authorities.exists() else None
        return altered(self._newest, cert_file=pair, key_file=pair, ca_file=trusted)

    def _mark(self) -> Mark:
        newest = self._newest
        return tuple(_mark(file) for file in (newest.cert_file, newest.key_file, newest.ca_file) if file)


def unfit(endpoint: Endpoint) -> str:
    """Say why an endpoint's files cannot be used, or "": one is gone, damaged, or certificate and key do not match."""
    try:
        security_of(endpoint)
    except ssl.SSLError as error:
        return error.reason or str(error)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_size, seen.st_ino
