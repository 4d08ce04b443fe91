"""`nabd dead-letters`, `journal`, `backup`, `restore`: what waits at the hub, and what a gateway has written down."""

import argparse
from pathlib import Path

from gateway.cli.parts import (
    Command,
    complain,
    config_option,
    configuration,
    could_not_run,
    json_option,
    run_to_its_end,
    security_log,
)


def add(command: Command) -> None:
    """Add the commands about what is kept."""
    letters = command("dead-letters", _dead_letters, "List what the hub could not use, or take it in once mended.")
    letters.add_argument("what", choices=["ls", "redrive"], help="list them, or try them again")
    json_option(letters, "list them as one JSON array")
    journal = command("journal", _journal, "Look into a gateway's journal, also while it runs.")
    journal.add_argument("what", choices=["ls", "export"], help="list its blocks, or print its readings as JSON lines")
    json_option(journal, "ls: one JSON object")
    journal.add_argument("--unsent", action="store_true", help="export: only what the store does not have yet")
    backup = command("backup", _journal, "Copy a gateway's journal to a file, also while it runs.")
    backup.add_argument("file", type=Path, help="the file to make")
    restore = command("restore", _journal, "Begin a gateway's journal anew with what a backup had not sent.")
    restore.add_argument("file", type=Path, help="a file that nabd backup made")
    for parser in (letters, journal, backup, restore):
        config_option(parser)


def _journal(options: argparse.Namespace) -> int:
    from gateway import journal_cmd  # noqa: PLC0415

    config = configuration(options)
    if config.kind == "hub":
        complain("nabd: a hub has no journal; name an edge.toml or home.toml with -c")
        return 2
    try:
        with security_log(config):
            return journal_cmd.run(options, config.journal.folder, config.gateway.id, print, complain)
    except could_not_run() as error:
        complain(f"nabd: {error}")
        return 2


def _dead_letters(options: argparse.Namespace) -> int:
    from gateway.dead_letters_cmd import run  # noqa: PLC0415

    config = configuration(options)
    if config.kind == "edge":
        complain("nabd: an edge has no dead letters; name a hub.toml or home.toml with -c")
        return 2
    code = 2

    async def work() -> None:
        nonlocal code
        code = await run(config.hub.database, config.store, options.what, print, as_json=options.json)

    return run_to_its_end(work()) or code
