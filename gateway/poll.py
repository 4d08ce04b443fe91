"""Asks every meter in its turn: one task a bus, fair, on time, and a dead meter costs the others next to nothing.

1. A bus of asked meters has one task. The meter whose turn is longest due goes first; a missed turn is counted and
   skipped, never made up in a burst.
2. A meter that fails three times running is set aside: it is asked again after 10 s, then 20 s, at most 60 s, so that
   it costs its bus one deadline a minute.
3. A bus of pushing meters has one task a meter; what comes faster than `every` is thinned (thin.py).
4. A lost link is opened again with full jitter, at most 10 s apart. Readings go out by `take`, at once and in order.
5. A driver that fails in a way nobody foresaw costs the meter it was reading that turn; ten times in ten minutes, and
   the meter is left alone for an hour.
6. Meters come and go while the bus runs (`change`); those that stay keep their turn, and what is still read of one
   that went is dropped.
7. Between two turns, meters that remember are asked for what an outage left open (backfill.py).
8. A bus may be lent (lending.py): after the present turn its port is closed until it is taken back.

Time is the event loop's; nothing here knows the wall clock.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from heapq import heapify, heapreplace

from drivers.contract import Driver, DriverError, HasBudget, HasHistory, Meter, NotConnected, Reading
from gateway.backfill import Backfill
from gateway.backoff import Backoff
from gateway.custody import Custody, Lent
from gateway.progress import Pulse
from gateway.thin import How, Thinner, is_own
from gateway.together import Together
from gateway.turn import Turn

FIRST_RECONNECT = 0.5
LAST_RECONNECT = 10.0
LONGEST_SLEEP = 30.0
"""Seconds a bus without work sleeps at most, so that it is seen to live."""
PATIENCE = 120.0
"""Seconds a turn may take beside the answers it waits for: a connection that fails, the pause after it."""
ANSWERS = 20
"""Deadlines one reading may use up: the largest models take ten requests, each asked again over a new connection."""


class Poller:
    """Reads the meters of one bus for ever; `take` gets each reading, `turns` shows how each meter fares."""

    def __init__(
        self,
        name: str,
        driver: Driver,
        meters: Sequence[tuple[Meter, float]],
        take: Callable[[Reading], None],
        *,
        thin: Callable[[str], How] = lambda _: "last",
        dice: random.Random | None = None,
        backfill: Backfill | None = None,
    ) -> None:
        """`meters` pairs each meter with the seconds between its readings; `thin` says how, by a meter's id.

        `backfill` fills the gaps of meters that remember, where the driver can ask them.
        """
        self.name = name
        self.connected = False
        self.reconnects = 0
        self.pulse = Pulse()
        self.turns = [Turn(0.0, index - len(meters), meter, every) for index, (meter, every) in enumerate(meters)]
        self._driver = driver
        self._past = (backfill, driver) if backfill and isinstance(driver, HasHistory) else None
        self._take = take
        self._thin = thin
        self._dice = dice
        self._asked: dict[str, list[asyncio.Future[Reading]]] = {}
        self._sleeper: asyncio.Future[None] | None = None
        self._together: Together | None = None
        self.custody = Custody(self._look_again)

    @property
    def patience(self) -> float:
        """Seconds between two beats of `pulse` at the most."""
        return PATIENCE + max((self._longest(turn.meter) for turn in self.turns), default=0.0)

    async def run(self) -> None:
        """Connect, read, connect again; ends only when cancelled, and then lets the bus go."""
        backoff = Backoff(FIRST_RECONNECT, LAST_RECONNECT, self._dice)
        try:
            while True:
                self.pulse.alive()
                await self.custody.open()
                try:
                    await self._driver.connect()
                    self.connected = True
                    backoff.reset()
                    await (self._ask_in_turn() if self._driver.turns == "asked" else self._listen())
                except Lent as lent:
                    self._refuse(str(lent))
                except NotConnected as error:
                    self._note_all(str(error))
                except Exception as error:  # noqa: BLE001  in connect or a pushing meter: it costs its own bus only
                    self._note_all(f"{type(error).__name__} in the driver: {error}")
                self.connected = False
                await self._driver.close()
                self.custody.closed()
                if not self.custody.lent:
                    self.reconnects += 1
                    await asyncio.sleep(backoff.next())
        finally:
            await self._driver.close()
            self.custody.closed()

    async def read_now(self, meter_id: str) -> Reading:
        """Give the meter's next reading, moved to the front of its bus; raises DriverError or KeyError."""
        turn = next((turn for turn in self.turns if turn.meter.id == meter_id), None)
        if turn is None:
            raise KeyError(meter_id)
        self.custody.check()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Reading] = loop.create_future()
        self._asked.setdefault(meter_id, []).append(future)
        turn.due = min(turn.due, loop.time())
        heapify(self.turns)
        self._look_again()
        return await future

    def change(self, meters: Sequence[tuple[Meter, float]]) -> None:
        """Go on with these meters, paired with the seconds between their readings."""
        now = asyncio.get_running_loop().time()
        old = {turn.meter.id: turn for turn in self.turns}
        turns, new = [], []
        for index, (meter, every) in enumerate(meters):
            turn = old.get(meter.id)
            if turn is None or turn.meter != meter:
                turn = Turn(now, index - len(meters), meter, every)
                new.append(turn)
            elif turn.every != every:
                turn.every, turn.due = every, min(turn.due, now + every)
            turns.append(turn)
        for turn in old.values():
            if not any(turn is stays for stays in turns):
                turn.gone = True
                self._answer(turn.meter.id, DriverError("its configuration was changed", meter=turn.meter.id))
                if self._past:
                    self._past[0].forget(turn.meter, next((m for m, _ in meters if m.id == turn.meter.id), None))
        self.turns[:] = turns
        heapify(self.turns)
        self._look_again()
        if self._together is not None:
            for turn in new:
                self._together.start(self._listen_to(turn), f"listen[{turn.meter.id}]")

    def _longest(self, meter: Meter) -> float:
        budget = self._driver.budget(meter) if isinstance(self._driver, HasBudget) else 0.0
        return max(budget, ANSWERS * meter.deadline)

    def _look_again(self) -> None:
        if self._sleeper is not None:
            _wake(self._sleeper)

    async def _ask_in_turn(self) -> None:
        loop = asyncio.get_running_loop()
        self._start(loop.time())
        turns = self.turns
        while True:
            self.pulse.turns += 1
            self.custody.check()
            if self._past and await self._past[0].fill(self._past[1], turns, self._take):
                continue
            if not turns or turns[0].due > loop.time():
                soon = loop.time() + LONGEST_SLEEP
                await self._sleep_until(min(turns[0].due, soon) if turns else soon)
                continue
            turn = turns[0]
            await self._read(turn, loop)
            if turns and turns[0] is turn:
                heapreplace(turns, turn)
            else:  # another meter moved to the front meanwhile, or this one is gone
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
        if not turn.gone:
            turn.succeeded(loop.time())
            if self._past:
                self._past[0].heard(reading, turn.every)
            self._hand_on(reading)

    async def _listen(self) -> None:
        self._start(asyncio.get_running_loop().time())
        together = self._together = Together()
        try:
            together.start(self.custody.until_wanted(), "lend")
            for turn in self.turns:
                together.start(self._listen_to(turn), f"listen[{turn.meter.id}]")
            await together.until_one_fails()
        finally:
            self._together = None

    async def _listen_to(self, turn: Turn) -> None:
        loop = asyncio.get_running_loop()
        thinner, name = Thinner(), turn.meter.id
        while True:
            self.pulse.turns += 1
            try:
                reading = await self._driver.read(turn.meter)
            except NotConnected:
                # The last registers before a silence of unknown length.
                if rest := thinner.give(self._thin(name)):
                    self._hand_on(rest)
                raise
            except DriverError as error:
                turn.stayed_silent(str(error))
                self._answer(name, error)
                continue
            if turn.gone:
                return
            if not is_own(reading):
                thinner.add(reading)
                # A tenth of the interval is allowed for a meter that talks a little early.
                if turn.due - loop.time() > turn.every / 10 and name not in self._asked:
                    continue
                reading = thinner.give(self._thin(name)) or reading
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
        self._refuse(error)

    def _refuse(self, error: str) -> None:
        for meter_id in list(self._asked):
            self._answer(meter_id, NotConnected(error, meter=meter_id))


def _wake(sleeper: "asyncio.Future[None]") -> None:
    if not sleeper.done():
        sleeper.set_result(None)
