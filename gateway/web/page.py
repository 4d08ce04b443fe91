"""The pages: live values with today's use and open alerts, the way in, alerts, settings, and the operator's lists.

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
from gateway.web import policy
from gateway.web.access import Access, TooManyTries
from gateway.web.alertpage import AlertPages
from gateway.web.crowd import HOUSE, Crowd
from gateway.web.doorman import Doorman
from gateway.web.feed import Feed
from gateway.web.forgetpage import ForgetPage
from gateway.web.guard import COOKIE, Guard
from gateway.web.headers import SafeHeaders
from gateway.web.homespage import PATH as HOMES
from gateway.web.homespage import HomesPage
from gateway.web.operatorpage import OperatorPages
from gateway.web.reply import Replies, nothing_here
from gateway.web.rights import Visitor, Who, guarded, let_in
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
    crowd: Crowd = HOUSE,
) -> Starlette:
    """Make the pages of `sources`; `language` serves readers who ask for none that we speak.

    `names` are the host names they are reached by. `answers` takes what people answer to alerts; `link_key` signs the
    links in messages. Without a `desk` there is nothing to choose, and nothing for an operator. `crowd` says how many
    may listen.
    """
    replies = Replies(Pages(wide=desk is not None), language)
    who = Doorman(access, sources.meters.tenants, desk.since if desk is not None else _always)
    site = _Site(sources, access, replies, who, crowd)
    more = [] if desk is None else [*SettingsPages(replies, desk).routes(), *OperatorPages(replies, desk).routes()]
    more += [] if desk is None or desk.forgetting is None else ForgetPage(replies, desk.forgetting).routes()
    more += [] if desk is None else HomesPage(replies, desk, sources.meters.tenants).routes()
    return Starlette(
        routes=guarded(
            [
                Route("/", site.live),
                Route("/events", site.events),
                Route("/enter/{token}", site.door),
                Route("/enter/{token}", site.enter, methods=["POST"]),
                Route("/leave", site.leave, methods=["POST"]),
                *AlertPages(replies, sources, answers, link_key, desk).routes(),
                *more,
                Route("/healthz", _healthz),
                *policy.routes(),
                Mount("/static", StaticFiles(directory=STATIC)),
            ],
            who,
        ),
        middleware=[
            Middleware(SafeHeaders),
            Middleware(Guard, access=access, names=names, locked=site.locked),
        ],
        exception_handlers={404: nothing_here, 405: nothing_here},
    )


class _Site:
    """The live page, the way in and the way out."""

    def __init__(self, sources: Sources, access: Access, replies: Replies, who: Who, crowd: Crowd) -> None:
        self._access, self._replies, self._sources, self._who = access, replies, sources, who
        self._feed = Feed(self._screen, sources.now, crowd)

    async def live(self, request: Request) -> Response:
        """Show a home; an operator of several chooses one first."""
        visitor = let_in(request)
        if visitor.many and not visitor.tenant:
            return RedirectResponse(HOMES, status_code=303)
        return self._replies.html(request, self._screen(self._replies.chosen(request), visitor).page())

    async def events(self, request: Request) -> Response:
        """Tell what changes, or that there is no place to listen."""
        visitor = let_in(request)
        stream = self._feed.listen(self._replies.chosen(request), visitor, lambda: self._who(request) == visitor)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"x-accel-buffering": "no"})

    def _screen(self, language: str, visitor: Visitor) -> Screen:
        return Screen(self._replies.pages, self._sources, language, visitor)

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


def _always(_tenant: str) -> int:
    """Let a customer see all there is: nobody moved."""
    return 0


def _is_tls(request: Request) -> bool:
    return request.url.scheme == "https"


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n")
