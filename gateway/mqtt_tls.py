"""TLS to a broker: what we speak, whom we believe, and in words for people why it came to nothing.

1. What is spoken, and whose name counts, is what holds for all TLS of ours (gateway/tls.py).
2. Whatever fails is a `Distrust`, with its cause as one word, a sentence, and what to do. A broker that refuses our
   certificate says so by an alert, in TLS 1.3 only when the handshake is over for us: `Security.alert` keeps it for
   whoever asks why the broker hung up.
"""

import contextlib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gateway.tls import harden
from gateway.transport import Endpoint, Lost

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

Cause = Literal[
    "expired", "not_yet_valid", "wrong_name", "unknown_authority", "revoked", "broken_certificate", "too_old", "no_tls",
    "own_refused", "own_unusable", "other",
]  # fmt: skip
Words = tuple[Cause, str, str]

TRUST = "ca_file must hold the authority that signed the broker's certificate"
OWN = "ask who runs the broker; `nabd enrol show` tells about this gateway's own certificate"

# OpenSSL's verdicts on a certificate, X509_V_ERR_…, as `verify_code` gives them.
VERDICTS: dict[int, Words] = {
    9: ("not_yet_valid", "the broker's certificate does not hold yet", "is this gateway's clock right?"),
    10: ("expired", "the broker's certificate has expired", "who runs the broker must renew it"),
    18: ("unknown_authority", "the broker signed its certificate itself", TRUST),
    19: ("unknown_authority", "the broker's certificate comes from an unknown authority", TRUST),
    20: ("unknown_authority", "the broker's certificate comes from an unknown authority", TRUST),
    21: ("unknown_authority", "the broker's certificate comes from an unknown authority", TRUST),
    23: ("revoked", "the broker's certificate was revoked", "who runs the broker must get a new one"),
    62: ("wrong_name", "the broker's certificate is for another name", "url must say a name the certificate holds"),
    64: ("wrong_name", "the broker's certificate is for another address", "url must say a name the certificate holds"),
}

_SHORT_OF = "the broker offers only TLS that is no longer safe"
_RENEW = "the broker must speak TLS 1.2 with ECDHE, or 1.3"

# Names that OpenSSL gives alerts and failures, by what they contain.
REASONS: dict[str, Words] = {
    "CERTIFICATE_EXPIRED": ("own_refused", "the broker says that our certificate has expired", OWN),
    "CERTIFICATE_REVOKED": ("own_refused", "the broker says that our certificate was revoked", OWN),
    "UNKNOWN_CA": ("own_refused", "the broker does not know the authority that signed our certificate", OWN),
    "CERTIFICATE_REQUIRED": ("own_refused", "the broker wants a certificate of ours", "give cert_file and key_file"),
    "BAD_CERTIFICATE": ("own_refused", "the broker does not take our certificate", OWN),
    "UNSUPPORTED_CERTIFICATE": ("own_refused", "the broker does not take our certificate", OWN),
    "CERTIFICATE_UNKNOWN": ("own_refused", "the broker does not take our certificate", OWN),
    "ACCESS_DENIED": ("own_refused", "the broker does not let our certificate in", OWN),
    "KEY_VALUES_MISMATCH": ("own_unusable", "our certificate and our key do not belong together", "import them anew"),
    "NO_START_LINE": ("own_unusable", "our certificate or key is not PEM", "import them anew"),
    "BAD_SIGNATURE": ("broken_certificate", "the broker's certificate is damaged", "who runs the broker must renew it"),
    "UNSUPPORTED_PROTOCOL": ("too_old", _SHORT_OF, _RENEW),
    "PROTOCOL_VERSION": ("too_old", _SHORT_OF, _RENEW),
    # In TLS 1.2 this alert also meets a client without a certificate where one is wanted.
    "HANDSHAKE_FAILURE": ("too_old", "the broker and we have no TLS in common", f"{_RENEW}; or give it cert_file"),
    "UNSAFE_LEGACY": ("too_old", _SHORT_OF, _RENEW),
    "DH_KEY_TOO_SMALL": ("too_old", _SHORT_OF, _RENEW),
    "WRONG_VERSION_NUMBER": ("no_tls", "what answers there speaks no TLS", "is it the right port? TLS is often 8883"),
    "RECORD_LAYER_FAILURE": ("no_tls", "what answers there speaks no TLS", "is it the right port? TLS is often 8883"),
}


@dataclass
class Distrust(Lost):
    """TLS came to nothing; `cause` says why in one word that programs may act on."""

    cause: Cause = "other"


class Security(ssl.SSLContext):
    """What one connection is secured by; `alert` is what the broker said against it, if it did."""

    alert: ssl.SSLError | None = None


class _Socket(ssl.SSLSocket):
    """Closes itself when the handshake fails, which paho does not, and keeps the broker's alert."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        try:
            return super().recv(buflen, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            if isinstance(self.context, Security):
                self.context.alert = error
            raise

    def send(self, data: "Buffer", flags: int = 0) -> int:
        try:
            return super().send(data, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError:
            with contextlib.suppress(OSError):  # who closes on us may have said why, in what we have not read yet
                self.recv(1)
            raise


def security_of(endpoint: Endpoint) -> Security:
    """Make what a connection is secured by; raises OSError, of which ssl.SSLError is one, for files that do not fit."""
    context = Security(ssl.PROTOCOL_TLS_CLIENT)
    if endpoint.ca_file is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(endpoint.ca_file)
    harden(context)
    context.sslsocket_class = _Socket
    if endpoint.cert_file is not None:
        context.load_cert_chain(endpoint.cert_file, endpoint.key_file)
    return context


def distrust(error: ssl.SSLError, where: str) -> Distrust:
    """Say in words what failed; `where` is the broker's address, without secrets."""
    if isinstance(error, ssl.SSLCertVerificationError):
        otherwise: Words = ("other", f"the broker's certificate does not hold: {error.verify_message}", TRUST)
        cause, what, hint = VERDICTS.get(error.verify_code, otherwise)
    else:
        reason = (error.reason or "").upper()
        otherwise = ("other", f"TLS failed: {reason or error}", "does the broker speak TLS 1.2 or 1.3?")
        cause, what, hint = next((words for name, words in REASONS.items() if name in reason), otherwise)
    return Distrust(f"{where}: {what}", hint, cause)
