"""How a command runs: tasks in one group until a signal, systemd told of it, no trace left of what was cancelled."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn

from gateway.progress import Progress
from gateway.systemd import monotonic_usec, notify, watchdog_interval

LOOK_EVERY = 5.0
"""Seconds between two looks at the progress of all tasks, at most; systemd may want a sign of life sooner."""

log = logging.getLogger("nabd")


async def run_until_signal(
    start: Callable[[asyncio.TaskGroup], Awaitable[None]],
    *,
    progress: Progress,
    goodbye: Callable[[], Coroutine[Any, Any, None]] | None = None,
    reload: Callable[[], Coroutine[Any, Any, object]] | None = None,
) -> None:
    """Start tasks in one TaskGroup and keep them until SIGTERM or SIGINT; a task that fails ends the program.

    `start` creates the tasks; `goodbye` runs after the signal, while they still do; `reload` runs at each SIGHUP, one
    after the other. systemd gets its sign of life only while `progress` names nobody.
    """
    stop, again = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = {signal.SIGTERM: stop.set, signal.SIGINT: stop.set, signal.SIGHUP: again.set}
    for number, heard in signals.items():
        loop.add_signal_handler(number, heard)
    try:
        async with asyncio.TaskGroup() as group:
            await start(group)
            group.create_task(stay_alive(progress), name="watchdog")
            group.create_task(_reload(again, reload), name="reload")
            notify("READY=1")
            await stop.wait()
            notify("STOPPING=1")
            if goodbye is not None:
                await goodbye()
            _stop()
    except* _Stopped:
        pass
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


class _Stopped(Exception):  # noqa: N818
    """Cancels the group from inside."""


def _stop() -> NoReturn:
    raise _Stopped


async def stay_alive(progress: Progress) -> None:
    """Tell systemd that all is alive, as often as it asks, but only while it is; say who stands still, once."""
    allowed = watchdog_interval()
    pause = min(allowed or LOOK_EVERY, LOOK_EVERY)
    still = False
    while True:
        overdue = progress.look()
        if not overdue:
            notify("WATCHDOG=1")
        if bool(overdue) != still:
            still = bool(overdue)
            told = "; ".join(overdue)
            notify(f"STATUS={told}")
            log.error("standstill: %s", told or "over")
        await asyncio.sleep(pause)


async def _reload(again: asyncio.Event, reload: Callable[[], Coroutine[Any, Any, object]] | None) -> None:
    while True:
        await again.wait()
        again.clear()
        notify(f"RELOADING=1\nMONOTONIC_USEC={monotonic_usec()}")
        try:
            if reload is not None:
                await reload()
        finally:
            notify("READY=1")


def set_up_logging() -> None:
    """Send warnings to standard error, one line each, without time where the system journal adds it."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
