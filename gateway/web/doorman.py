"""Tells of a request who asks: the session its cookie names, the home it looks at, and from when on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.requests import Request

from gateway.web.access import Access
from gateway.web.guard import COOKIE
from gateway.web.rights import Visitor


@dataclass(frozen=True)
class Doorman:
    """Knows sessions, whose meters there are, and since when (UTC ms) each tenant's customer lives there."""

    access: Access
    tenants: Callable[[], Sequence[str]]
    since: Callable[[str], int]

    def __call__(self, request: Request) -> Visitor | None:
        """Say who asks; None for whoever was not let in."""
        session = self.access.session(request.cookies.get(COOKIE))
        if session is None:
            return None
        if session.role == "customer":
            return Visitor("customer", session.tenant, self.since(session.tenant))
        homes, named = self.tenants(), request.path_params.get("tenant", request.query_params.get("home"))
        only = homes[0] if len(homes) == 1 else ""
        return Visitor("operator", named or only, many=len(homes) > 1)
