"""Load a configuration.

1. Bytes to text to TOML tables (read.py); what cannot be read ends here.
2. Tables to models, each value through its own validator (models.py, customers.py, values.py).
3. What options must be to each other (relations.py).
4. Whatever 2 or 3 found becomes one ConfigError that lists it all, each with its line (explain.py).
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args, overload

from pydantic import TypeAdapter, ValidationError

from gateway.config.errors import ConfigError
from gateway.config.explain import Source, explain
from gateway.config.models import EdgeConfig, Kind
from gateway.config.read import parse, read
from gateway.config.relations import find
from gateway.config.table import Table
from gateway.config.values import Context

if TYPE_CHECKING:
    from gateway.config.customers import Document, HomeConfig, HubConfig

KINDS: tuple[Kind, ...] = get_args(Kind)


@overload
def load(path: Path, kind: Literal["edge"], env: Mapping[str, str] | None = None) -> EdgeConfig: ...
@overload
def load(path: Path, kind: Literal["hub"], env: Mapping[str, str] | None = None) -> "HubConfig": ...
@overload
def load(path: Path, kind: Literal["home"], env: Mapping[str, str] | None = None) -> "HomeConfig": ...
@overload
def load(path: Path, kind: Kind, env: Mapping[str, str] | None = None) -> "Document": ...
def load(path: Path, kind: Kind, env: Mapping[str, str] | None = None) -> "Document":
    """Read the file at `path` as edge, hub or home; `env` is the process's own unless given. Raises ConfigError."""
    path = path.absolute()
    return load_text(read(path), path, kind, env)


@overload
def load_text(text: str, path: Path, kind: Literal["edge"], env: Mapping[str, str] | None = None) -> EdgeConfig: ...
@overload
def load_text(text: str, path: Path, kind: Kind, env: Mapping[str, str] | None = None) -> "Document": ...
def load_text(text: str, path: Path, kind: Kind, env: Mapping[str, str] | None = None) -> "Document":
    """Take `text` for what a file at `path`, an absolute one, would hold. Raises ConfigError."""
    tables = parse(text, path)
    model = model_of(kind)
    source = Source(path, text, tables, model)
    context = Context(path.parent, os.environ if env is None else env)
    try:
        config = TypeAdapter(model).validate_python(_with_defaults(tables, model), context=context)
    except ValidationError as error:
        findings = list(explain(error.errors(include_url=False), source))
    else:
        findings = list(find(config))
        if not findings:
            return config
    raise ConfigError(*source.problems(findings))


def kind_of(path: Path) -> Kind:
    """Tell from a file's name, else from its tables, what it configures; raises ConfigError."""
    for kind in KINDS:
        if path.stem == kind:
            return kind
    tables = parse(read(path), path)
    if "store" in tables and ("bus" in tables or "gateway" in tables):
        return "home"
    return "hub" if "hub" in tables or "store" in tables else "edge"


def model_of(kind: Kind) -> "type[EdgeConfig | HubConfig | HomeConfig]":
    """Give the document of a kind; what only hub and home have is imported only for them."""
    if kind == "edge":
        return EdgeConfig
    from gateway.config.customers import HomeConfig, HubConfig  # noqa: PLC0415

    return HubConfig if kind == "hub" else HomeConfig


def _with_defaults(tables: dict[str, object], model: type[Table]) -> dict[str, object]:
    """Add the tables left out, empty, so that each option's own default stands in, or is named as missing."""
    alone = [name for name, field in model.model_fields.items() if field.is_required()]
    return {**{name: {} for name in alone}, **tables}
