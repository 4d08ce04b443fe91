"""The pages: live values with today's use and open alerts, the way in, alerts, settings, and the operator's list.

Whatever a meter or a topic said is escaped by the templates, and the headers forbid the browser to run anything but our
own small script even if that failed. Without script the page asks for itself again every few seconds.
"""

from collections.abc import Iterable
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from gateway.desk import Desk
from gateway.i18n import LANGUAGES
from gateway.web import policy
from gateway.web.access import Access, TooManyTries
from gateway.web.alertpage import AlertPages
from gateway.web.feed import Feed
from gateway.web.guard import COOKIE, Guard
from gateway.web.headers import SafeHeaders
from gateway.web.operatorpage import OperatorPages
from gateway.web.reply import Replies, nothing_here
from gateway.web.screen import Pages, Screen, Sources
from gateway.web.settingspage import SettingsPages
from gateway.web.source import Answers

STATIC = Path(__file__).parent / "static"


def app(
    sources: Sources,
    access: Access,
    *,
    names: Iterable[str] = ("localhost",),
    language: str = "en",
    answers: Answers | None = None,
    link_key: bytes | None = None,
    desk: Desk | None = None,
) -> Starlette:
    """Make the pages of `sources`; `language` serves readers who ask for none that we speak.

    `names` are the host names they are reached by. `answers` takes what people answer to alerts; `link_key` signs the
    links in messages. Without a `desk` there is nothing to choose, and nothing for an operator.
    """
    replies = Replies(Pages(wide=desk is not None), language)
    site = _Site(sources, access, replies)
    more = [] if desk is None else [*SettingsPages(replies, desk).routes(), *OperatorPages(replies, desk).routes()]
    return Starlette(
        routes=[
            Route("/", site.live),
            Route("/events", site.events),
            Route("/enter/{token}", site.door),
            Route("/enter/{token}", site.enter, methods=["POST"]),
            Route("/leave", site.leave, methods=["POST"]),
            *AlertPages(replies, access, sources, answers, link_key, desk).routes(),
            *more,
            Route("/healthz", _healthz),
            *policy.routes(),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[
            Middleware(SafeHeaders),
            Middleware(Guard, access=access, names=names, locked=site.locked),
        ],
        exception_handlers={404: nothing_here, 405: nothing_here},
    )


class _Site:
    """The live page, the way in and the way out."""

    def __init__(self, sources: Sources, access: Access, replies: Replies) -> None:
        self._access, self._replies = access, replies
        self._screens = {name: Screen(replies.pages, sources, name) for name in LANGUAGES}
        self._feed = Feed(self._screens, sources.now)

    async def live(self, request: Request) -> Response:
        """Show everything."""
        return self._replies.html(request, self._screens[self._replies.chosen(request)].page())

    async def events(self, request: Request) -> Response:
        """Tell what changes."""
        if self._feed.full:
            return PlainTextResponse("Too many pages are open.\n", status_code=503, headers={"retry-after": "60"})
        secret = request.cookies.get(COOKIE)
        stream = self._feed.listen(self._replies.chosen(request), lambda: self._access.knows(secret))
        return StreamingResponse(stream, media_type="text/event-stream", headers={"x-accel-buffering": "no"})

    async def door(self, request: Request) -> Response:
        """Show the button that uses a one-time link up: whoever only looks at a link does not spend it."""
        return self._replies.page(request, "enter.html")

    async def enter(self, request: Request) -> Response:
        """Use a one-time link up and let this device in."""
        address = request.client.host if request.client else ""
        try:
            secret = self._access.enter(request.path_params["token"], address, request.cookies.get(COOKIE))
        except TooManyTries:
            return self._replies.page(request, "refused.html", 429, {"retry-after": "60"}, why="tries")
        if secret is None:
            return self._replies.page(request, "refused.html", 403, why="used")
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(
            COOKIE, secret, max_age=self._access.stay, httponly=True, samesite="strict", secure=_is_tls(request)
        )
        return response

    async def leave(self, request: Request) -> Response:
        """End this device's session."""
        self._access.leave(request.cookies.get(COOKIE))
        response = RedirectResponse("/", status_code=303)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=_is_tls(request))
        return response

    async def locked(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give everybody without a session the one answer that tells nothing."""
        await self._replies.page(Request(scope), "locked.html", 401)(scope, receive, send)


def _is_tls(request: Request) -> bool:
    return request.url.scheme == "https"


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n")
