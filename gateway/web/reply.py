"""Answers with pages: in the reader's language, and forms read within bounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.i18n import choose
from gateway.web.rights import nothing_here as nothing_here  # noqa: PLC0414  handlers answer with it
from gateway.web.rights import visitor_of
from gateway.web.screen import Pages
from gateway.web.words import Words

LANGUAGE_COOKIE = "nabd-language"
YEAR = 365 * 86400
FORM_LIMIT = 8192
"""Bytes of a form: ten choices and four times are under 300, a subscription under 1,000, fifty goals under 5,000."""
FIELDS = 64


class FormError(Exception):
    """What was sent is no form of ours."""


@dataclass(frozen=True)
class Replies:
    """Renders pages for whoever asks; `language` serves readers who ask for none that we speak."""

    pages: Pages
    language: str

    def words(self, request: Request) -> Words:
        """Give the words of the reader's language."""
        return self.pages.words[self.chosen(request)]

    def chosen(self, request: Request) -> str:
        """Choose the reader's language."""
        asked = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
        return choose(asked, request.headers.get("accept-language"), self.language)

    def page(
        self,
        request: Request,
        template: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> Response:
        """Answer with a template, filled."""
        language = self.chosen(request)
        return self.html(
            request, self.pages.render(template, language, visitor=visitor_of(request), **values), status, headers
        )

    def html(
        self, request: Request, html: str, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Answer with a page; a language asked for is remembered, for links and forms do not carry it."""
        language = self.chosen(request)
        spoken = {"vary": "accept-language, cookie", "content-language": language}
        response = HTMLResponse(html, status_code=status, headers={**spoken, **(headers or {})})
        if request.query_params.get("lang") == language:
            response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR, samesite="strict", httponly=True)
        return response

    def later(self, request: Request) -> Response:
        """Say that something could not be kept just now."""
        return self.page(request, "refused.html", 503, why="later")


async def form_of(request: Request) -> dict[str, str]:
    """Read a form as browsers send it without files; raises FormError."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > FORM_LIMIT:
            raise FormError
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS, errors="strict"))
    except ValueError:
        raise FormError from None
