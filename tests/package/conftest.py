"""The whole package, made once for all slow tests, in versions that say their number, and do so in every module."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import VERSION
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
            ours, *others = wheels[architecture]
            numbered = _numbered(ours, version, folder / version)
            path.write_bytes(build([numbered, *others], architecture, version, source_epoch(), FAST))
        return path

    return make


def _numbered(wheel: Path, version: str, folder: Path) -> Path:
    """Copy our wheel as that of another version: each module differs, so that a mixture of two can be told."""
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(folder / wheel.name, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith(".py"):
                data = data.replace(f'VERSION = "{VERSION}"'.encode(), f'VERSION = "{version}"'.encode())
                data += f"# {version}\n".encode()
            new.writestr(name, data)
    return folder / wheel.name
