"""The broker: is its name known, does it answer, does its certificate hold, does it let us in?

It is dialled just as the uplink does, under a client id of our own, so that a running gateway keeps its connection.
"""

import socket
import ssl
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from gateway.doctor.finding import Finding
from gateway.transport import Connect, Endpoint, NotTaken, TransportError

TIMEOUT = 10.0
SUFFIX = "-doctor"
LONGEST_ID = 64

_EXPIRED, _NOT_YET = (10,), (9,)
_NAMES = (62, 63, 64)
"""Numbers that OpenSSL gives for a certificate that does not hold; of the others the authority is to blame."""


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """How dialling went: `what` is the class of the failure, "" when we were let in."""

    where: str
    what: str = ""
    reason: str = ""


async def probe(connect: Connect, endpoint: Endpoint) -> BrokerFacts:
    """Dial the broker and hang up at once: no will, no session, nothing published."""
    where = endpoint.url.rpartition("@")[2]
    own = f"{endpoint.client_id[: LONGEST_ID - len(SUFFIX)]}{SUFFIX}"
    try:
        connection = await connect(replace(endpoint, client_id=own, will=None, session_expiry=0), TIMEOUT)
    except NotTaken as error:
        return BrokerFacts(where, "broker_refuses", str(error))
    except TransportError as error:
        return _failed(where, error)
    await connection.close()
    return BrokerFacts(where)


def judge(facts: BrokerFacts, now: str) -> list[Finding]:
    """Say what is wrong with the broker; `now` is what this box believes the date is."""
    if not facts.what:
        return []
    host = urlsplit(facts.where if "://" in facts.where else f"//{facts.where}").hostname or facts.where
    return [Finding(facts.what, facts.where, {"reason": facts.reason, "host": host, "now": now})]


def _failed(where: str, error: TransportError) -> BrokerFacts:
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return BrokerFacts(where, _of_certificate(cause.verify_code), cause.verify_message)
    if isinstance(cause, ssl.SSLError):
        return BrokerFacts(where, "tls_fails", cause.reason or str(cause))
    if isinstance(cause, socket.gaierror):
        return BrokerFacts(where, "dns_fails", cause.strerror or str(cause))
    reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else error.what
    return BrokerFacts(where, "broker_unreachable", reason)


def _of_certificate(code: int) -> str:
    if code in _EXPIRED:
        return "tls_expired"
    if code in _NOT_YET:
        return "tls_not_yet_valid"
    return "tls_wrong_name" if code in _NAMES else "tls_unknown_ca"
