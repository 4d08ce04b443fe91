"""Tests of gateway/identity/certificate.py: a certificate of a utility's own authority, checked before it is used."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.identity.certificate import Checked, check
from gateway.identity.errors import Unusable
from gateway.identity.request import make_key

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAME = "home/gw-1"


@dataclass
class Signer:
    """A key with its certificate, as a utility has several."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        """Its certificate."""
        return self.certificate.public_bytes(Encoding.PEM)


def signed(
    name: str,
    signer: Signer | None,
    *,
    ca: bool = False,
    key: ec.EllipticCurvePrivateKey | None = None,
    alternative: x509.GeneralName | None = None,
    days: tuple[int, int] = (-1, 365),
) -> Signer:
    """Sign a certificate, not by our own code but straight by the library."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder(signer.certificate.subject if signer else subject, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
    )
    if alternative:
        builder = builder.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
    return Signer(key, builder.sign(signer.key if signer else key, hashes.SHA256()))


ROOT = signed("Utility root", None, ca=True)
MIDDLE = signed("Utility meters", ROOT, ca=True)
OLD_MIDDLE = signed("Utility meters 2020", ROOT, ca=True, days=(-900, -10))
OTHER = signed("Somebody else", None, ca=True)
OWN = signed(NAME, MIDDLE)
KEY = OWN.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def checked(chain: bytes, authorities: bytes | None = ROOT.pem, key: bytes = KEY) -> Checked:
    """Check for our key and name, now."""
    return check(chain, key, NAME, authorities, NOW)


@pytest.mark.parametrize("authorities", [ROOT.pem, MIDDLE.pem, OTHER.pem + ROOT.pem, None])
def test_a_chain_that_holds(authorities: bytes | None) -> None:
    """Own and intermediate, up to the root, to the intermediate itself, or to whatever the broker knows."""
    result = checked(OWN.pem + MIDDLE.pem, authorities)
    assert result.pem == OWN.pem + MIDDLE.pem
    assert result.until == OWN.certificate.not_valid_after_utc
    assert result.by_common_name


@pytest.mark.parametrize("text", [NAME, "urn:something else"])
def test_a_name_elsewhere(text: str) -> None:
    """The name may stand among the alternative names, which is told; another name there does not do."""
    own = signed("unit 17", MIDDLE, key=OWN.key, alternative=x509.UniformResourceIdentifier(text))
    if text == NAME:
        assert not checked(own.pem + MIDDLE.pem).by_common_name
    else:
        with pytest.raises(Unusable, match="not for 'home/gw-1'"):
            checked(own.pem + MIDDLE.pem)


REFUSED: dict[str, tuple[Callable[[], Checked], str]] = {
    "another key": (lambda: checked(OWN.pem + MIDDLE.pem, key=make_key()), "another key"),
    "another gateway": (lambda: checked(signed("home/gw-2", MIDDLE, key=OWN.key).pem + MIDDLE.pem), "home/gw-2"),
    "another tenant": (lambda: checked(signed("other/gw-1", MIDDLE, key=OWN.key).pem + MIDDLE.pem), "other/gw-1"),
    "expired": (lambda: checked(signed(NAME, MIDDLE, key=OWN.key, days=(-9, -1)).pem + MIDDLE.pem), "ended on"),
    "not yet": (lambda: checked(signed(NAME, MIDDLE, key=OWN.key, days=(1, 9)).pem + MIDDLE.pem), "holds only from"),
    "expired between": (lambda: checked(signed(NAME, OLD_MIDDLE, key=OWN.key).pem + OLD_MIDDLE.pem), "ended on"),
    "unknown root": (lambda: checked(OWN.pem + MIDDLE.pem, OTHER.pem), "no given authority"),
    "link missing": (lambda: checked(OWN.pem), "no given authority"),
    "wrong order": (lambda: checked(OWN.pem + ROOT.pem + MIDDLE.pem), "do not follow"),
    "signed by no authority": (lambda: checked(signed(NAME, OWN, key=OWN.key).pem, OWN.pem), "no given authority"),
    "signed by itself": (lambda: checked(signed(NAME, None, key=OWN.key).pem), "no given authority"),
    "too many": (lambda: checked(OWN.pem + MIDDLE.pem * 5), "no certificate"),
    "rubbish": (lambda: checked(b"\0" * 100), "no certificate"),
    "a key by mistake": (lambda: checked(KEY), "no certificate"),
    "rubbish as authority": (lambda: checked(OWN.pem + MIDDLE.pem, b"rubbish"), "no certificate"),
    "damaged key": (lambda: checked(OWN.pem + MIDDLE.pem, key=KEY[:100]), "private key cannot be read"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_hold_is_refused(case: str) -> None:
    """The first thing that is wrong is named, with what to do, and never the key."""
    work, said = REFUSED[case]
    with pytest.raises(Unusable, match=said) as error:
        work()
    assert error.value.hint
    assert "PRIVATE" not in str(error.value)


def test_a_hostile_name_is_shown_harmlessly() -> None:
    """Control characters of a certificate's name reach no terminal."""
    own = signed("gw\x1b[2J\nroot", MIDDLE, key=OWN.key)
    with pytest.raises(Unusable) as error:
        checked(own.pem + MIDDLE.pem)
    assert str(error.value).isprintable()
