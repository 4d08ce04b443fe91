"""Answers `nabd web` on the control socket: makes links, lists sessions and ends them, notes that somebody moved in."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.control import Answer
from gateway.desk import Desk
from gateway.message import ID
from gateway.store.contract import TryAgain
from gateway.web.access import OPERATOR, Door
from gateway.web.serve import Served

_Question = Callable[[Served, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True)
class Doorkeeper:
    """Keeps the doors of pages; `pages` gives those once they are served, `tenant` is that of a house, "" on a hub."""

    pages: Callable[[], Served | None]
    desk: Desk
    tenant: str = ""

    def answers(self) -> dict[str, Answer]:
        """Name the questions it answers."""
        questions = {"link": self._link, "sessions": self._sessions, "revoke": self._revoke, "move_in": self._move_in}
        return {name: partial(self._answer, question) for name, question in questions.items()}

    async def _answer(self, question: _Question, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        served = self.pages()
        return {"error": "the pages are not served yet"} if served is None else await question(served, asked)

    async def _link(self, served: Served, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make a link: the operator's unless a tenant or the role of a customer is asked for."""
        tenant, role = str(asked.get("tenant") or ""), asked.get("role")
        if role == "operator" and tenant:
            return {"error": "an operator sees every home: leave --tenant away"}
        if not tenant and role != "customer":
            return _to(served, OPERATOR)
        tenant = tenant or self.tenant
        if wrong := self._wrong(tenant):
            return {"error": wrong}
        return _to(served, Door("customer", tenant))

    async def _sessions(self, served: Served, _: Mapping[str, Any]) -> Mapping[str, Any]:
        found = served.access.sessions()
        rows = [
            {"session": name, "role": one.role, "tenant": one.tenant, "begun": one.begun, "used": one.used}
            for name, one in found.items()
        ]
        return {"sessions": sorted(rows, key=lambda row: -int(row["used"]))}

    async def _revoke(self, served: Served, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """End a session by its name, or all of a tenant's."""
        tenant, session = asked.get("tenant"), asked.get("session")
        if (tenant is None) == (session is None):
            return {"error": "name a session or a tenant"}
        return {"ended": served.access.end(tenant, session)}

    async def _move_in(self, served: Served, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Note that somebody else lives at a tenant's; who still has a channel there must leave the configuration."""
        tenant = str(asked.get("tenant") or self.tenant)
        if wrong := self._wrong(tenant):
            return {"error": wrong}
        try:
            moved = await self.desk.move_in(tenant, str(asked.get("since")))
        except ValueError:
            return {"error": "say from which day on, such as --since 2026-11-01"}
        ended = served.access.end(tenant)  # also where not all could be noted: nobody of before stays in
        if isinstance(moved, TryAgain):
            return {"error": moved.why}
        channels = [contact.channel for contact in await self.desk.contacts(tenant)]
        return {"ended": ended, "channels": channels}

    def _wrong(self, tenant: str) -> str:
        """Say what is wrong with a tenant's name; "" when nothing is."""
        if not tenant:
            return "name whose home: --tenant NAME"
        if self.tenant and tenant != self.tenant:
            return f"this house is {self.tenant!r}; only a hub has several tenants"
        return (
            ""
            if re.fullmatch(ID, tenant)
            else f"{tenant!r} is no name of a tenant: letters, digits, _ and -, 64 at the most"
        )


def _to(served: Served, door: Door) -> dict[str, str]:
    """Give a link, and by what a browser knows the pages' own certificate."""
    return {"link": served.link(door)} | ({"fingerprint": served.tls.fingerprint} if served.tls else {})
