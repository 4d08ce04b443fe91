"""Takes a changed configuration over while the program runs.

1. It is read anew, beside the loop. A bad one is refused with all that is wrong in it, and everything goes on.
2. What only a new start can change is named, and then nothing at all is changed: no half of a configuration runs.
3. Else the program's own `apply` takes it over and says what that was.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gateway.aside import aside
from gateway.config import ConfigError
from gateway.config.alerts import AlertsTable
from gateway.config.models import MeterTable, Wired
from gateway.config.table import Table
from gateway.config.virtual import VirtualTable
from gateway.seclog import note
from gateway.store.contract import StoreError
from gateway.systemd import notify

if TYPE_CHECKING:
    from gateway.config.customers import Document
    from gateway.outlook import Outlooks
    from gateway.telling import Telling
    from gateway.watch import Watch

log = logging.getLogger("nabd")

LIVE = {
    "edge": {"bus", "meter", "virtual", "alerts"},
    "home": {"bus", "meter", "virtual", "alerts", "channel", "tariff"},
    "hub": {"channel", "tariff", "alerts"},
}
"""The tables of each program that change while it runs."""

D = TypeVar("D", bound="Document")
Answer = dict[str, Any]


class Reloader(Generic[D]):
    """One program's configuration, as it runs now."""

    def __init__(
        self, config: D, reread: Callable[[], D] | None, apply: Callable[[D], Awaitable[Mapping[str, Any]]]
    ) -> None:
        """`reread` reads the file again and raises ConfigError; None where a program was started without a file."""
        self.config = config
        self._reread, self._apply = reread, apply
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> Answer:
        """Take the file over; the answer holds what changed, or `error`. Also in the log, and at systemd."""
        async with self._one_at_a_time:
            answer = await self._take_over()
        error = answer.get("error")
        if error:
            log.error("not reloaded: %s", error)
            note("config_refused", why=str(error).splitlines()[0])
        else:
            note("config_taken", changed=said_of(answer))
        said = f"not reloaded: {str(error).splitlines()[0]}" if error else "reloaded: " + said_of(answer)
        notify(f"STATUS={said}")
        return answer

    async def answer(self, _: Mapping[str, Any]) -> Answer:
        """Reload for somebody who asked at the control socket."""
        return await self.run()

    async def _take_over(self) -> Answer:
        if self._reread is None:
            return {"error": "this program does not know its file; start it anew"}
        try:
            new = await aside("reload", self._reread)  # thousands of meters take longer than a poll may wait
        except ConfigError as error:
            return {"error": str(error)}
        fixed = needs_start(self.config, new)
        if fixed:
            return {"error": f"only a new start can change {', '.join(fixed)}; nothing was changed"}
        try:
            done = {**await self._apply(new), **rules_changed(self.config, new)}
        except (ConfigError, StoreError) as error:  # a secret's file went since it was read, or the disk refuses
            return {"error": str(error)}
        self.config = new
        return done


def needs_start(old: "Document", new: "Document") -> list[str]:
    """Name the options that differ and do not change while the program runs, such as `[journal] folder`."""
    return [
        name
        for table in type(old).model_fields
        if table not in LIVE[old.kind]
        for name in _differing(table, getattr(old, table), getattr(new, table, None))
    ]


def meters_changed(old: Wired, new: Wired) -> dict[str, int]:
    """Count meters that came, went and are described otherwise, by name."""
    before, after = _meters(old), _meters(new)
    return {
        "added": len(after.keys() - before.keys()),
        "removed": len(before.keys() - after.keys()),
        "changed": sum(after[name] != before[name] for name in after.keys() & before.keys()),
    }


def _meters(config: Wired) -> dict[str, MeterTable | VirtualTable]:
    return {row.name: row for row in config.meter} | {row.name: row for row in config.virtual}


def rules_changed(old: "Document", new: "Document") -> dict[str, int]:
    """Count the tables of [alerts] that differ; nothing where none does."""
    differing = sum(getattr(old.alerts, name) != getattr(new.alerts, name) for name in type(old.alerts).model_fields)
    return {"rules": differing} if differing else {}


async def judge_by(
    alerts: AlertsTable, zone: str, watch: "Watch", outlooks: "Outlooks | None", telling: "Telling"
) -> None:
    """Let the rules of days and bills, and what prices their alerts, go by other options; raises StoreError.

    What they remember stays. An alert of a rule that was switched off ends when its meter's next day is heard.
    """
    before, offers, calendar = watch.alerts, alerts.tariff_advice.offers, alerts.calendar.of(zone)
    watch.alerts, watch.calendar = alerts, calendar
    if (before.calendar, before.tariff_advice.offers) == (alerts.calendar, offers):
        return
    if outlooks is not None:
        outlooks.calendar, outlooks.offers = calendar, offers
    telling.costs = watch.costs()
    await telling.renew()


async def again_when(changed: asyncio.Event, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run something that never ends, from its beginning whenever the event is set."""
    while True:
        changed.clear()
        task = asyncio.create_task(run())
        waiting = asyncio.create_task(changed.wait())
        try:
            await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            task.cancel()
            waiting.cancel()
            await asyncio.gather(task, waiting, return_exceptions=True)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


def _differing(table: str, old: object, new: object) -> list[str]:
    if old == new:
        return []
    if not isinstance(old, Table) or not isinstance(new, Table):
        return [f"[{table}]"]
    return [f"[{table}] {name}" for name in type(old).model_fields if getattr(old, name) != getattr(new, name, None)]


def said_of(answer: Mapping[str, Any]) -> str:
    """Say in one line what changed."""
    return ", ".join(f"{name} {count}" for name, count in answer.items() if count) or "nothing changed"
