"""The pages: live values with today's use and open alerts, the way in, and the answers of links in messages.

Whatever a meter or a topic said is escaped by the templates, and the headers forbid the browser to run anything but our
own small script even if that failed. Without script the page asks for itself again every few seconds.
"""

from collections.abc import Iterable
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from gateway.i18n import LANGUAGES, choose
from gateway.notify import links
from gateway.store.contract import TryAgain
from gateway.web import policy
from gateway.web.access import Access, TooManyTries
from gateway.web.feed import Feed
from gateway.web.guard import COOKIE, Guard
from gateway.web.headers import SafeHeaders
from gateway.web.screen import Pages, Screen, Sources
from gateway.web.source import Answers

STATIC = Path(__file__).parent / "static"
LANGUAGE_COOKIE = "nabd-language"
YEAR = 365 * 86400
HERE = "page"
"""The channel of an answer that was given on the page itself."""


def app(
    sources: Sources,
    access: Access,
    *,
    names: Iterable[str] = ("localhost",),
    language: str = "en",
    answers: Answers | None = None,
    link_key: bytes | None = None,
) -> Starlette:
    """Make the pages of `sources`; `language` serves readers who ask for none that we speak.

    `names` are the host names they are reached by. `answers` takes what people answer to alerts; `link_key` signs the
    links in messages.
    """
    site = _Site(sources, access, language, answers, link_key)
    return Starlette(
        routes=[
            Route("/", site.live),
            Route("/events", site.events),
            Route("/alert/{alert}/{action}", site.answer, methods=["POST"]),
            Route("/enter/{token}", site.door),
            Route("/enter/{token}", site.enter, methods=["POST"]),
            Route("/leave", site.leave, methods=["POST"]),
            Route(f"{links.PATH}{{token}}", site.link),
            Route(f"{links.PATH}{{token}}", site.follow, methods=["POST"]),
            Route("/healthz", _healthz),
            *policy.routes(),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[
            Middleware(SafeHeaders),
            Middleware(Guard, access=access, names=names, locked=site.locked),
        ],
        exception_handlers={404: _nothing_here, 405: _nothing_here},
    )


class _Site:
    """The handlers, and what they share."""

    def __init__(
        self, sources: Sources, access: Access, language: str, answers: Answers | None, link_key: bytes | None
    ) -> None:
        self._sources, self._access, self._language = sources, access, language
        self._answers, self._link_key = answers, link_key
        self._pages = Pages()
        self._screens = {name: Screen(self._pages, sources, name) for name in LANGUAGES}
        self._feed = Feed(self._screens, sources.now)

    async def live(self, request: Request) -> Response:
        """Show everything."""
        chosen = self._chosen(request)
        return _html(request, self._screens[chosen].page(), chosen)

    async def events(self, request: Request) -> Response:
        """Tell what changes."""
        if self._feed.full:
            return PlainTextResponse("Too many pages are open.\n", status_code=503, headers={"retry-after": "60"})
        secret = request.cookies.get(COOKIE)
        stream = self._feed.listen(self._chosen(request), lambda: self._access.knows(secret))
        return StreamingResponse(stream, media_type="text/event-stream", headers={"x-accel-buffering": "no"})

    async def answer(self, request: Request) -> Response:
        """Take an answer given on the page itself."""
        action: links.Action | None = _ACTIONS.get(request.path_params["action"])
        alert = self._sources.alerts.find(request.path_params["alert"]) if self._sources.alerts else None
        if action is None or alert is None:
            return await _nothing_here(request, None)
        if not await self._note(links.Link(action, alert.tenant, alert.event.id, HERE, 0)):
            return self._simple(request, "refused.html", 503, why="later")
        return RedirectResponse("/", status_code=303)

    async def door(self, request: Request) -> Response:
        """Show the button that uses a one-time link up: whoever only looks at a link does not spend it."""
        return self._simple(request, "enter.html")

    async def enter(self, request: Request) -> Response:
        """Use a one-time link up and let this device in."""
        address = request.client.host if request.client else ""
        try:
            secret = self._access.enter(request.path_params["token"], address, request.cookies.get(COOKIE))
        except TooManyTries:
            return self._simple(request, "refused.html", 429, {"retry-after": "60"}, why="tries")
        if secret is None:
            return self._simple(request, "refused.html", 403, why="used")
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

    async def link(self, request: Request) -> Response:
        """Show what a link in a message would do."""
        link = self._signed(request)
        if link is None:
            return self._simple(request, "refused.html", 404, why="link")
        return self._simple(request, "answer.html", action=link.action, done=False)

    async def follow(self, request: Request) -> Response:
        """Do what a link in a message says."""
        link = self._signed(request)
        if link is None:
            return self._simple(request, "refused.html", 404, why="link")
        if not await self._note(link):
            return self._simple(request, "refused.html", 503, why="later")
        return self._simple(request, "answer.html", action=link.action, done=True)

    async def locked(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give everybody without a session the one answer that tells nothing."""
        request = Request(scope)
        await self._simple(request, "locked.html", 401)(scope, receive, send)

    async def _note(self, link: links.Link) -> bool:
        """Note an answer; False when that cannot be done just now."""
        if self._answers is not None and isinstance(await self._answers.act(link, self._sources.now()), TryAgain):
            return False
        if self._sources.alerts is not None:
            self._sources.alerts.answered(link.tenant, link.alert, link.action)
        return True

    def _signed(self, request: Request) -> links.Link | None:
        if self._link_key is None:
            return None
        try:
            return links.read(request.path_params["token"], self._link_key, self._sources.now() // 1000)
        except links.LinkError:
            return None

    def _simple(
        self,
        request: Request,
        template: str,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **values: object,
    ) -> Response:
        chosen = self._chosen(request)
        return _html(request, self._pages.render(template, chosen, **values), chosen, status, headers)

    def _chosen(self, request: Request) -> str:
        asked = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
        return choose(asked, request.headers.get("accept-language"), self._language)


_ACTIONS: dict[str, links.Action] = {action: action for action in links.ACTIONS}


def _html(
    request: Request, html: str, language: str, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Answer with a page; a language asked for is remembered, for links and forms do not carry it."""
    spoken = {"vary": "accept-language, cookie", "content-language": language}
    response = HTMLResponse(html, status_code=status, headers={**spoken, **(headers or {})})
    if request.query_params.get("lang") == language:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR, samesite="strict", httponly=True)
    return response


def _is_tls(request: Request) -> bool:
    return request.url.scheme == "https"


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _nothing_here(_request: Request, _error: Exception | None) -> Response:
    return PlainTextResponse("There is nothing here.\n", status_code=404)
