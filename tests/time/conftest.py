"""An edge whose wall clock a test sets."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.support.faked_clock import FakedEdge, missing


@pytest.fixture
async def edge_with(tmp_path: Path) -> AsyncIterator[Callable[..., FakedEdge]]:
    """Give a callable that makes an edge, to be started by the test."""
    if reason := missing():
        skip_or_fail(reason)
    made: list[FakedEdge] = []

    def make(*, trust: str = "system", every: str = "250ms") -> FakedEdge:
        made.append(FakedEdge(tmp_path, trust=trust, every=every))
        return made[-1]

    yield make
    for edge in made:
        await edge.stop()
