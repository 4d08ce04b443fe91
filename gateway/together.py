"""Tasks that stand and fall together, for loops that go on after a failure.

A TaskGroup would do, but for one thing: when a child fails at the moment its own task is cancelled, Python 3.11 raises
the failure and forgets the cancellation, and a loop that handles the failure never ends.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Together:
    """Starts tasks; the first that fails ends all of them. Belongs to the task that awaits `until_one_fails`."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Start a task; one that simply ends disturbs nobody."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def until_one_fails(self) -> None:
        """Wait for the first failure, end the others and raise it; never returns otherwise."""
        try:
            await self._failed
        finally:
            if not self._failed.done():
                self._failed.cancel()
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self._failed.done():
            self._failed.set_exception(error)
