"""What `nabd web` asks of a running program and prints: links, sessions, and that somebody moved in."""

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway import control

Print = Callable[[str], None]


async def run(options: argparse.Namespace, socket: Path, tell: Print, complain: Print) -> int:
    """Do what was asked for of the program at `socket`."""
    names = ("tenant", "role", "since", "session")
    given = {name: value for name in names if (value := getattr(options, name, None)) is not None}
    try:
        answer = await control.ask(socket, {"do": options.what.replace("-", "_"), **given})
    except control.NobodyThere as error:
        complain(f"nabd: nothing runs with this configuration (nobody answers at {error})")
        return 1
    if "error" in answer:
        complain(f"nabd: {answer['error']}")
        return 1
    for line in _SAID[options.what](answer):
        tell(line)
    if fingerprint := answer.get("fingerprint"):  # not among what was asked for, so that scripts get the link alone
        complain(f"The certificate's SHA-256 fingerprint is {fingerprint}")
    return 0


def _link(answer: Mapping[str, Any]) -> list[str]:
    return [answer["link"]]


def _sessions(answer: Mapping[str, Any]) -> list[str]:
    rows = [
        f"{row['session']}  {row['role']:8}  {row['tenant'] or '-':16}  {_at(row['begun'])}  {_at(row['used'])}"
        for row in answer["sessions"]
    ]
    return [f"{'session':8}  {'role':8}  {'tenant':16}  {'begun':17}  last used", *rows] if rows else ["nobody"]


def _revoke(answer: Mapping[str, Any]) -> list[str]:
    return [f"sessions ended: {answer['ended']}"]


def _move_in(answer: Mapping[str, Any]) -> list[str]:
    told = ", ".join(answer["channels"])
    note = f"the configuration still tells by: {told}; change what was the former customer's, then nabd reload"
    return [*_revoke(answer), *([note] if told else [])]


def _at(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%MZ}"


_SAID: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "link": _link,
    "sessions": _sessions,
    "revoke": _revoke,
    "move-in": _move_in,
}
