"""The telling of alerts as it runs: outbox, channels and notifier, which are made anew when the channels change.

A message that was under way then is sent once more under the same key, as after any other interruption.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from gateway.config.customers import ChannelTable, TellingTable
from gateway.notify.build import Notices, open_notices
from gateway.notify.links import Link
from gateway.notify.outbox import Acted, Outbox
from gateway.progress import Progress, beaten
from gateway.store.contract import TryAgain
from gateway.store.database import Database

if TYPE_CHECKING:
    from gateway.notify.costs import Costs
    from gateway.notify.notifier import Notifier

PAUSE = 180.0
"""Seconds the notifier may not ask for the time; it looks once a second, but for a disk that is slow or refuses."""


class Telling:
    """Who is told of alerts in one hub database, and by which ways; `costs`, set before the start, prices them."""

    def __init__(
        self,
        database: Database,
        notices: Notices,
        channels: Sequence[ChannelTable],
        place: TellingTable,
        tenant: str,
        progress: Progress,
    ) -> None:
        """`Telling.open` makes it."""
        self._database, self._notices, self._channels, self._tenant = database, notices, channels, tenant
        self._place, self._progress = place, progress
        self._changing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._group: asyncio.TaskGroup | None = None
        self._notifier: Notifier | None = None
        self._page = ""
        self.costs: Costs | None = None

    @classmethod
    async def open(
        cls,
        database: Database,
        channels: Sequence[ChannelTable],
        place: TellingTable,
        progress: Progress,
        tenant: str = "",
    ) -> Self:
        """Make ready to tell; raises StoreError, ConfigError."""
        notices = await _notices(database, channels, place, tenant, progress)
        return cls(database, notices, channels, place, tenant, progress)

    @property
    def outbox(self) -> Outbox:
        """The outbox, with the customers there are now."""
        return self._notices.outbox

    def tenants(self) -> set[str]:
        """Name whom its channels belong to."""
        return {reader.tenant for reader in self._notices.readers}

    def fault(self) -> str:
        """Say what keeps digests from being written; "" when nothing does."""
        return self._notices.digests.error or self._notices.absences.error

    @property
    def key(self) -> bytes:
        """What signs links."""
        return self._notices.key

    def start(self, group: asyncio.TaskGroup, page: str) -> None:
        """Begin to tell; `page` is the address people reach the pages by."""
        self._group, self._page = group, page
        self._notifier = self._notices.notifier(page, self.costs)
        self._task = group.create_task(self._notifier.run(), name="notifier")

    async def change(self, channels: Sequence[ChannelTable], place: TellingTable) -> dict[str, int]:
        """Tell by these channels from now on; raises ConfigError, and then goes on as before. Says how many differ."""
        differing = len(set(channels) ^ set(self._channels))
        if not differing or self._group is None:
            return {}
        await self._renew(channels, place)
        return {"channels": differing}

    async def renew(self) -> None:
        """Tell by the same channels, and by the browsers that are subscribed now; raises StoreError."""
        await self._renew(self._channels, self._place)

    async def _renew(self, channels: Sequence[ChannelTable], place: TellingTable) -> None:
        async with self._changing:
            self._notices = await _notices(self._database, channels, place, self._tenant, self._progress)
            self._channels, self._place = channels, place
            if self._task is None or self._group is None:
                return
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self.start(self._group, self._page)

    async def status(self) -> dict[str, Any]:
        """Count messages by channel and state, and say how providers stand."""
        providers = self._notifier.providers() if self._notifier is not None else {}
        return {**await self.outbox.counts(), "providers": providers}

    async def act(self, link: Link, now: int) -> Acted | TryAgain:
        """Note what somebody answered."""
        return await self._notices.outbox.act(link, now)


async def _notices(
    database: Database, channels: Sequence[ChannelTable], place: TellingTable, tenant: str, progress: Progress
) -> Notices:
    now = beaten(progress.pulse("notifier", PAUSE), time.time)
    return await open_notices(database, channels, place, tenant, now=now)
