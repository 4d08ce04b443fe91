"""Dials a broker with the newest certificate that works, and takes over another one while the program runs.

1. Without true time no certificate can be judged. Dialling waits for it, `TIME_WITHIN` at most since the first dial,
   then tries as it is; the broker's certificate is judged all the same.
2. What is shown is what lies on disk. What has let us in is kept as a copy; when newer files fail three times in a row,
   the copy is shown instead (`pairs.py`).
3. `watch` looks at the files. Once others lie there that fit together, it closes the connection. Whoever used it
   connects anew, with the new ones, and sends what was under way again from the journal.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from gateway.aside import aside
from gateway.identity.pairs import Pairs
from gateway.mqtt_tls import Distrust
from gateway.seclog import note
from gateway.transport import Connect, Connection, Endpoint, Lost, NotTaken

REFUSALS = (0x86, 0x87, 0x8C)
"""CONNACK reason codes that speak of who we are: bad user, not authorised, bad authentication."""

LOOK_EVERY = 20.0
"""Seconds between two looks at the files, a third of the minute within which a new certificate is taken over."""
TIME_WITHIN = 300.0
"""Seconds after which a board that never learns the time dials all the same: it may be right."""
HOLD = 60.0
"""Seconds one dial waits for the time before it says so, and is tried again."""


class Dialler:
    """One connection's way to its broker: a `Connect` whose endpoint is always the same one."""

    def __init__(self, connect: Connect, keep: Path | None, timed: Callable[[], bool]) -> None:
        """`keep` is a folder of ours for the copy, None to keep none; `timed` tells whether the time is known."""
        self._connect, self._keep, self._timed = connect, keep, timed
        self._pairs: Pairs | None = None
        self._connection: Connection | None = None
        self._patient_until: float | None = None

    @property
    def fault(self) -> str:
        """Say why an older certificate than the newest is shown; "" when all is well."""
        return self._pairs.fault if self._pairs else ""

    async def __call__(self, endpoint: Endpoint, timeout: float = 10.0) -> Connection:
        """Connect; raises Lost, NotTaken."""
        if not endpoint.url.startswith("mqtts:"):
            return await self._connect(endpoint, timeout)
        await self._until_timed()
        pairs = self._pairs = self._pairs or Pairs(endpoint, self._keep)
        shown = pairs.choose(asyncio.get_running_loop().time())
        if shown.cert_file and not shown.cert_file.exists():
            raise Lost("this gateway has no certificate yet", "`nabd enrol show` says what to do")
        try:
            connection = await self._connect(shown, timeout)
        except (Distrust, NotTaken) as error:
            if _blames_us(error):
                pairs.failed(error.what)
                note("certificate_refused", why=error.what)
            raise
        self._connection = connection
        await aside("certificate", pairs.worked, shown)  # a worn card may take half a minute
        return connection

    async def watch(self) -> None:
        """Look at the files for ever, and close the connection when others are to be shown."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if self._connection is None or self._pairs is None:
                continue
            if await aside("certificate", self._pairs.changed):
                connection, self._connection = self._connection, None
                await connection.close()

    async def _until_timed(self) -> None:
        loop = asyncio.get_running_loop()
        if self._patient_until is None:
            self._patient_until = loop.time() + TIME_WITHIN
        until = min(loop.time() + HOLD, self._patient_until)
        while not self._timed():
            if loop.time() >= self._patient_until:
                return
            if loop.time() >= until:
                raise Lost("the time is not known yet, and certificates hold by time", "is an NTP server reachable?")
            await asyncio.sleep(1)


def _blames_us(error: Distrust | NotTaken) -> bool:
    """Tell whether another certificate or authority of ours could help."""
    if isinstance(error, NotTaken):
        return error.code in REFUSALS
    return error.cause in ("own_refused", "own_unusable", "unknown_authority", "other")
