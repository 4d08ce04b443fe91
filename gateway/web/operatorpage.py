"""What whoever runs this must see: who waits to be called, what is wrong, how the ways to customers stand.

In a home that is the same person; the texts of faults are those of the log, in English.
"""

from dataclasses import dataclass

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.desk import Desk
from gateway.i18n import N_
from gateway.notify.answers import CallBack
from gateway.notify.texts import text_for
from gateway.store.contract import TryAgain
from gateway.web.reply import Replies, nothing_here
from gateway.web.words import Words

PATH = "/operator"
STATES = {
    "closed": N_("works"),
    "half-open": N_("is being tried again"),
    "open": N_("does not take messages: it is asked again by itself"),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call that somebody waits for."""

    tenant: str
    alert: str
    title: Markup
    channel: str
    age: Markup


@dataclass(frozen=True)
class OperatorPages:
    """The handlers of the operator's page."""

    replies: Replies
    desk: Desk

    def routes(self) -> list[Route]:
        """Give the page's addresses."""
        return [
            Route(PATH, self.show),
            Route(f"{PATH}/called/{{tenant}}/{{alert}}", self.called, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show the list."""
        words = self.replies.words(request)
        stand = {name: STATES[said["state"]] for name, said in (await self.desk.providers()).items()}
        return self.replies.page(
            request,
            "operator.html",
            calls=[await self._call(call, words) for call in await self.desk.calls()],
            troubles=self.desk.troubles(),
            providers={name: words.say(text) for name, text in stand.items()},
            certificate=self.desk.certificate(),
            forgets=self.desk.forgetting is not None,
        )

    async def called(self, request: Request) -> Response:
        """Note that somebody called."""
        noted = await self.desk.called(request.path_params["tenant"], request.path_params["alert"])
        if isinstance(noted, TryAgain):
            return self.replies.later(request)
        return RedirectResponse(PATH, status_code=303) if noted else await nothing_here(request)

    async def _call(self, call: CallBack, words: Words) -> Call:
        names = await self.desk.names(call.tenant)
        meter = Markup("<bdi>{}</bdi>").format(names.get(call.meter, call.meter))
        title = words.say(text_for(call.rule, "raised", "warning").title, meter=meter)
        return Call(call.tenant, call.alert, title, call.channel, words.ago(call.at, self.desk.now()))
