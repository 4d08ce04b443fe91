"""The page of one alert, and the answers that are given on it, on the live page, or by links in messages.

A link in a message is its own proof for its one answer; on a device that was let in it shows the alert besides.
"""

from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.alerts.event import AlertEvent
from gateway.desk import Desk
from gateway.notify import links
from gateway.store.contract import TryAgain
from gateway.web.alertsheet import HERE, Sheet, sheet_of
from gateway.web.reply import Replies, nothing_here
from gateway.web.rights import Visitor, let_in, visitor_of
from gateway.web.screen import Sources
from gateway.web.source import Answers

_ACTIONS: dict[str, links.Action] = {action: action for action in links.ACTIONS}


@dataclass(frozen=True)
class AlertPages:
    """The handlers; without a desk an alert's page knows only what the live page does."""

    replies: Replies
    sources: Sources
    answers: Answers | None
    link_key: bytes | None
    desk: Desk | None

    def routes(self) -> list[Route]:
        """Give the pages' addresses."""
        return [
            Route("/alert/{alert}", self.show),
            Route("/alert/{alert}/{action}", self.answer, methods=["POST"]),
            Route(f"{links.PATH}{{token}}", self.link),
            Route(f"{links.PATH}{{token}}", self.follow, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show all that is known of an alert."""
        visitor = let_in(request)
        found = await self._find(visitor, request.path_params["alert"])
        if found is None:
            return await nothing_here(request)
        if visitor.many and not visitor.tenant:  # answers given there must name the home
            return RedirectResponse(f"{request.url.path}{replace(visitor, tenant=found[0]).here}", status_code=303)
        return self.replies.page(request, "alert.html", sheet=await self._sheet(request, *found))

    async def answer(self, request: Request) -> Response:
        """Take an answer given on a page of ours."""
        action = _ACTIONS.get(request.path_params["action"])
        visitor = let_in(request)
        found = await self._find(visitor, request.path_params["alert"]) if action is not None else None
        if action is None or found is None:
            return await nothing_here(request)
        tenant, event = found
        if not await self._note(links.Link(action, tenant, event.id, HERE, 0)):
            return self.replies.later(request)
        back = f"/alert/{event.id}" if request.query_params.get("back") == "alert" else "/"
        return RedirectResponse(f"{back}{visitor.here}", status_code=303)

    async def link(self, request: Request) -> Response:
        """Show what a link in a message would do, and the alert it is about."""
        return await self._linked(request, done=False)

    async def follow(self, request: Request) -> Response:
        """Do what a link in a message says."""
        return await self._linked(request, done=True)

    async def _linked(self, request: Request, *, done: bool) -> Response:
        link = self._signed(request)
        if link is None or await self._of_before(link):
            return self.replies.page(request, "refused.html", 404, why="link")
        if done and not await self._note(link):
            return self.replies.later(request)
        sheet = await self._of_link(request, link)
        return self.replies.page(request, "answer.html", action=link.action, done=done, sheet=sheet)

    async def _of_link(self, request: Request, link: links.Link) -> Sheet | None:
        """Give the alert a link is about, to whoever may see it; others learn no more than the message told them."""
        visitor = visitor_of(request)
        if visitor is None or not (visitor.operates or visitor.tenant == link.tenant):
            return None
        request.state.visitor = there = replace(visitor, tenant=link.tenant)
        found = await self._find(there, link.alert)
        return await self._sheet(request, *found) if found is not None else None

    async def _of_before(self, link: links.Link) -> bool:
        """Tell whether a link was sent to the customer who lived there before."""
        since = self.desk.since(link.tenant) if self.desk is not None else 0
        return since > 0 and await self._find(Visitor("customer", link.tenant, since), link.alert) is None

    async def _find(self, visitor: Visitor, alert: str) -> tuple[str, AlertEvent] | None:
        """Find an alert that a visitor may see by its id, among those shown or in the hub database."""
        known = self.sources.alerts.find(alert, visitor) if self.sources.alerts is not None else None
        if known is not None:
            return known.tenant, visitor.view(known.event)
        others = await self.desk.tenants() if self.desk is not None and visitor.operates else []
        for tenant in (visitor.tenant, *others):
            kept = await self.desk.find(tenant, alert) if self.desk is not None else None
            if kept is not None and visitor.sees(kept.tenant, kept.event.raised):
                return kept.tenant, visitor.view(kept.event)
        return None

    async def _sheet(self, request: Request, tenant: str, event: AlertEvent) -> Sheet:
        names, steps = {}, []
        if self.desk is not None:
            names, steps = await self.desk.names(tenant), await self.desk.story(tenant, event.id)
        names |= {meter.id: meter.name or meter.id for meter in self.sources.meters.of(tenant)}
        name, words = names.get(event.meter, event.meter), self.replies.words(request)
        priced = self.sources.price(tenant, event)
        return sheet_of(event, name, steps, self.sources.now(), self.sources.zone, words, priced)

    async def _note(self, link: links.Link) -> bool:
        """Note an answer; False when that cannot be done just now."""
        if self.answers is not None and isinstance(await self.answers.act(link, self.sources.now()), TryAgain):
            return False
        if self.sources.alerts is not None:
            self.sources.alerts.answered(link.tenant, link.alert, link.action)
        return True

    def _signed(self, request: Request) -> links.Link | None:
        if self.link_key is None:
            return None
        try:
            return links.read(request.path_params["token"], self.link_key, self.sources.now() // 1000)
        except links.LinkError:
            return None
