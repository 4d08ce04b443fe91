"""The page on which customers choose: what each channel tells and when, away or at home, what answers moved.

Every change is a form that works without script. What cannot be kept is said at its field, and nothing is changed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.desk import Desk, Tuned
from gateway.notify.browsers import NoSubscription
from gateway.notify.wishes import Wishes
from gateway.store.contract import TryAgain
from gateway.web import awayview, goalview, wishview
from gateway.web.homespage import PATH as HOMES
from gateway.web.reply import FormError, Replies, form_of, nothing_here
from gateway.web.rights import let_in

PATH = "/settings"
GOALS = 50
"""Meters that goals can be set for on one page: a home has few, and a form is bounded."""


@dataclass(frozen=True)
class SettingsPages:
    """The handlers of one hub's settings pages."""

    replies: Replies
    desk: Desk

    def routes(self) -> list[Route]:
        """Give the pages' addresses."""
        own = f"{PATH}/{{tenant}}"
        return [
            Route(PATH, self.show),
            Route(own, self.show),
            Route(f"{own}/away", self.away, methods=["POST"]),
            Route(f"{own}/channel/{{channel}}", self.wish, methods=["POST"]),
            Route(f"{own}/as-set-up/{{channel}}", self.as_set_up, methods=["POST"]),
            Route(f"{own}/reset/{{meter}}/{{rule}}", self.reset, methods=["POST"]),
            Route(f"{own}/goals", self.goals, methods=["POST"]),
            Route(f"{own}/browser", self.subscribe, methods=["POST"]),
            Route(f"{own}/browser/{{name}}/remove", self.unsubscribe, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show the settings of the home that is looked at; an operator of several chooses one first."""
        visitor, tenants = let_in(request), await self.desk.tenants()
        if visitor.many and not visitor.tenant:
            return RedirectResponse(HOMES, status_code=303)
        tenant = visitor.tenant or next(iter(tenants), "")
        if tenant not in tenants:
            return await nothing_here(request)
        return await self._page(request, tenant)

    async def away(self, request: Request) -> Response:
        """Leave, if named until a day, or come back."""
        tenant, form = await self._sent(request)
        if tenant is None or form.get("away") not in ("on", "off"):
            return await nothing_here(request)
        away = form["away"] == "on"
        try:
            until = awayview.read(form, self.desk.zone, self.desk.now()) if away else None
        except ValueError:
            return await self._page(request, tenant, sent_until=form["until"])
        kept = await self.desk.set_away(tenant, away=away, until=until)
        return self._done(request, tenant, kept)

    async def wish(self, request: Request) -> Response:
        """Keep what was chosen for a channel."""
        tenant, form = await self._sent(request)
        channel = request.path_params["channel"]
        if tenant is None:
            return await nothing_here(request)
        try:
            wishes = wishview.read(form)
        except FormError:
            return await nothing_here(request)
        if isinstance(wishes, wishview.Sent):
            return await self._page(request, tenant, channel, wishes)
        kept = await self.desk.wish(tenant, channel, wishes)
        if kept == "unknown":
            return await nothing_here(request)
        if kept == "unsafe":
            return await self._page(request, tenant, channel, wishview.Sent(form, {"safety": wishview.UNSAFE}))
        return self._done(request, tenant, kept, channel)

    async def as_set_up(self, request: Request) -> Response:
        """Let a channel tell again what the one who set it up wished."""
        tenant, _ = await self._sent(request)
        channel = request.path_params["channel"]
        if tenant is None:
            return await nothing_here(request)
        kept = await self.desk.wish(tenant, channel, Wishes())
        if kept in ("unknown", "unsafe"):
            return await nothing_here(request)
        return self._done(request, tenant, kept, channel)

    async def reset(self, request: Request) -> Response:
        """Let a rule forget what was answered."""
        tenant, _ = await self._sent(request)
        meter, rule = request.path_params["meter"], request.path_params["rule"]
        moved = await self.desk.tuned(tenant) if tenant is not None else []
        if tenant is None or (meter, rule) not in {(one.meter, one.rule) for one in self._moved(request, moved)}:
            return await nothing_here(request)
        return self._done(request, tenant, await self.desk.reset(tenant, meter, rule))

    async def goals(self, request: Request) -> Response:
        """Keep goals; none of them where one is no number."""
        tenant, form = await self._sent(request)
        if tenant is None:
            return await nothing_here(request)
        goals, wrong = goalview.read(form, (await self.desk.meters(tenant))[:GOALS])
        if wrong:
            return await self._page(request, tenant, sent_goals=form, wrong_goals=wrong)
        return self._done(request, tenant, await self.desk.set_goals(tenant, goals))

    async def subscribe(self, request: Request) -> Response:
        """Tell a browser from now on; its page's script sends what the browser gave it."""
        tenant, form = await self._sent(request)
        if tenant is None:
            return await nothing_here(request)
        language: Literal["en", "ar"] = "ar" if self.replies.chosen(request) == "ar" else "en"
        origin = f"{request.url.scheme}://{request.url.netloc}"
        try:
            kept = await self.desk.subscribe(tenant, form.get("subscription", ""), language, origin)
        except NoSubscription:
            return await nothing_here(request)
        return self._done(request, tenant, kept)

    async def unsubscribe(self, request: Request) -> Response:
        """Tell a browser no longer."""
        tenant, _ = await self._sent(request)
        known = await self.desk.unsubscribe(tenant, request.path_params["name"]) if tenant is not None else False
        return self._done(request, tenant, known) if known and tenant is not None else await nothing_here(request)

    async def _sent(self, request: Request) -> tuple[str | None, dict[str, str]]:
        """Give whose settings a form is about, None for nobody's, and its fields; what is no form has none."""
        tenant: str = request.path_params["tenant"]
        try:
            form = await form_of(request)
        except FormError:
            return None, {}
        return (tenant if tenant in await self.desk.tenants() else None), form

    def _done(self, request: Request, tenant: str, kept: object, channel: str = "") -> Response:
        """Lead back to the page, which says that it is saved; or say that it could not be."""
        if isinstance(kept, TryAgain):
            return self.replies.later(request)
        return RedirectResponse(f"{PATH}/{tenant}?saved={channel or 'yes'}", status_code=303)

    def _moved(self, request: Request, moved: list[Tuned]) -> list[wishview.Moved]:
        return wishview.moved_of(moved, self.replies.words(request))

    async def _page(
        self,
        request: Request,
        tenant: str,
        channel: str = "",
        sent: wishview.Sent | None = None,
        sent_goals: Mapping[str, str] = MappingProxyType({}),
        wrong_goals: Collection[str] = (),
        sent_until: str | None = None,
    ) -> Response:
        """Show the settings as they are, but for what was sent with a mistake in it."""
        words, desk = self.replies.words(request), self.desk
        told = await desk.browsers(tenant)
        named = {browser.name for browser in told}
        contacts = [one for one in await desk.contacts(tenant) if one.channel not in named]
        forms = [wishview.form_of(one, words, sent if one.channel == channel else None) for one in contacts]
        faulty = sent is not None or sent_until is not None or bool(wrong_goals)
        on, until, now = await desk.away(tenant), await desk.away_until(tenant), desk.now()
        key = await desk.push_key()
        return self.replies.page(
            request,
            "settings.html",
            422 if faulty else 200,
            # A form's own address has nothing to show to whoever changes the language there.
            address=f"{PATH}/{tenant}",
            tenant=tenant,
            away=awayview.form_of(on=on, until=until, zone=desk.zone, now=now, words=words, sent=sent_until),
            channels=forms,
            opened=channel or request.query_params.get("saved", ""),
            moved=self._moved(request, await desk.tuned(tenant)),
            goals=goalview.fields_of(
                (await desk.meters(tenant))[:GOALS], await desk.goals(tenant), words, sent_goals, wrong_goals
            ),
            browsers=[(browser.name, words.ago(browser.since, now)) for browser in told],
            push_key=key if isinstance(key, str) else "",
            saved=request.query_params.get("saved", "") if not faulty else "",
        )
