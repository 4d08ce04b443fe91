"""Who may open which page: one table, looked up before every handler; a route that is not in it opens to nobody.

1. A session belongs to the operator, who may look at every home, or to a customer, who sees the home of one tenant.
2. What a route needs stands in `NEEDS`. What is not a visitor's does not exist for them: the answer is that of an
   address that never was, so nobody learns by guessing which tenants, meters or alerts there are.
3. Pages that name no tenant show a customer's own home; an operator says in the address which one (`?home=`).
4. A customer sees nothing that is older than the day they moved in.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.alerts.event import AlertEvent
from gateway.notify import links
from gateway.web import policy

Role = Literal["operator", "customer"]
Need = Literal["nothing", "session", "tenant", "operator"]
Handler = Callable[[Request], Awaitable[Response]]

Who = Callable[[Request], "Visitor | None"]

NEEDS: dict[str, Need] = {
    "/": "session",
    "/events": "session",
    "/leave": "session",
    "/enter/{token}": "nothing",
    "/healthz": "nothing",
    policy.FILE: "nothing",
    policy.POLICY: "nothing",
    "/static": "nothing",
    # Which alerts are a visitor's is asked of `Visitor.sees`; a signed link is its own proof.
    "/alert/{alert}": "session",
    "/alert/{alert}/{action}": "session",
    f"{links.PATH}{{token}}": "nothing",
    "/settings": "session",
    "/settings/{tenant}": "tenant",
    "/settings/{tenant}/away": "tenant",
    "/settings/{tenant}/channel/{channel}": "tenant",
    "/settings/{tenant}/as-set-up/{channel}": "tenant",
    "/settings/{tenant}/reset/{meter}/{rule}": "tenant",
    "/settings/{tenant}/goals": "tenant",
    "/settings/{tenant}/browser": "tenant",
    "/settings/{tenant}/browser/{name}/remove": "tenant",
    "/homes": "operator",
    "/operator": "operator",
    "/operator/forget": "operator",
    "/operator/called/{tenant}/{alert}": "operator",
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever was let in; `tenant` is whose home they look at, `since` (UTC ms) from when on they may see it.

    `many` says that it is one of several, so that addresses must name it.
    """

    role: Role
    tenant: str
    since: int = 0
    many: bool = False

    @property
    def here(self) -> str:
        """What an address needs to lead to the same home again."""
        return f"?home={quote(self.tenant, safe='')}" if self.many and self.tenant else ""

    @property
    def operates(self) -> bool:
        """Whether this is the operator."""
        return self.role == "operator"

    def sees(self, tenant: str, at: int) -> bool:
        """Tell whether what happened at a tenant's, `at` UTC ms, is for this visitor's eyes."""
        return self.operates or (tenant == self.tenant and at >= self.since)

    def view(self, event: AlertEvent) -> AlertEvent:
        """Leave out of an alert what was measured before this visitor's time."""
        return replace(event, points=[point for point in event.points if point[0] >= self.since])


def visitor_of(request: Request) -> Visitor | None:
    """Give who asks; None for whoever was not let in."""
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    return visitor


def let_in(request: Request) -> Visitor:
    """Give who asks for a page that needs a session, and so has one."""
    visitor = visitor_of(request)
    assert visitor is not None  # noqa: S101  `guarded` stands before
    return visitor


def allowed(path: str, visitor: Visitor | None, tenant: str | None) -> bool:
    """Tell whether a visitor may open a route; `tenant` is the one the address names, if it does."""
    if visitor is not None and tenant is not None and not visitor.operates and tenant != visitor.tenant:
        return NEEDS.get(path) == "nothing"
    match NEEDS.get(path):
        case "nothing":
            return True
        case "session":
            return visitor is not None
        case "tenant":
            return visitor is not None and tenant is not None
        case "operator":
            return visitor is not None and visitor.operates
    return False


def guarded(routes: Iterable[BaseRoute], who: Who) -> list[BaseRoute]:
    """Put the table before the handler of every route; `who` says who asks."""
    return [_guarded(route, who) if isinstance(route, Route) else route for route in routes]


def _guarded(route: Route, who: Who) -> Route:
    handler: Handler = route.endpoint

    async def answer(request: Request) -> Response:
        request.state.visitor = who(request)
        tenant = request.path_params.get("tenant", request.query_params.get("home"))
        if not allowed(route.path, visitor_of(request), tenant):
            return await nothing_here(request)
        return await handler(request)

    return Route(route.path, answer, methods=list(route.methods or ()))


async def nothing_here(_request: Request, _error: Exception | None = None) -> Response:
    """Answer alike wherever there is nothing, or nothing for who asks."""
    return PlainTextResponse("There is nothing here.\n", status_code=404)
