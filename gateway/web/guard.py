"""What stands before every page: the right host name, no foreign forms, and a session.

1. Host: an address in numbers, this machine's own names, or that of `[web] url`. A page of the Internet that points its
   own name at us (DNS rebinding) is turned away.
2. Whoever acts (POST) comes from one of our own pages: a browser says so in Origin. A push app that follows a signed
   link says no Origin at all, and the link is proof enough.
3. Without a session, every address but those of `OPEN` and `PUBLIC` gives one and the same answer, so nothing is
   learned from us.
"""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.notify import links
from gateway.seclog import note
from gateway.web import policy
from gateway.web.access import Access
from gateway.web.connections import TRUST

COOKIE = "nabd"
OPEN = ("/static/", "/enter/", links.PATH)
"""Styles, one-time links, and the signed links in messages, which are their own proof."""
PUBLIC = ("/healthz", policy.FILE, policy.POLICY)
"""For monitors, and for whoever found a weakness; they say nothing of this installation."""
READING = ("GET", "HEAD")


class Guard:
    """Lets a request through to the pages, or answers it."""

    def __init__(self, app: ASGIApp, *, access: Access, names: Iterable[str], locked: ASGIApp) -> None:
        """`names` are the host names we answer to, beside addresses in numbers; `locked` answers without a session."""
        self._app, self._access, self._locked = app, access, locked
        self._names = {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        await self._choose(Request(scope))(scope, receive, send)

    def _choose(self, request: Request) -> ASGIApp:
        host = request.headers.get("host", "")
        if not self._is_ours(host):
            note("host_refused", host=host, address=_address(request))
            return PlainTextResponse("This host name is not known here.\n", status_code=421)
        path = request.url.path
        from_an_app = path.startswith(links.PATH) and not {"origin", "sec-fetch-site"}.intersection(request.headers)
        if request.method not in READING and not from_an_app and not _from_our_page(request, host):
            note("form_refused", origin=request.headers.get("origin"), address=_address(request))
            return PlainTextResponse("This came from another page.\n", status_code=403)
        known = self._access.knows(request.cookies.get(COOKIE))
        if known:
            request.scope.get("state", {}).get(TRUST, _nothing)()
        return self._app if known or path in PUBLIC or path.startswith(OPEN) else self._locked

    def _is_ours(self, host: str) -> bool:
        name = host_of(host)
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _nothing() -> None:
    """Trust no connection: there is none in tests without a server."""


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _from_our_page(request: Request, host: str) -> bool:
    """Tell whether a form of ours was sent; behind a proxy that ends TLS, the page was https and we do not know."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    scheme, _, origin = request.headers.get("origin", "").partition("://")
    wanted = ("https",) if request.url.scheme == "https" else ("http", "https")
    return scheme in wanted and origin.lower() == host.lower()


def host_of(host: str) -> str:
    """Take the port off a Host header; an address in brackets loses them."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def own_names(*addresses: str | None) -> set[str]:
    """Name this machine as people in its network do, and by the hosts of these addresses (`host:port` or URLs)."""
    hostname = socket.gethostname().lower()
    given = {host_of(address.partition("://")[2] or address) for address in addresses if address}
    return {"localhost", hostname, f"{hostname.partition('.')[0]}.local", *given} - {""}
