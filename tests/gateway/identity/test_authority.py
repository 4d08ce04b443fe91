"""Tests of gateway/identity/authority.py: whom the small authority signs, and whom it does not."""

import stat
import string
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AttributeOID, ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.identity import claim
from gateway.identity.authority import Authority
from gateway.identity.errors import IdentityError, Missing, Refused, Unusable
from gateway.identity.folder import Folder
from gateway.identity.request import make_key, make_request, name_of
from tests.support.identities import Town, at

NAME = "home/gw-1"


@pytest.fixture
def asking(tmp_path: Path) -> Folder:
    """Give a gateway that asks for a certificate."""
    folder = Folder(tmp_path / "asking")
    folder.request(NAME)
    return folder


def request_of(folder: Folder) -> bytes:
    """Read its request."""
    return (folder.path / "request.pem").read_bytes()


def test_ten_thousand_identities_differ() -> None:
    """No two boxes have a key in common (S2); requests for the same name differ too."""
    from gateway.identity.request import load_key, public_bytes

    keys = {public_bytes(ec.generate_private_key(ec.SECP256R1())) for _ in range(9_990)}
    keys |= {public_bytes(load_key(make_key())) for _ in range(10)}
    assert len(keys) == 10_000


def test_the_authority_keeps_its_key_for_itself(town: Town) -> None:
    """Its key is for its owner; its certificate and list are for everybody."""
    folder = town.authority.folder
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.is_file()}
    assert modes == {"ca.key": 0o600, "ca.pem": 0o644, "crl.pem": 0o644}
    with pytest.raises(Refused, match="already"):
        town.authority.begin("again")


def test_a_certificate_is_for_one_name_and_one_use(town: Town, asking: Folder) -> None:
    """A gateway's certificate neither signs others nor serves as a broker's."""
    signed = x509.load_pem_x509_certificate(town.authority.sign(request_of(asking), NAME, asking.code()))
    extensions = signed.extensions
    assert signed.subject.rfc4514_string() == "CN=home/gw-1"
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not any(attribute.oid == AttributeOID.CHALLENGE_PASSWORD for attribute in extensions)
    assert (town.authority.folder / f"issued/{signed.serial_number:x}.pem").exists()


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        (NAME, claim.new(), "not that of this request"),
        (NAME, "", "letters and digits"),
        ("home/gw-2", None, "is for 'home/gw-1'"),
        ("hub", None, "is for 'home/gw-1'"),
    ],
    ids=["another box's code", "no code", "another gateway", "a hub"],
)
def test_whoever_cannot_prove_it_is_not_signed(
    town: Town, asking: Folder, name: str, code: str | None, said: str
) -> None:
    """Neither another box's code nor another name gets a certificate."""
    issued = len(list((town.authority.folder / "issued").iterdir()))
    with pytest.raises(Refused, match=said):
        town.authority.sign(request_of(asking), name, code)
    assert len(list((town.authority.folder / "issued").iterdir())) == issued


def test_a_request_swapped_on_its_way_is_noticed(town: Town, asking: Folder, tmp_path: Path) -> None:
    """Who replaces the request by one of their own does not know the code."""
    swapped = Folder(tmp_path / "swapped")
    swapped.request(NAME)
    with pytest.raises(Refused, match="not that of this request"):
        town.authority.sign(request_of(swapped), NAME, asking.code())


