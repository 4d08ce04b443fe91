"""Borrows a port from the running programs that read it, and gives it back: gateway/lending.py is the other side.

The lease is short and renewed while the search goes on, so that a search that hangs holds nobody up for long.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from gateway import control

LEASE = 60.0
PATIENCE = 300.0
"""Seconds to wait for the end of the present turn: a full list at 300 baud takes two minutes and a half."""
RENEWALS = 3
"""So often a lease is renewed before it would run out."""


class NotLent(Exception):  # noqa: N818
    """A running program keeps the port; the text says why, and what to do."""


@asynccontextmanager
async def borrowed(sockets: Iterable[Path], where: str, tell: Callable[[str], None]) -> AsyncIterator[None]:
    """Have a port to oneself while the block runs; raises NotLent. `tell` hears whom we wait for, and who lent it."""
    async with AsyncExitStack() as stack:
        for socket in sockets:
            await _borrow(stack, socket, where, tell)
        yield


async def _borrow(stack: AsyncExitStack, socket: Path, where: str, tell: Callable[[str], None]) -> None:
    question = {"do": "lend", "where": where, "seconds": LEASE}
    try:
        put = await stack.enter_async_context(control.talking(socket, PATIENCE))
        tell("waiting for the running program to lend it")
        answer = await put(question)
    except control.NobodyThere:
        return
    if "error" in answer:
        raise NotLent(f"a running program reads it ({answer['error']}); stop it, or scan another port")
    if answer["lent"]:
        tell(f"lent by the running program, which does not read {', '.join(answer['lent'])} meanwhile")
        renewing = asyncio.create_task(_renew(put, question), name="renew the lease")
        stack.callback(renewing.cancel)


async def _renew(put: control.Put, question: dict[str, object]) -> None:
    with suppress(control.NobodyThere):  # it ended: the port is free
        while True:
            await asyncio.sleep(LEASE / RENEWALS)
            await put(question)
