"""What the pages ask of a hub and tell it: the wishes of its customers, the story of an alert, what its operator sees.

Whatever is changed here is written in the hub database before the answer comes, and `wake` is called, so that gateways
hear of it at once.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

import orjson

from gateway.hubdb import EnrolledMeter
from gateway.hubdb_sql import METERS
from gateway.message import MeterInfo
from gateway.moves import Moves
from gateway.notify import answers_sql, browsers, outbox_sql
from gateway.notify.answers import Answers, CallBack, reset, tuning_of
from gateway.notify.browsers import Browser
from gateway.notify.goals import Goal, goals_of, set_goal
from gateway.notify.outbox import AlertState
from gateway.notify.retune import Tuning
from gateway.notify.router import Contact
from gateway.notify.story import Step, story_of
from gateway.notify.wishes import Wishes
from gateway.reset.wanted import Reset
from gateway.store.contract import StoreError, TryAgain
from gateway.store.database import Database
from gateway.teller import Faults
from gateway.telling import Telling

Wished = Literal["done", "unknown", "unsafe"] | TryAgain


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a customer's answers changed in the rules of one meter."""

    meter: str
    name: str
    tuning: Tuning


def _nobody() -> None:
    """Wake nobody."""


@dataclass(frozen=True)
class Desk:
    """One hub's customers and its operator; `now` gives UTC ms, `wake` hurries the settings to the gateways.

    `faults` names what can be wrong, `certificate` says until when the hub's own holds,
    `forgetting` lets a house forget everything.
    """

    telling: Telling
    database: Database
    zone: ZoneInfo
    now: Callable[[], int]
    wake: Callable[[], None] = _nobody
    faults: Faults | None = None
    certificate: Callable[[], Mapping[str, object]] = dict
    moves: Moves | None = None
    forgetting: Reset | None = None

    async def open(self) -> None:
        """Take up what is known of moves; raises StoreError."""
        if self.moves is not None:
            await self.moves.open()

    async def tenants(self) -> list[str]:
        """List whose channels or meters are known."""
        known = await self.database.read(lambda c: [row[0] for row in c.execute(answers_sql.TENANTS)])
        return sorted({*known, *self.telling.tenants()})

    async def contacts(self, tenant: str) -> Sequence[Contact]:
        """Give a customer's channels as they are wished by now, without those of programs."""
        return [contact for contact in await self.telling.outbox.contacts(tenant) if not contact.machine]

    async def wish(self, tenant: str, channel: str, wishes: Wishes) -> Wished:
        """Keep what a customer chose for a channel; "unsafe" when nobody would hear any more of what is critical."""
        return await self.telling.outbox.wish(tenant, channel, wishes, self.now())

    async def move_in(self, tenant: str, day: str) -> TryAgain | None:
        """Let somebody else live at a tenant's from a day on, such as 2026-11-01; raises ValueError, StoreError."""
        if self.moves is None:
            return TryAgain("this program keeps no customers")
        refused = await self.moves.move_in(tenant, day, self.now())
        self.wake()
        return refused if refused is not None else await self._renew()

    async def away(self, tenant: str) -> bool:
        """Tell whether nobody is at home at a tenant's."""
        return await Answers(self.database).away(tenant)

    async def away_until(self, tenant: str) -> int | None:
        """Give until when (UTC ms) nobody is at home, where that is known."""
        return await Answers(self.database).away_until(tenant)

    async def set_away(self, tenant: str, *, away: bool, until: int | None = None) -> TryAgain | None:
        """Say that nobody is at home, if named until a moment, or that somebody is again."""
        refused = await Answers(self.database).set_away(tenant, self.now(), away=away, until=until)
        self.wake()
        return refused

    async def tuned(self, tenant: str) -> list[Tuned]:
        """List the meters whose rules a customer's answers moved."""

        def work(connection: sqlite3.Connection) -> list[Tuned]:
            rows = connection.execute(outbox_sql.METERS_OF, (tenant,)).fetchall()
            every = [
                Tuned(meter, _name(info, meter), tuning_of(connection, tenant, meter, self.zone, self.now()))
                for meter, info in rows
            ]
            return [one for one in every if one.tuning != Tuning()]

        return await self.database.read(work)

    async def reset(self, tenant: str, meter: str, rule: str) -> TryAgain | None:
        """Let a rule at a meter forget what was answered to its alerts."""
        refused = await self.database.write(lambda c: reset(c, tenant, meter, rule, self.now()))
        self.wake()
        return refused

    async def find(self, tenant: str, alert: str) -> AlertState | None:
        """Give a tenant's alert by its id."""
        return await self.telling.outbox.alert(tenant, alert)

    def since(self, tenant: str) -> int:
        """Give the UTC ms from which on a tenant's data are the present customer's; 0 where nobody ever moved."""
        return self.moves.since(tenant) if self.moves is not None else 0

    async def story(self, tenant: str, alert: str) -> list[Step]:
        """Tell what was done about an alert, first to last."""
        return await self.database.read(lambda c: story_of(c, tenant, alert))

    async def names(self, tenant: str) -> dict[str, str]:
        """Give what a tenant's meters are called."""
        rows = await self.database.read(lambda c: c.execute(outbox_sql.METERS_OF, (tenant,)).fetchall())
        return {meter: _name(info, meter) for meter, info in rows}

    async def meters(self, tenant: str) -> list[EnrolledMeter]:
        """List a tenant's meters."""
        rows = await self.database.read(lambda c: c.execute(METERS, (tenant,)).fetchall())
        return [EnrolledMeter(id_, gw, kind, MeterInfo.model_validate_json(info)) for id_, gw, kind, info in rows]

    async def goals(self, tenant: str) -> dict[str, float]:
        """Give a customer's goals by meter, in base units a week."""
        return {goal.meter: goal.amount for goal in await self.database.read(lambda c: goals_of(c, tenant))}

    async def set_goals(self, tenant: str, goals: Mapping[str, float]) -> TryAgain | None:
        """Set goals by meter; 0 takes one away."""

        def work(connection: sqlite3.Connection) -> None:
            for meter, amount in goals.items():
                set_goal(connection, tenant, Goal(meter, amount), self.now())

        return await self.database.write(work)

    async def push_key(self) -> str | TryAgain:
        """Give the public key by which browsers know our pushes."""
        # Looking at a page writes nothing, but for the first time.
        kept = await self.database.read(browsers.kept_key)
        key = kept if kept is not None else await self.database.write(browsers.key_of)
        return key if isinstance(key, TryAgain) else browsers.public_of(key)

    async def browsers(self, tenant: str) -> list[Browser]:
        """List the browsers that a customer is told by."""
        return [one for one in await self.database.read(browsers.every) if one.tenant == tenant]

    async def subscribe(self, tenant: str, body: str, language: Literal["en", "ar"], origin: str) -> TryAgain | None:
        """Tell a browser from now on; raises NoSubscription."""
        browser = Browser(tenant, browsers.name_of(body), body, language, origin, self.now())
        refused = await self.database.write(lambda c: browsers.add(c, browser))
        return refused if isinstance(refused, TryAgain) else await self._renew()

    async def unsubscribe(self, tenant: str, name: str) -> bool | TryAgain:
        """Tell a browser no longer; False when it was not told."""
        known = await self.database.write(lambda c: browsers.remove(c, tenant, name))
        if known is True and (refused := await self._renew()) is not None:
            return refused
        return known

    async def _renew(self) -> TryAgain | None:
        try:
            await self.telling.renew()
        except StoreError as error:
            return TryAgain(str(error))
        return None

    async def calls(self) -> list[CallBack]:
        """List who waits to be called, the longest waiting first."""
        return await Answers(self.database).calls()

    async def called(self, tenant: str, alert: str) -> bool | TryAgain:
        """Note that somebody called; False when nobody waited for it."""
        return await Answers(self.database).called(tenant, alert, self.now())

    async def providers(self) -> Mapping[str, Mapping[str, Any]]:
        """Say how the providers of channels stand."""
        return (await self.telling.status())["providers"]  # type: ignore[no-any-return]

    def troubles(self) -> dict[str, str]:
        """Name what is wrong now."""
        said = {name: fault() for name, fault in (self.faults or {}).items()}
        return {name: fault for name, fault in said.items() if fault}


def _name(info: bytes, meter: str) -> str:
    return str(orjson.loads(info).get("name") or meter)