def test_a_request_without_proof_needs_the_operators_word(town: Town) -> None:
    """Requests of other tools carry no proof: no code fits them, and the operator may vouch."""
    key = ec.generate_private_key(ec.SECP384R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    request = x509.CertificateSigningRequestBuilder(subject).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    with pytest.raises(Refused):
        town.authority.sign(request, NAME, claim.new())
    assert town.authority.sign(request, NAME, None)


@pytest.mark.parametrize("kind", ["rsa-1024", "p-224", "altered", "rubbish", "empty"])
def test_weak_and_damaged_requests_are_refused(town: Town, kind: str) -> None:
    """A weak key, a signature that does not hold, and what is no request at all."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    builder = x509.CertificateSigningRequestBuilder(subject)
    if kind == "rsa-1024":
        weak = rsa.generate_private_key(65537, 1024)  # noqa: S505  the weakness is the test
        request = builder.sign(weak, hashes.SHA256()).public_bytes(Encoding.PEM)
    elif kind == "p-224":
        request = builder.sign(ec.generate_private_key(ec.SECP224R1()), hashes.SHA256()).public_bytes(Encoding.PEM)
    elif kind == "altered":
        der = x509.load_pem_x509_csr(make_request(make_key(), NAME, claim.new())).public_bytes(Encoding.DER)
        from base64 import encodebytes

        body = encodebytes(der.replace(b"home/gw-1", b"home/gw-2"))
        request = b"-----BEGIN CERTIFICATE REQUEST-----\n" + body + b"-----END CERTIFICATE REQUEST-----\n"
    else:
        request = b"\xff\0rubbish" if kind == "rubbish" else b""
    with pytest.raises(Unusable):
        town.authority.sign(request, NAME if kind != "altered" else "home/gw-2", None)


@settings(max_examples=30)
@given(st.binary(max_size=400))
def test_any_bytes_are_no_request(town: Town, request: bytes) -> None:
    """Random bytes are refused by the one error."""
    armoured = b"-----BEGIN CERTIFICATE REQUEST-----\n" + request + b"\n-----END CERTIFICATE REQUEST-----\n"
    for given_bytes in (request, armoured):
        with pytest.raises(IdentityError):
            town.authority.sign(given_bytes, NAME, None)


@pytest.mark.parametrize("tenant", ["", "a/b", "+", "#", "home\n", "../x", "ä", "x" * 65, "%u", "$SYS", "a\0"])
def test_names_that_are_no_ids_are_never_signed(tenant: str) -> None:
    """What could leave its place in the tree of topics is refused before anything is read (S18)."""
    for pair in ((tenant, "gw-1"), ("home", tenant)):
        with pytest.raises(Refused):
            name_of(*pair)


@settings(max_examples=30)
@given(st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=64))
def test_ids_are_signed_while_they_fit(text: str) -> None:
    """A certificate's name has room for 64 characters; more is said, not cut."""
    if len(text) <= 61:
        assert name_of(text, "gw") == f"{text}/gw"
    else:
        with pytest.raises(Refused, match="together"):
            name_of(text, "gw")


def test_nothing_outlives_the_authority(town: Town, asking: Folder) -> None:
    """A certificate that would end after its authority is not made."""
    with pytest.raises(Refused, match="outlive"):
        town.authority.sign(request_of(asking), NAME, asking.code(), days=365 * 21)


def test_revoked_ones_add_up(own_town: Town, asking: Folder) -> None:
    """The list keeps whom it named before, and since when, and holds as long as the authority."""
    first, second = (own_town.authority.sign(request_of(asking), NAME, asking.code()) for _ in range(2))
    days = [datetime(2026, 12, day, tzinfo=UTC) for day in (1, 2, 3)]
    for day, certificate in zip(days, (first, second, first), strict=True):
        replace(own_town.authority, now=lambda day=day: day).revoke(certificate)  # type: ignore[misc]
    revoked = x509.load_pem_x509_crl(own_town.crl.read_bytes())
    assert {row.serial_number: row.revocation_date_utc for row in revoked} == {
        x509.load_pem_x509_certificate(one).serial_number: day for one, day in zip((first, second), days, strict=False)
    }
    assert revoked.next_update_utc == x509.load_pem_x509_certificate(own_town.ca.read_bytes()).not_valid_after_utc


def test_a_foreign_certificate_is_not_revoked(own_town: Town, tmp_path: Path) -> None:
    """An authority takes back only what it signed."""
    other = Authority(tmp_path / "other")
    other.begin("Another town")
    with pytest.raises(Refused, match="another authority"):
        own_town.authority.revoke(other.make("broker", ["b.example"])[1])


def test_an_authority_without_its_key_says_so(town: Town, asking: Folder, tmp_path: Path) -> None:
    """A stick that is not plugged in, and a key that others may read."""
    with pytest.raises(Missing, match="no authority"):
        Authority(tmp_path).sign(request_of(asking), NAME, asking.code())
    (tmp_path / "ca.pem").write_bytes(town.ca.read_bytes())
    with pytest.raises(Missing, match="key"):
        Authority(tmp_path).sign(request_of(asking), NAME, asking.code())
    (tmp_path / "ca.key").write_bytes(make_key())
    (tmp_path / "ca.key").chmod(0o644)
    with pytest.raises(Unusable, match="others may read"):
        Authority(tmp_path).sign(request_of(asking), NAME, asking.code())


def test_certificates_begin_an_hour_early(town: Town, asking: Folder) -> None:
    """A gateway whose clock runs behind can use what was signed this minute."""
    signed = x509.load_pem_x509_certificate(town.authority.sign(request_of(asking), NAME, asking.code()))
    assert signed.not_valid_before_utc < at(-0.04)
