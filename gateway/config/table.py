"""What every table of a configuration file is, and how an option of it is declared."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def option(about: str, default: Any = ...) -> Any:
    """Declare an option by its one sentence; required when it has no default."""
    return Field(default, description=about)


class Table(BaseModel):
    """A table of the file: frozen, nothing unknown, no value bent into another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True, defer_build=True)
