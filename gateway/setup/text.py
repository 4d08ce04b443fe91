"""Writes answers as a configuration: each option under the sentence that explains it."""

import json
from collections.abc import Iterator, Mapping

from gateway.config.near import printable
from gateway.setup.questions import LISTEN, QUESTIONS, TABLES

EXAMPLES = "/usr/share/doc/nabd/examples"
PRESET = {"phone": {"name": "phone", "kind": "ntfy"}, "mail": {"name": "mail", "kind": "smtp"}}
"""What nobody is asked about a channel."""


def configuration(given: Mapping[str, str]) -> str:
    """Give the file's text; meters are added by a search."""
    options: dict[str, dict[str, str]] = {}
    for question in QUESTIONS:
        answer = given.get(question.name)
        if answer and question.sets:
            table, _, option = question.sets.partition(".")
            options.setdefault(table, dict(PRESET.get(table, {})))[option] = LISTEN.get(answer, answer)
    kind = given["kind"]
    head = (
        f"# Written by `nabd setup`. All that can be said here stands in {EXAMPLES}/{kind}.toml;\n"
        f"# `nabd check` explains this file, `nabd scan --write` adds meters to it.\n"
    )
    return "\n".join([head, *(line for table in options for line in _table(table, options[table]))])


def _table(name: str, options: Mapping[str, str]) -> Iterator[str]:
    model = TABLES[name]
    about = (model.__doc__ or "").partition("\n")[0]
    yield f"{'[[channel]]' if name in PRESET else f'[{name}]'}  # {about}"
    for option, value in options.items():
        yield f"# {model.model_fields[option].description}"
        yield f"{option} = {json.dumps(printable(value), ensure_ascii=False)}"
    yield ""
