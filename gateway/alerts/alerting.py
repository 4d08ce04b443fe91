"""Alerting at the edge: readings in, events into the journal, state kept, time told to the engine.

1. `hear` is the intake's last step: what a reading raises is in the journal before the next one is read.
2. `run` lets time pass. When it jumped (the clock was set, the process stood still, the gateway was off), no meter is
   blamed for the silence in between.
3. States are written with each event, every quarter of an hour, sooner where much is read, and at the end.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from drivers.contract import Number
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent
from gateway.alerts.state import encode, restore
from gateway.check import Checker, Interval, Limits
from gateway.journal import Journal

TICK = 10.0
"""Seconds between looks at the time; silence is counted in quarters of an hour."""
JUMP_MS = 60_000
"""Time that passed between two looks without us: six of them."""
KEEP_EVERY = 900.0
HEARD_AGAIN = 20_000
"""Readings a start may have to hear again, a second or two of work: after so many, states are written sooner."""

Listener = Callable[[AlertEvent], None]


class Alerting:
    """The engine of one gateway; `listeners` are told of each event once it is in the journal.

    `unheard` names the meters that nobody listens to now, as their bus is lent.
    """

    def __init__(self, engine: Engine, journal: Journal, now: Callable[[], int | None], checker: Checker) -> None:
        """`now` gives UTC ms, or None while nobody knows; `checker` is the one that the intake asks."""
        self.engine, self.checker = engine, checker
        self.listeners: list[Listener] = []
        self.unheard: Callable[[], Collection[str]] = tuple
        self.told = 0
        self._journal, self._now = journal, now
        self._looked = self._heard = 0

    @classmethod
    async def open(
        cls, engine: Engine, journal: Journal, now: Callable[[], int | None], limits: Mapping[str, Limits]
    ) -> "Alerting":
        """Go on where the journal says the last one stopped; raises JournalError."""
        restored = await restore(journal, engine, limits)
        alerting = cls(engine, journal, now, restored.checker)
        alerting._looked = restored.alive
        alerting._tell(restored.events)
        alerting.look()
        alerting.keep()
        return alerting

    def hear(
        self,
        meter: str,
        ts: int,
        q: int,
        values: Mapping[str, Number],
        intervals: Iterable[Interval],
        status: Sequence[str] = (),
    ) -> None:
        """Take a reading that is in the journal, the intervals it closed, and the meter's flags."""
        self._heard += 1
        events = self.engine.hear(meter, ts, q, values, intervals, status)
        if events:
            self._tell(events)

    async def run(self) -> None:
        """Let time pass, for ever."""
        loop = asyncio.get_running_loop()
        kept = loop.time()
        while True:
            await asyncio.sleep(TICK)
            self.look()
            if loop.time() - kept >= KEEP_EVERY or self._heard >= HEARD_AGAIN:
                kept = loop.time()
                self.keep()

    def look(self) -> None:
        """Tell the engine the time."""
        now = self._now()
        if now is None:
            return
        if not 0 <= now - self._looked <= JUMP_MS:
            self.engine.excuse(self._looked, now)
        elif meters := self.unheard():
            self.engine.excuse(self._looked, now, meters)
        self._looked = now
        self._tell(self.engine.tick(now))

    def keep(self) -> None:
        """Write down what is remembered of all meters."""
        check = self.checker.snapshot()
        states = {meter: encode(check, self.engine, meter, self._looked) for meter in self.engine.meters}
        self._journal.keep(states, all=True)
        self._heard = 0

    def _tell(self, events: Iterable[AlertEvent]) -> None:
        """Journal events, with the states they came from, then tell them on."""
        events = list(events)
        if not events:
            return
        for event in events:
            self._journal.add_event(event.encode())
        check = self.checker.snapshot()
        meters = {event.meter for event in events}.intersection(self.engine.meters)
        self._journal.keep({meter: encode(check, self.engine, meter, self._looked) for meter in sorted(meters)})
        self.told += len(events)
        for event in events:
            for listener in self.listeners:
                listener(event)
