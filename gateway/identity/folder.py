"""The files of one gateway's identity, in its state directory, for its own user alone.

    key.pem       the private key that the request is for
    request.pem   what the authority signs
    claim.txt     the claim code, until the certificate is there
    pair.pem      certificate, chain and key in one file, so that a power cut never parts them: what TLS shows
    ca.pem        the authorities that sign brokers, where one came with the certificate

Asking anew (`request(again=True)`) leaves pair.pem alone: a gateway goes on with it until the new one is imported.
"""

import os
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.durable import replace
from gateway.identity import claim
from gateway.identity.certificate import Checked, check, read_all
from gateway.identity.errors import Missing, Unusable
from gateway.identity.request import make_key, make_request
from gateway.identity.validity import PEM_LIMIT, Validity, validity_of
from gateway.seclog import note


@dataclass(frozen=True)
class Folder:
    """One identity, by its folder."""

    path: Path

    @property
    def pair(self) -> Path:
        """Certificate, chain and key, once there is a certificate."""
        return self.path / "pair.pem"

    @property
    def authorities(self) -> Path:
        """The authorities that sign brokers, if they came with the certificate."""
        return self.path / "ca.pem"

    def request(self, name: str, *, again: bool = False) -> bool:
        """Make key, request and claim code where they are not there, or anew; tells whether it made any.

        The key is written last but for the request: what a power cut interrupts is made again as a whole.
        """
        if (self.path / "request.pem").exists() and not again:
            return False
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        code, key = claim.new(), make_key()
        (self.path / "request.pem").unlink(missing_ok=True)
        replace(self.path / "claim.txt", f"{code}\n".encode())
        replace(self.path / "key.pem", key)
        replace(self.path / "request.pem", make_request(key, name, code))
        note("key_made", name=name)
        return True

    def take(self, chain: bytes, name: str, authorities: bytes | None, now: datetime) -> Checked:
        """Check what an authority gave and put it in place; the claim code has done its work then. Raises Unusable."""
        key = self.secret("key.pem")
        checked = check(chain, key, name, authorities, now)
        if authorities:
            read_all(authorities)
            replace(self.authorities, authorities)
        replace(self.pair, checked.pem + key)
        (self.path / "claim.txt").unlink(missing_ok=True)
        note("certificate_taken", name=name, until=f"{checked.until:%Y-%m-%d}")
        return checked

    def code(self) -> str | None:
        """Give the claim code, while the gateway waits for its certificate."""
        try:
            return self.secret("claim.txt").decode("ascii").strip()
        except Missing:
            return None

    def validity(self) -> Validity | None:
        """Say from when until when the certificate holds; None while there is none."""
        try:
            return validity_of(self.secret("pair.pem").decode("ascii", "replace"))
        except Missing:
            return None

    def secret(self, name: str) -> bytes:
        """Read one of the files; raises Missing, and Unusable where others may read it too."""
        path = self.path / name
        try:
            with path.open("rb") as file:
                if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    raise Unusable(f"others may read {path}", f"run: chmod 600 {path}")
                return file.read(PEM_LIMIT)
        except FileNotFoundError:
            raise Missing(f"there is no {path}", "make it: `nabd enrol request`") from None
        except OSError as error:
            raise Unusable(f"{path} cannot be read: {error.strerror}", "run it as nabd's own user, or root") from None
