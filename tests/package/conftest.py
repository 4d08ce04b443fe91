"""The whole package, made once for all slow tests, in two versions that differ in nothing but their number."""

from collections.abc import Callable
from pathlib import Path

import pytest

from systemd.debian.build import build, collect, source_epoch
from systemd.debian.wheels import BuildError
from tests.conftest import skip_or_fail

FAST = 0
"""xz's effort: a larger package, made in seconds."""


@pytest.fixture(scope="session")
def whole_package(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Give a callable that makes the package of an architecture in a version."""
    wheels: dict[str, list[Path]] = {}
    folder = tmp_path_factory.mktemp("packages")

    def make(architecture: str, version: str) -> Path:
        path = folder / f"nabd_{version}_{architecture}.deb"
        if not path.exists():
            try:
                if architecture not in wheels:
                    wheels[architecture] = collect(architecture, folder / architecture)
            except BuildError as error:
                skip_or_fail(f"no wheels for {architecture}: {error}")
            path.write_bytes(build(wheels[architecture], architecture, version, source_epoch(), FAST))
        return path

    return make
