"""From when until when a certificate holds, read from its DER by hand: the edge need not load a library for two dates.

A certificate is a SEQUENCE of (what is signed, algorithm, signature); what is signed begins with an optional version,
then serial number, algorithm, issuer, and validity, which is a SEQUENCE of two times.
"""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.identity.errors import Unusable

PEM_LIMIT = 64 * 1024
"""Bytes of a file of certificates: a chain of four with 4,096-bit keys is a sixth of this."""
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
SEQUENCE, VERSION, UTC_TIME, GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
_LONG_FORM = 0x80
_LENGTH_LIMIT = 4
_FORMATS = {UTC_TIME: "%y%m%d%H%M%SZ", GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}


@dataclass(frozen=True, slots=True)
class Validity:
    """The two dates of a certificate, UTC in ms."""

    since: int
    until: int

    def days_left(self, now: int) -> int:
        """Count whole days until it ends; negative once it has."""
        return (self.until - now) // 86_400_000


def validity_of(pem: str) -> Validity:
    """Read the first certificate of a PEM text; raises Unusable."""
    at = pem.find(BEGIN)
    end = pem.find(END, at)
    if at < 0 or end < 0 or len(pem) > PEM_LIMIT:
        raise _bad()
    try:
        der = ssl.PEM_cert_to_DER_cert(pem[at : end + len(END)])
        ((_, certificate),) = _fields(der)
        signed = [field for field in _fields(next(_fields(certificate))[1]) if field[0] != VERSION]
        since, until = (_time(tag, value) for tag, value in _fields(signed[3][1]))
    except (ValueError, IndexError, StopIteration, KeyError):
        raise _bad() from None
    return Validity(since, until)


def _bad() -> Unusable:
    return Unusable("is no certificate in PEM", "the file must hold what the authority gave, unchanged")


def _fields(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Walk the fields that lie side by side; raises ValueError."""
    at = 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length & _LONG_FORM:
            count = length ^ _LONG_FORM
            if not 0 < count <= _LENGTH_LIMIT:
                raise ValueError("length")
            length, at = int.from_bytes(der[at : at + count]), at + count
        if at + length > len(der):
            raise ValueError("cut short")
        yield tag, der[at : at + length]
        at += length


def _time(tag: int, value: bytes) -> int:
    """Turn a time into ms; a two-digit year is of this century, for no certificate of the last one is in use."""
    moment = datetime.strptime(value.decode("ascii"), _FORMATS[tag]).replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)
