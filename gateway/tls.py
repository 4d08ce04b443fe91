"""What every connection that we open by TLS is secured by: to brokers, stores, mail servers and whoever takes alerts.

TLS 1.3, or 1.2 with an ephemeral key and an authenticated cipher; there is no switch that lets anything less in. A
server's name must be among its alternative names: a common name alone has not counted for many years.
"""

import ssl
from pathlib import Path

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""OpenSSL's words for TLS 1.2; the ciphers of 1.3 are all of this kind, and have a list of their own."""


def client_side(ca_file: Path | None = None) -> ssl.SSLContext:
    """Trust the authorities of a file, or the system's; raises OSError for a file that holds none."""
    context = ssl.create_default_context(cafile=ca_file)
    harden(context)
    return context


def harden(context: ssl.SSLContext) -> None:
    """Let a context speak only what is safe, to whom the certificate names."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.hostname_checks_common_name = False
