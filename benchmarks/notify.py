"""Alerts on their way to people: how soon a real SMTP server and a real webhook have each of a hundred raised at once.

Hub database, outbox and notifier are as in the hub, with their defaults; both servers are another process.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.rig import Figure
from gateway.alerts.event import AlertEvent, alert_id
from gateway.config.customers import HubChannelTable, TellingTable
from gateway.config.values import Context
from gateway.hubdb import BlockRecord, HubDatabase
from gateway.notify.build import open_notices

SOON = 5.0
"""Seconds from event to acceptance, for 95 of 100 (architecture, promise 5)."""
GIVE_UP = 60.0


def at_once(number: int) -> list[Figure]:
    """Raise `number` critical alerts in one block, and time each until both servers have it."""
    with tempfile.TemporaryDirectory(prefix="nabd-bench-") as folder:
        return asyncio.run(_at_once(number, Path(folder)))


async def _at_once(number: int, folder: Path) -> list[Figure]:
    receivers = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.receivers", stdout=asyncio.subprocess.PIPE
    )
    assert receivers.stdout is not None
    smtp, hook = (await receivers.stdout.readline()).split()
    tables = [
        _table(folder, name="hook", kind="webhook", url=f"http://127.0.0.1:{hook.decode()}/"),
        _table(folder, name="mail", kind="smtp", url=f"smtp+plain://127.0.0.1:{smtp.decode()}", to="me@example.org"),
    ]
    database = HubDatabase(folder / "hub.sqlite")
    await database.open()
    place = TellingTable(zone="Asia/Riyadh", language="ar")
    notices = await open_notices(database.file, tables, place)
    telling = asyncio.create_task(notices.notifier("http://127.0.0.1:8080").run())
    try:
        await asyncio.sleep(1.3)  # somewhere between two looks
        started = time.time()
        await database.write([BlockRecord("home", "gw", 1, 1, 0, events=[_event(n) for n in range(number)])])
        waits = await _waits(receivers.stdout, number, started)
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        await database.close()
        receivers.terminate()
        await receivers.wait()
    return [_figure(kind, seconds, number) for kind, seconds in waits.items()]


async def _waits(lines: asyncio.StreamReader, number: int, started: float) -> dict[str, list[float]]:
    waits: dict[str, list[float]] = {"webhook": [], "smtp": []}
    seen: set[str] = set()
    try:
        async with asyncio.timeout(GIVE_UP):
            while len(seen) < 2 * number:
                kind, moment, name = (await lines.readline()).decode().split()
                if f"{kind} {name}" not in seen:
                    seen.add(f"{kind} {name}")
                    waits[kind].append(float(moment) - started)
    except TimeoutError:
        pass
    return waits


def _figure(kind: str, seconds: list[float], number: int) -> Figure:
    name = f"event → accepted by {kind}, {number} at once, p95"
    if len(seconds) < number:
        return Figure(name, f"{number - len(seconds)} never came", f"≤ {SOON:.0f} s", reached=False)
    p95 = sorted(seconds)[round(0.95 * number) - 1]
    return Figure(name, f"{p95:.2f} s (all {max(seconds):.2f} s)", f"≤ {SOON:.0f} s", p95 <= SOON)


def _table(folder: Path, **options: str) -> HubChannelTable:
    return HubChannelTable.model_validate(options, context=Context(folder, {}))


def _event(n: int) -> bytes:
    now = round(time.time() * 1000)
    event = AlertEvent(
        id=alert_id("overload", f"m{n}", now), seq=1, rule="overload", meter=f"m{n}", state="raised",
        severity="critical", raised=now, at=now, value=71.4, baseline=63.0, unit="A",
    )  # fmt: skip
    return event.encode()
