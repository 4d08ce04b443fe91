"""How a command runs: tasks in one group until a signal, systemd told of it, no trace left of what was cancelled."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn

from gateway.systemd import notify, watchdog_interval


async def run_until_signal(
    start: Callable[[asyncio.TaskGroup], Awaitable[None]],
    *,
    goodbye: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """Start tasks in one TaskGroup and keep them until SIGTERM or SIGINT; a task that fails ends the program.

    `start` creates the tasks; `goodbye` runs after the signal, while they still do.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with asyncio.TaskGroup() as group:
            await start(group)
            group.create_task(_stay_alive(), name="watchdog")
            notify("READY=1")
            await stop.wait()
            notify("STOPPING=1")
            if goodbye is not None:
                await goodbye()
            _stop()
    except* _Stopped:
        pass
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


class _Stopped(Exception):  # noqa: N818
    """Cancels the group from inside."""


def _stop() -> NoReturn:
    raise _Stopped


async def _stay_alive() -> None:
    interval = watchdog_interval()
    while interval:
        notify("WATCHDOG=1")
        await asyncio.sleep(interval)


def set_up_logging() -> None:
    """Send warnings to standard error, one line each, without time where the system journal adds it."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
