# ruff: noqa: INP001  a tool of the documentation, not a package
"""The page of all commands, from the parsers that `nabd --help` uses."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from gateway.cli import parser_of_all

PAGE = Path(__file__).parent / "reference/cli.md"

HEAD = """# The command `nabd`

<!-- made by `./run docs` from gateway/cli: never edit this page -->

Exit codes: 0 all went well, 1 it ran and something is wrong, 2 it could not run (usage, configuration, set-up).
Configuration is read from `/etc/nabd/COMMAND.toml` unless `-c FILE` names another.

"""


def page() -> str:
    """Write the page: what each command does, its arguments, and what they are without a word."""
    return HEAD + "\n".join(_sections(parser_of_all(), "nabd", 2))


def _sections(parser: argparse.ArgumentParser, name: str, depth: int) -> Iterator[str]:
    for action in parser._actions:  # noqa: SLF001  argparse has no other way to walk a parser
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for word, below in action.choices.items():
                yield from _section(below, f"{name} {word}", depth)


def _section(parser: argparse.ArgumentParser, name: str, depth: int) -> Iterator[str]:
    yield f"{'#' * depth} `{name}`\n"
    if parser.description:
        yield f"{parser.description}\n"
    rows = list(_rows(parser))
    if rows:
        yield "| | |\n|---|---|"
        yield from rows
        yield ""
    yield from _sections(parser, name, depth + 1)


def _rows(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:  # noqa: SLF001
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):  # noqa: SLF001
            continue
        if action.help is argparse.SUPPRESS:
            continue
        value = action.metavar or (action.dest.upper() if action.option_strings else action.dest)
        words = action.option_strings
        shown = [*words[:-1], f"{words[-1]} {value}" if action.nargs != 0 else words[-1]] if words else [str(value)]
        about = (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%").replace("|", "\\|")
        if action.choices is not None and not action.metavar:
            about = f"{about} ({', '.join(map(str, action.choices))})".strip()
        yield f"| {', '.join(f'`{word}`' for word in shown).replace('|', chr(92) + '|')} | {about} |"
