"""Meter models as files: load one from config/meters, compile it for its driver, and let it prove its own examples.

1. A profile is one TOML file, named like its `name`. What is common to all protocols stands here, the rows and examples
   of each protocol in `drivers/<protocol>/profile.py` as a subclass of `ProfileFile` called `File`.
2. `load` looks in the folders given, then in the shipped one; the first that has the file wins.
3. Loading compiles the rows and proves every example, so a profile that contradicts itself is never used.
"""

import tomllib
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from drivers import PROTOCOLS
from drivers.quantities import QUANTITIES, Commodity, Quantity

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Evidence = Literal["two-sources", "one-source"]

_PACKAGED = Path(__file__).parent / "meters"
_CHECKOUT = Path(__file__).parent.parent / "config" / "meters"
SHIPPED = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


@dataclass(frozen=True)
class Profile:
    """A meter model, ready for its driver; `layout` is what the driver compiled from the rows and belongs to it."""

    name: str
    title: str
    driver: str
    evidence: Evidence
    quantities: tuple[str, ...]
    layout: Any
    path: Path | None = None

    @cached_property
    def rows(self) -> tuple[Quantity, ...]:
        """The rows of the closed list this meter has, in the profile's order."""
        return tuple(QUANTITIES[name] for name in self.quantities)

    @property
    def commodity(self) -> Commodity:
        """What the meter mainly measures: the commodity of its first row."""
        return self.rows[0].commodity


@dataclass
class ProfileError(Exception):
    """A profile that cannot be used: which file, where in it, why, and what to do."""

    path: Path | None
    place: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        """One line for people."""
        where = ": ".join(part for part in (str(self.path or ""), self.place) if part)
        return f"{where}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class Strict(BaseModel):
    """A table of a file: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ProfileFile(Strict):
    """What every meter model's file says, whatever its protocol."""

    name: Name
    title: str = Field(min_length=1, max_length=100)
    driver: str
    source: str = Field(min_length=1)
    evidence: Evidence

    @abstractmethod
    def compile(self) -> Any:
        """Turn the rows into the driver's layout; raises ProfileError for rows that contradict each other."""

    @abstractmethod
    def quantities(self) -> tuple[str, ...]:
        """Name the quantities of the rows, in order."""

    @abstractmethod
    def prove(self, profile: Profile) -> None:
        """Decode each example and compare at the row's own resolution; raises ProfileError where they differ."""


def load(name: str, folders: Iterable[Path] = ()) -> Profile:
    """Find, read, compile and prove the profile called `name`; raises ProfileError."""
    for folder in (*folders, SHIPPED):
        path = folder / f"{name}.toml"
        if path.is_file():
            return load_file(path)
    raise ProfileError(None, name, "there is no such meter profile", "`nabd profiles` lists those there are")


def load_file(path: Path) -> Profile:
    """Read, compile and prove one profile file; raises ProfileError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ProfileError(path, "", str(error), "mend the TOML") from error
    file = _parse(path, table)
    if file.name != path.stem:
        raise ProfileError(path, "name", f"is {file.name!r}", f"name it {path.stem!r}, like its file")
    try:
        profile = Profile(
            file.name, file.title, file.driver, file.evidence, file.quantities(), file.compile(), path
        )  # fmt: skip
        file.prove(profile)
    except ProfileError as error:
        error.path = path
        raise
    return profile


def _parse(path: Path, table: dict[str, Any]) -> ProfileFile:
    driver = table.get("driver")
    if not isinstance(driver, str) or driver not in PROTOCOLS:
        raise ProfileError(path, "driver", f"is {driver!r}", f"one of {', '.join(PROTOCOLS)}")
    model: type[ProfileFile] = import_module(f"{PROTOCOLS[driver]}.profile").File
    try:
        return _checker(model).validate_python(table)
    except ValidationError as error:
        raise _first_error(path, error) from error


@lru_cache(maxsize=1)
def _checker(model: type[ProfileFile]) -> TypeAdapter[ProfileFile]:
    """Build what checks the files of one protocol; a gateway reads a few when it starts, and needs it no more."""
    return TypeAdapter(model)


def _first_error(path: Path, error: ValidationError) -> ProfileError:
    """Name an unknown key before anything else, with the missing one it may have been meant for."""
    found = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
    *place, key = found[0]["loc"]
    missing = [str(detail["loc"][-1]) for detail in found if detail["type"] == "missing"]
    from difflib import get_close_matches  # noqa: PLC0415  weighs what nobody needs who spells

    near = get_close_matches(str(key), missing, 1) if found[0]["type"] == "extra_forbidden" else []
    hint = f"did you mean {near[0]!r}?" if near else ""
    return ProfileError(path, ".".join(str(part) for part in (*place, key)), found[0]["msg"], hint)


def available(folders: Iterable[Path] = ()) -> dict[str, Path]:
    """List every profile by name, the first folder that has it winning."""
    found: dict[str, Path] = {}
    for folder in (*folders, SHIPPED):
        for path in sorted(folder.glob("*.toml")):
            found.setdefault(path.stem, path)
    return found
