"""A small certificate authority for who has none: a folder on a machine that is not connected, or a USB stick.

    ca.key      its private key, for its owner alone: whoever has it can be any gateway
    ca.pem      its certificate: by it brokers trust gateways, and gateways brokers
    issued/     every certificate it signed, by serial number
    crl.pem     those it took back, for the broker

A gateway's certificate is signed for one name, `tenant/gateway`, and only for a request that proves the gateway's claim
code, or that the operator vouches for. A broker's or hub's is made with its key, since both stand beside.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.durable import replace
from gateway.identity import claim, signing
from gateway.identity.certificate import read_all
from gateway.identity.errors import Missing, Refused, Unusable
from gateway.identity.options import DAYS
from gateway.identity.request import load_key, make_key, read_request
from gateway.identity.signing import Subject

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes
    from cryptography.x509 import Certificate

YEARS = 20
"""Gateways stay ten years; the authority must outlive the last certificate it signs for one."""


def utc_now() -> datetime:
    """Give this moment."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Authority:
    """One authority, by its folder."""

    folder: Path
    now: Callable[[], datetime] = utc_now

    def begin(self, name: str) -> None:
        """Make key, certificate and an empty list of revoked ones; raises Refused where there is an authority."""
        if (self.folder / "ca.key").exists():
            raise Refused(f"{self.folder} holds an authority already", "name another folder")
        (self.folder / "issued").mkdir(mode=0o700, parents=True, exist_ok=True)
        key, now = make_key(), self.now()
        replace(self.folder / "ca.key", key)
        subject = Subject(name, load_key(key).public_key(), now, now + timedelta(days=round(365.25 * YEARS)))
        self._write("ca.pem", signing.sign_own(subject, key))
        self._revoke({})

    def sign(self, request: bytes, name: str, code: str | None, days: int = DAYS) -> bytes:
        """Sign a gateway's request for its name; `code` is None where the operator vouches for the request.

        Gives the certificate as PEM; raises Refused, Unusable, Missing.
        """
        asked, key = read_request(request)
        if asked.name != name:
            raise Refused(f"the request is for {asked.name[:100]!a}, not for {name!r}", "is it the right gateway's?")
        if code is not None and not claim.proves(asked.proof, code, asked.public_key):
            raise Refused("the claim code is not that of this request", "type it from `nabd enrol show` on the gateway")
        return self._issue(name, key, days, ())

    def make(self, name: str, servers: Sequence[str] = (), days: int = DAYS) -> tuple[bytes, bytes]:
        """Make key and certificate of a hub, or of a broker that is reached by `servers`, names or addresses."""
        key = make_key()
        return key, self._issue(name, load_key(key).public_key(), days, servers)

    def revoke(self, certificate: bytes) -> str:
        """Take a certificate back; gives its serial number in hexadecimal. Raises Refused for another's."""
        own = read_all(certificate)[0]
        if own.issuer != self._certificate().subject:
            raise Refused("another authority signed this certificate", "ask that one")
        self._revoke({own.serial_number: self.now()} | self._revoked())
        return f"{own.serial_number:x}"

    def _issue(self, name: str, key: "CertificateIssuerPublicKeyTypes", days: int, servers: Sequence[str]) -> bytes:
        authority, now = self._certificate(), self.now()
        until = now + timedelta(days=days)
        if until > authority.not_valid_after_utc:
            raise Refused("the certificate would outlive its authority", "fewer --days, or a new authority")
        pem = signing.sign(Subject(name, key, now, until, servers), authority, self._key())
        self._write(f"issued/{read_all(pem)[0].serial_number:x}.pem", pem)
        return pem

    def _revoked(self) -> dict[int, datetime]:
        """Give the serial numbers that were taken back, and when."""
        from cryptography import x509  # noqa: PLC0415

        try:
            known = x509.load_pem_x509_crl((self.folder / "crl.pem").read_bytes())
        except (OSError, ValueError):
            raise Unusable(f"{self.folder / 'crl.pem'} cannot be read", "restore it from your backup") from None
        return {one.serial_number: one.revocation_date_utc for one in known}

    def _revoke(self, revoked: Mapping[int, datetime]) -> None:
        self._write("crl.pem", signing.sign_revoked(revoked, self._certificate(), self._key(), self.now()))

    def _certificate(self) -> "Certificate":
        try:
            return read_all((self.folder / "ca.pem").read_bytes())[0]
        except OSError:
            raise Missing(f"there is no authority in {self.folder}", "make one: `nabd ca init`") from None

    def _key(self) -> bytes:
        path = self.folder / "ca.key"
        try:
            if path.stat().st_mode & 0o077:
                raise Unusable(f"others may read {path}", f"run: chmod 600 {path}")
            return path.read_bytes()
        except OSError:
            raise Missing(f"the authority's key is not in {self.folder}", "is the stick with it plugged in?") from None

    def _write(self, name: str, data: bytes) -> None:
        """Write what everybody may read."""
        replace(self.folder / name, data)
        (self.folder / name).chmod(0o644)
