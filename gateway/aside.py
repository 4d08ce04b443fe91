"""Runs what would hold up the loop in a thread of its own, which then ends: one that stays costs memory for good."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


async def aside(name: str, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """Do some work in a thread called `name`; raises what the work raises."""
    thread = ThreadPoolExecutor(1, thread_name_prefix=name)
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, lambda: work(*given, **named))
    finally:
        thread.shutdown(wait=False)
