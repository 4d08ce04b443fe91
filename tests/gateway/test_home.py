"""The house as it leaves; the rest of it is judged as a program, in tests/journeys/test_commands.py."""

import asyncio
from typing import Any
from unittest.mock import AsyncMock

from gateway.home import House
from tests.support.virtual_time import run_virtually


def test_a_store_that_takes_nothing_does_not_hold_up_the_end() -> None:
    """The journal keeps what the store refuses, so the house leaves within seconds, and in order."""
    house: Any = House.__new__(House)
    house._polling, house._here, house._feeder = [], AsyncMock(), AsyncMock()
    house._feeder.feed = asyncio.Event().wait

    async def leave() -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await house.goodbye()
        return loop.time() - begun

    assert run_virtually(leave()) <= 5
