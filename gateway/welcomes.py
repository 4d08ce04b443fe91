"""Greets new meters at the hub (X11): a look a minute at the newest readings, until each meter's first day is over.

1. Meters that were enrolled before this part first started are known of old: they are never greeted.
2. What is remembered of a meter stays, also when it leaves and comes again: it is greeted once.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from math import isfinite
from sqlite3 import Connection

from drivers.contract import Number
from gateway.alerts.life import Life, alarmed, ended
from gateway.alerts.rule import Alarm
from gateway.alerts.rules.welcome import OVER, State, Welcome
from gateway.hubdb import HubDatabase
from gateway.live import LiveMeter
from gateway.remembered import Listener, Name, Remembered, Told, pack, unpack
from gateway.store.contract import TryAgain

EVERY = 60.0


class Welcomes:
    """Follows the meters a hub shows; `listeners` hear each event once it is in the database."""

    def __init__(self, hub: HubDatabase, meters: Callable[[], Sequence[LiveMeter]], tenant: str = "") -> None:
        """`hub` says whose a meter is, `meters` gives each one's newest reading; `tenant` owns those that name none."""
        self.listeners: list[Listener] = []
        self._hub, self._meters, self._tenant, self._rule = hub, meters, tenant, Welcome()
        self._remembered = Remembered(hub.file, "welcomed")
        self._known: dict[Name, tuple[State, Life]] = {}

    async def open(self) -> None:
        """Take up what is remembered; raises StoreError."""
        for name, body in (await self._remembered.open(_of_old)).items():
            state, life = unpack(body)[Welcome.name]
            self._known[name] = State(*state), life

    async def run(self) -> None:
        """Look now and then; ends only when cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Judge what is shown now; what the disk refuses is judged again at the next look."""
        changed: dict[Name, tuple[State, Life]] = {}
        told: list[Told] = []
        for meter in self._meters():
            tenant = meter.tenant or self._tenant
            name, gw = (tenant, meter.id), self._hub.owner(tenant, meter.id)
            state, life = self._known.get(name, (self._rule.start, Life()))
            if gw is None or not meter.ts or state.stage == OVER:
                continue
            new, finding = self._rule.reading(state, meter.ts, meter.q, _numbers(meter.values))
            if new == state:
                continue
            event = None
            if isinstance(finding, Alarm):
                life, event = alarmed(life, Welcome.name, meter.id, finding, meter.ts, 0.0)
            elif finding is not None:
                life, event = ended(life, Welcome.name, meter.id, finding, meter.ts, 0.0)
            changed[name] = new, life
            told += [Told(tenant, gw, event)] if event is not None else []
        if changed:
            await self._keep(changed, told)

    async def _keep(self, changed: Mapping[Name, tuple[State, Life]], told: Iterable[Told]) -> None:
        rows = {name: pack({Welcome.name: row}) for name, row in changed.items()}
        if isinstance(await self._remembered.keep(rows, told), TryAgain):
            return
        self._known |= changed
        for one in told:
            for listener in self.listeners:
                listener(one.tenant, one.event)


def _of_old(connection: Connection) -> dict[Name, bytes]:
    """Count every meter there is as greeted."""
    done = pack({Welcome.name: (State(stage=OVER), Life())})
    return dict.fromkeys(connection.execute("SELECT tenant, meter FROM meter"), done)


def _numbers(values: Mapping[str, Number | str]) -> dict[str, Number]:
    """Read a live document's values; what is no number is left out."""
    numbers: dict[str, Number] = {}
    for key, value in values.items():
        with suppress(ValueError, OverflowError):
            number = float(value)
            if isfinite(number):
                numbers[key] = number
    return numbers
