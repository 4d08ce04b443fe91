"""The homes an operator may look at, one to choose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.desk import Desk
from gateway.web.reply import Replies

PATH = "/homes"


@dataclass(frozen=True)
class HomesPage:
    """The handler; `shown` lists whose meters are known by their newest readings."""

    replies: Replies
    desk: Desk
    shown: Callable[[], Sequence[str]]

    def routes(self) -> list[Route]:
        """Give the page's address."""
        return [Route(PATH, self.show)]

    async def show(self, request: Request) -> Response:
        """Show the list."""
        homes = sorted({*await self.desk.tenants(), *self.shown()})
        return self.replies.page(request, "homes.html", homes=homes)
