"""An event loop whose clock jumps to the next timer instead of waiting: hours of polling in milliseconds."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Never waits: when nothing is ready, time moves on by the timeout."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Look at once; move the clock when there was nothing."""
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on virtual time."""
    selector = _Selector()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now  # type: ignore[method-assign]
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(work)
