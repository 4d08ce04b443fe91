"""Asks every meter in its turn: one task a bus, fair, on time, and a dead meter costs the others next to nothing.

1. A bus of asked meters has one task. The meter whose turn is longest due goes first; a missed turn is counted and
   skipped, never made up in a burst.
2. A meter that fails three times running is set aside: it is asked again after 10 s, then 20 s, at most 60 s, so that
   it costs its bus one deadline a minute.
3. A bus of pushing meters has one task a meter; what comes faster than `every` is thinned to the last of each interval.
4. A lost link is opened again with full jitter, at most 10 s apart. Readings go out by `take`, at once and in order.
5. A driver that fails in a way nobody foresaw costs the meter it was reading that turn; ten times in ten minutes, and
   the meter is left alone for an hour.

Time is the event loop's; nothing here knows the wall clock.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heapreplace

from drivers.contract import Driver, DriverError, Meter, NotConnected, Reading
from gateway.backoff import Backoff
from gateway.together import Together

SET_ASIDE_AFTER = 3
FIRST_PROBE = 10.0
LAST_PROBE = 60.0
FIRST_RECONNECT = 0.5
LAST_RECONNECT = 10.0
CRASHES = 10
CRASH_MEMORY = 600.0
QUARANTINE = 3600.0


@dataclass(order=True)
class Turn:
    """One meter's place in its bus's order, and how it has fared. Times are the event loop's, in seconds.

    Among turns due at one moment the meter that waited longest goes first (`tried` is when it was last asked).
    """

    due: float
    tried: float
    meter: Meter = field(compare=False)
    every: float = field(compare=False)
    read: int = field(default=0, compare=False)
    missed: int = field(default=0, compare=False)
    failed: int = field(default=0, compare=False)
    failing: int = field(default=0, compare=False)
    last: float | None = field(default=None, compare=False)
    error: str = field(default="", compare=False)
    crashes: deque[float] = field(default_factory=lambda: deque(maxlen=CRASHES), compare=False)
    quarantined: bool = field(default=False, compare=False)

    @property
    def set_aside(self) -> bool:
        """Whether the meter is only probed for now."""
        return self.failing >= SET_ASIDE_AFTER

    def succeeded(self, now: float) -> None:
        """Count a reading and find the next turn on the meter's own grid."""
        self.tried = now
        self.read += 1
        self.failing = 0
        self.error = ""
        self.quarantined = False
        self.last = now
        self.due += self.every
        if not self.every:  # asked without pause
            self.due = now
        elif self.due < now:
            late = int((now - self.due) / self.every) + 1
            self.missed += late
            self.due += late * self.every

    def stayed_silent(self, error: str) -> None:
        """Count a failure of a meter that nobody asks."""
        self.failed += 1
        self.failing += 1
        self.error = error

    def went_wrong(self, now: float, error: str) -> None:
        """Count a failure; after three the meter is set aside."""
        self.tried = now
        self.stayed_silent(error)
        if self.set_aside:
            pause = min(FIRST_PROBE * 2 ** min(self.failing - SET_ASIDE_AFTER, 10), LAST_PROBE)
            self.due = now + max(pause, self.every)
        else:
            self.due = max(now, self.due + self.every)

    def crashed(self, now: float, error: Exception) -> None:
        """Count a mistake of the driver's; the tenth in ten minutes puts the meter into quarantine."""
        self.went_wrong(now, f"{type(error).__name__} in the driver: {error}")
        self.crashes.append(now)
        if len(self.crashes) == CRASHES and now - self.crashes[0] <= CRASH_MEMORY:
            self.quarantined = True
            self.due = now + QUARANTINE
            self.crashes.clear()


