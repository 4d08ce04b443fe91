"""Tells whoever finds a weakness where to say so: /.well-known/security.txt (RFC 9116), and the policy it points to.

Both are open to everybody and name nothing of this installation: no version, no owner, no meter.
"""

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

SUPPORT_UNTIL = datetime(2031, 12, 31, tzinfo=UTC)
"""Until then the newest release gets security fixes, as SECURITY.md says."""
FRESH = timedelta(days=180)
"""How long a copy of security.txt may be believed; the RFC advises less than a year."""

FILE = "/.well-known/security.txt"
POLICY = "/security"

_POLICY = f"""Nabd: how to report a weakness

Please use the private vulnerability report of the place this software came from, or write to a maintainer named in its
sources. Say what you did and what happened. You get an acknowledgement within 5 days, and a plan within 14.

The newest release gets security fixes until {SUPPORT_UNTIL:%Y-%m-%d} at least.
This installation itself belongs to somebody else: they run it, we do not.
"""


def routes() -> list[Route]:
    """Give the two pages."""
    return [Route(FILE, _security_txt), Route(POLICY, _policy)]


async def _security_txt(request: Request) -> Response:
    expires = min(datetime.now(UTC) + FRESH, SUPPORT_UNTIL).replace(hour=0, minute=0, second=0, microsecond=0)
    where = f"{request.url.scheme}://{request.url.netloc}{POLICY}"
    lines = (f"Contact: {where}", f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}", f"Policy: {where}")
    return PlainTextResponse("\n".join((*lines, "Preferred-Languages: en, ar", "")))


async def _policy(_: Request) -> Response:
    return PlainTextResponse(_POLICY)
