"""Makes what the pages show by TLS, as a program of its own: python -m gateway.web.certificate FOLDER NAMES.

    authority.pem   certificate and key of an authority of this one device, which may sign for these names and no others
    authority.crt   its certificate alone, which people install on their phones
    page.pem        the certificate that browsers are shown, signed by it, and its key

1. The authority stays as long as the names do, so that a phone that trusts it need not be asked again.
2. The page's certificate is made anew, with a new key, at each call.

Whoever got hold of the authority's key could sign for this device alone, which the page's own key shows as well.
The running program does not load what makes keys; this ends after a second, and its memory with it.
"""

import ipaddress
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from gateway.durable import replace
from gateway.identity.errors import IdentityError
from gateway.identity.request import load_key, make_key
from gateway.identity.signing import BACK, Subject, sign

AUTHORITY, PUBLIC, PAGE = "authority.pem", "authority.crt", "page.pem"
AUTHORITY_LIFE = timedelta(days=20 * 365)
PAGE_LIFE = timedelta(days=800)
"""Phones believe certificates of authorities that were installed by hand for 825 days at most."""


def make(folder: Path, names: Sequence[str], now: datetime) -> None:
    """Make the page's certificate and key, and the authority where there is none for these names; raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    signer, signers_key = _authority(folder, names, now)
    key = make_key()
    page = sign(Subject(names[0], load_key(key).public_key(), now, now + PAGE_LIFE, names), signer, signers_key)
    replace(folder / PAGE, page + key)


def _authority(folder: Path, names: Sequence[str], now: datetime) -> tuple[x509.Certificate, bytes]:
    path = folder / AUTHORITY
    try:
        pem = path.read_bytes()
        there = x509.load_pem_x509_certificate(pem)
        limits = there.extensions.get_extension_for_class(x509.NameConstraints).value
        if limits == _only(names) and there.not_valid_after_utc > now + PAGE_LIFE:
            return there, pem
    except (FileNotFoundError, ValueError, x509.ExtensionNotFound):
        pass  # never made, or damaged: what it signed is worth nothing either
    key = make_key()
    made = _sign_own(names, key, now)
    public = made.public_bytes(serialization.Encoding.PEM)
    replace(path, public + key)
    replace(folder / PUBLIC, public)
    return made, public + key


def _sign_own(names: Sequence[str], key: bytes, now: datetime) -> x509.Certificate:
    private = load_key(key)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Nabd on {names[0]}"[:64])])
    usage = x509.KeyUsage(
        digital_signature=False, key_cert_sign=True, crl_sign=False, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACK)
        .not_valid_after(now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(_only(names), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .sign(private, hashes.SHA256())
    )


def _only(names: Sequence[str]) -> x509.NameConstraints:
    """Permit these names; a kind of which none is permitted would be free, so both kinds always have one."""
    permitted: list[x509.GeneralName] = []
    for name in dict.fromkeys([*names, "localhost", "127.0.0.1", "::1"]):
        try:
            permitted.append(x509.IPAddress(ipaddress.ip_network(name)))
        except ValueError:
            permitted.append(x509.DNSName(name))
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)


def main(folder: str, names: Sequence[str]) -> int:
    """Make it; 1, with the reason, when that cannot be done."""
    try:
        make(Path(folder), names, datetime.now(UTC))
    except (IdentityError, OSError, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201  the program that started us reads it
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.argv[2:]))