class Poller:
    """Reads the meters of one bus for ever; `take` gets each reading, `turns` shows how each meter fares."""

    def __init__(
        self,
        name: str,
        driver: Driver,
        meters: Sequence[tuple[Meter, float]],
        take: Callable[[Reading], None],
        *,
        dice: random.Random | None = None,
    ) -> None:
        """`meters` pairs each meter with the seconds between its readings."""
        self.name = name
        self.connected = False
        self.reconnects = 0
        self.turns = [Turn(0.0, index - len(meters), meter, every) for index, (meter, every) in enumerate(meters)]
        self._driver = driver
        self._take = take
        self._dice = dice
        self._asked: dict[str, list[asyncio.Future[Reading]]] = {}
        self._sleeper: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Connect, read, connect again; ends only when cancelled, and then lets the bus go."""
        backoff = Backoff(FIRST_RECONNECT, LAST_RECONNECT, self._dice)
        try:
            while True:
                try:
                    await self._driver.connect()
                    self.connected = True
                    backoff.reset()
                    await (self._ask_in_turn() if self._driver.turns == "asked" else self._listen())
                except NotConnected as error:
                    self._note_all(str(error))
                except Exception as error:  # noqa: BLE001  in connect or a pushing meter: it costs its own bus only
                    self._note_all(f"{type(error).__name__} in the driver: {error}")
                self.connected = False
                self.reconnects += 1
                await self._driver.close()
                await asyncio.sleep(backoff.next())
        finally:
            await self._driver.close()

    async def read_now(self, meter_id: str) -> Reading:
        """Give the meter's next reading, moved to the front of its bus; raises DriverError or KeyError."""
        turn = next((turn for turn in self.turns if turn.meter.id == meter_id), None)
        if turn is None:
            raise KeyError(meter_id)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Reading] = loop.create_future()
        self._asked.setdefault(meter_id, []).append(future)
        turn.due = min(turn.due, loop.time())
        heapify(self.turns)
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)
        return await future

    async def _ask_in_turn(self) -> None:
        loop = asyncio.get_running_loop()
        self._start(loop.time())
        turns = self.turns
        while True:
            turn = turns[0]
            if turn.due > loop.time():
                await self._sleep_until(turn.due)
                continue
            await self._read(turn, loop)
            if turns[0] is turn:
                heapreplace(turns, turn)
            else:  # read_now moved another meter to the front meanwhile
                heapify(turns)

    def _start(self, now: float) -> None:
        """Make every meter due that is not set aside, in the order of the configuration."""
        for turn in self.turns:
            turn.due = max(turn.due, now)
        heapify(self.turns)

    async def _sleep_until(self, when: float) -> None:
        loop = asyncio.get_running_loop()
        self._sleeper = loop.create_future()
        handle = loop.call_at(when, _wake, self._sleeper)
        try:
            await self._sleeper
        finally:
            handle.cancel()

    async def _read(self, turn: Turn, loop: asyncio.AbstractEventLoop) -> None:
        try:
            reading = await self._driver.read(turn.meter)
        except NotConnected as error:
            turn.went_wrong(loop.time(), error.what)
            self._answer(turn.meter.id, error)
            raise
        except DriverError as error:
            turn.went_wrong(loop.time(), str(error))
            self._answer(turn.meter.id, error)
            return
        except Exception as error:  # noqa: BLE001  a driver's bug must cost its own meter only, and be seen
            turn.crashed(loop.time(), error)
            self._answer(turn.meter.id, DriverError(turn.error, "report this, with the meter's model"))
            return
        turn.succeeded(loop.time())
        self._hand_on(reading)

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._start(loop.time())
        together = Together()
        for turn in self.turns:
            together.start(self._listen_to(turn, loop), f"listen[{turn.meter.id}]")
        await together.until_one_fails()

    async def _listen_to(self, turn: Turn, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            try:
                reading = await self._driver.read(turn.meter)
            except NotConnected:
                raise
            except DriverError as error:
                turn.stayed_silent(str(error))
                self._answer(turn.meter.id, error)
                continue
            # A tenth of the interval is allowed for a meter that talks a little early.
            early = turn.due - loop.time() > turn.every / 10
            if early and reading.captured is None and turn.meter.id not in self._asked:
                continue
            turn.succeeded(loop.time())
            self._hand_on(reading)

    def _hand_on(self, reading: Reading) -> None:
        self._take(reading)
        if self._asked:
            for future in self._asked.pop(reading.meter, ()):
                if not future.done():
                    future.set_result(reading)

    def _answer(self, meter_id: str, error: DriverError) -> None:
        for future in self._asked.pop(meter_id, ()):
            if not future.done():
                future.set_exception(error)

    def _note_all(self, error: str) -> None:
        for turn in self.turns:
            turn.error = error
        for meter_id in list(self._asked):
            self._answer(meter_id, NotConnected(error, meter=meter_id))


def _wake(sleeper: "asyncio.Future[None]") -> None:
    if not sleeper.done():
        sleeper.set_result(None)
