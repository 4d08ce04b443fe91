"""The page on which an operator lets the box forget everything, after typing its name."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.reset.wanted import Reset
from gateway.web.reply import FormError, Replies, form_of, nothing_here

PATH = "/operator/forget"


@dataclass(frozen=True)
class ForgetPage:
    """The handlers of that page."""

    replies: Replies
    reset: Reset

    def routes(self) -> list[Route]:
        """Give the page's addresses."""
        return [Route(PATH, self.show), Route(PATH, self.forget, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """Say what goes and what stays, and ask for the name."""
        return self.replies.page(request, "forget.html", name=self.reset.name, stage="asking")

    async def forget(self, request: Request) -> Response:
        """Ask for the reset; another name than the box's changes nothing."""
        try:
            form = await form_of(request)
        except FormError:
            return await nothing_here(request)
        if form.get("name", "").strip() != self.reset.name:
            return self.replies.page(request, "forget.html", 422, name=self.reset.name, stage="wrong")
        try:
            self.reset.ask()
        except OSError:
            return self.replies.later(request)
        return self.replies.page(request, "forget.html", name=self.reset.name, stage="done")
