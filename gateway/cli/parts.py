"""What several groups of commands share: their options, the configuration they ask for, and how work ends."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

ETC = Path("/etc/nabd")


class Command(Protocol):
    """Adds a command: its name, what runs it and gives the exit code, and one sentence about it."""

    def __call__(self, name: str, run: Callable[[argparse.Namespace], int], about: str, /) -> argparse.ArgumentParser:
        """Give the parser, which takes the command's options."""


# --- options ---------------------------------------------------------------------------------------------------------


def config_option(parser: argparse.ArgumentParser, default: Path | None = None) -> None:
    """Add -c: the configuration, `default` or that of the program that runs here."""
    help_text = f"the configuration (default {default})" if default else "the configuration of the running program"
    parser.add_argument("-c", "--config", type=Path, default=default, help=help_text)


def dev_option(parser: argparse.ArgumentParser) -> None:
    """Add --dev: where adapters are."""
    about = "where adapters are looked for (/dev); a container may have them elsewhere"
    parser.add_argument("--dev", type=Path, default=Path("/dev"), metavar="FOLDER", help=about)


def json_option(parser: argparse.ArgumentParser, what: str = "one JSON object") -> None:
    """Add --json: the same for programs, as `what`."""
    parser.add_argument("--json", action="store_true", help=what)


def key_options(parser: argparse.ArgumentParser) -> None:
    """Add the two keys of an encrypted meter."""
    parser.add_argument("--key", metavar="HEX|@FILE", help="the encryption key of the meter")
    parser.add_argument("--auth-key", metavar="HEX|@FILE", help="its authentication key")


def count(text: str) -> int:
    """Take a whole number; raises argparse.ArgumentTypeError."""
    if not text.isdecimal() or len(text) > 5 or int(text) not in range(1, 10_001):  # noqa: PLR2004  no house has more
        raise argparse.ArgumentTypeError("a whole number from 1 to 10000")
    return int(text)


# --- the configuration -----------------------------------------------------------------------------------------------


def file_of(options: argparse.Namespace) -> Path | None:
    """Give the configuration that is meant: the named one, else that of the program of this machine, if any."""
    usual = (ETC / f"{kind}.toml" for kind in ("home", "edge", "hub"))
    return options.config or next((path for path in usual if path.exists()), None)


def configuration(options: argparse.Namespace) -> Any:
    """Load the configuration that is meant; raises ConfigError, and SystemExit when there is none."""
    from gateway.config.load import kind_of, load  # noqa: PLC0415

    path = file_of(options)
    if path is None:
        complain(f"nabd: no configuration in {ETC}; name one with -c FILE")
        raise SystemExit(2)
    return load(path, kind_of(path))


@contextmanager
def security_log(config: Any, *, own: bool = False) -> Iterator[Path]:
    """Keep the log of a program while the block runs; a command only adds to it."""
    from gateway.seclog import NAME, keeping  # noqa: PLC0415
    from gateway.show import socket_of  # noqa: PLC0415

    file = socket_of(config).with_name(NAME)
    with keeping(file, own=own):
        yield file


# --- how work ends ---------------------------------------------------------------------------------------------------


def complain(line: str) -> None:
    """Say what is wrong, beside what was asked for."""
    print(line, file=sys.stderr)


def run_to_its_end(work: Any) -> int:
    """Run a program to its end; 2, with one line a reason, when it could not be what it should."""
    code = 0
    try:
        asyncio.run(work)
    except* could_not_run() as group:
        for error in _leaves(group):
            complain(f"nabd: {error}")
        code = 2
    return code


def could_not_run() -> tuple[type[Exception], ...]:
    """Name the errors that mean: not with this configuration, journal, store or page."""
    from gateway.config.errors import ConfigError  # noqa: PLC0415
    from gateway.journal import JournalError  # noqa: PLC0415
    from gateway.store.contract import StoreError  # noqa: PLC0415
    from gateway.web.errors import PagesError  # noqa: PLC0415

    return (ConfigError, JournalError, PagesError, StoreError)


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
