"""Loads the meter models that a search knows: those shipped, and those beside a configuration."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

from drivers.modbus.naming import Model
from drivers.modbus.profile import File
from drivers.profiles import Profile, ProfileError, available, load_file
from gateway.scan.plan import Book

WANTED = ("modbus", "mbus")


def load_book(folders: Iterable[Path] = ()) -> Book:
    """Load every model that can be asked for; one that is broken is left out, `nabd profiles` says why."""
    profiles = [profile for path in available(folders).values() if (profile := _load(path))]
    return Book(
        [_model(profile) for profile in profiles if profile.driver == "modbus"],
        [profile for profile in profiles if profile.driver == "mbus"],
    )


def _load(path: Path) -> Profile | None:
    try:
        if tomllib.loads(path.read_text(encoding="utf-8")).get("driver") not in WANTED:
            return None
        return load_file(path)
    except (OSError, ValueError, ProfileError):
        return None


def _model(profile: Profile) -> Model:
    assert profile.path is not None  # noqa: S101  it was loaded from there
    file = File.model_validate(tomllib.loads(profile.path.read_text(encoding="utf-8")))
    return Model(profile.name, profile.title, profile.layout, file.identify)
