"""One town for all tests of identities."""

from pathlib import Path

import pytest

from tests.support.identities import Town


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Give an authority that nobody revokes anything of."""
    return Town(tmp_path_factory.mktemp("town"))


@pytest.fixture
def own_town(tmp_path: Path) -> Town:
    """Give an authority of the test's own."""
    return Town(tmp_path / "town")
