"""The live page: every meter, what it says now, and how old that is.

No script runs on it: it asks for itself again every two seconds. Whatever a meter or a topic said is escaped by the
templates, and the headers forbid the browser to run anything even if that failed.
"""

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from gateway.i18n import LANGUAGES, choose, direction
from gateway.web.headers import SafeHeaders
from gateway.web.source import LiveSource
from gateway.web.view import sections
from gateway.web.words import Words

HERE = Path(__file__).parent
EVERY = 2
"""Seconds between two looks at the meters."""


def app(source: LiveSource, *, now: Callable[[], int], language: str = "en") -> Starlette:
    """Make the page of `source`; `now` gives UTC ms, `language` serves readers who ask for none that we speak."""
    template = _templates().get_template("live.html")
    speech = {name: Words(name) for name in LANGUAGES}

    async def live(request: Request) -> Response:
        chosen = choose(request.query_params.get("lang"), request.headers.get("accept-language"), language)
        words = speech[chosen]
        shown = sections(source.meters(), now(), words)
        cards = [card for section in shown for card in section.cards]
        html = template.render(
            say=words.say,
            plural=words.plural,
            language=chosen,
            direction=direction(chosen),
            languages=LANGUAGES,
            every=EVERY,
            sections=shown,
            meters=len(cards),
            behind=sum(card.state != "fresh" for card in cards),
        )
        return HTMLResponse(html, headers={"vary": "accept-language", "content-language": chosen})

    return Starlette(
        routes=[
            Route("/", live),
            Route("/healthz", _healthz),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[Middleware(SafeHeaders)],
        exception_handlers={404: _nothing_here, 405: _nothing_here},
    )


def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["command"] = Markup('<code dir="ltr">{}</code>').format
    return made


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _nothing_here(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("There is nothing here.\n", status_code=404)
