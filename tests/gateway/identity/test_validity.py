"""Tests of gateway/identity/validity.py: two dates out of a certificate, judged by a full library."""

import contextlib
import ssl
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.identity.errors import Unusable
from gateway.identity.request import load_key, make_key
from gateway.identity.signing import Subject, sign_own
from gateway.identity.validity import validity_of

KEY = make_key()


def certificate(since: datetime, until: datetime) -> str:
    """Make one that holds between two moments."""
    return sign_own(Subject("T", load_key(KEY).public_key(), since, until), KEY).decode()


PEM = certificate(datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("until", [(2026, 11, 22), (2049, 12, 31, 23, 59, 59), (2050, 1, 1), (2199, 1, 1)])
def test_both_dates_are_read(until: tuple[int, int, int]) -> None:
    """Either form of time, with two digits of the year and with four, comes out as the library has it."""
    pem = certificate(datetime(2026, 1, 1, tzinfo=UTC), datetime(*until, tzinfo=UTC))
    judge = x509.load_pem_x509_certificate(pem.encode())
    validity = validity_of("a line before\n" + pem + pem)
    assert validity.since == judge.not_valid_before_utc.timestamp() * 1000
    assert validity.until == judge.not_valid_after_utc.timestamp() * 1000


def test_days_are_counted_down() -> None:
    """The last day counts none, the day after minus one."""
    validity = validity_of(PEM)
    assert [validity.days_left(validity.until + hours * 3_600_000) for hours in (-25, -1, 1)] == [1, 0, -1]


@pytest.mark.parametrize("text", ["", "-----BEGIN CERTIFICATE-----", PEM[:200], PEM.replace("MII", "MIJ"), "x" * 99999])
def test_what_is_none_is_unusable(text: str) -> None:
    """Cut, altered, empty or too long: one error."""
    with pytest.raises(Unusable):
        validity_of(text)


@settings(max_examples=30)
@given(st.binary(max_size=300))
def test_any_bytes_are_harmless(der: bytes) -> None:
    """Random DER gives dates or one error."""
    with contextlib.suppress(Unusable):
        validity_of(ssl.DER_cert_to_PEM_cert(der))


@settings(max_examples=30)
@given(st.integers(0, 400), st.integers(0, 255))
def test_any_altered_byte_is_harmless(place: int, value: int) -> None:
    """One wrong byte anywhere gives dates or one error."""
    der = bytearray(x509.load_pem_x509_certificate(PEM.encode()).public_bytes(Encoding.DER))
    der[place % len(der)] = value
    with contextlib.suppress(Unusable):
        validity_of(ssl.DER_cert_to_PEM_cert(bytes(der)))
