"""Gets the answers: from whoever sits at the terminal, or from a file that fleets and tests prepare.

zone   = "Asia/Riyadh"
pages  = "network"
search = "all"
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from gateway.config.near import printable
from gateway.i18n import words
from gateway.setup.errors import SetupError
from gateway.setup.questions import QUESTIONS, Question, known

LONGEST = 500
"""Characters of an answer that are read: no name, address or path is longer."""
TRIES = 5
"""So often a question is asked before setup gives up; whoever cannot answer starts again later."""
FILE_LIMIT = 64 * 1024
"""Bytes of a file of answers: twenty short lines fit a hundred times."""

Tell = Callable[[str], None]


def at_terminal(usual: Mapping[str, str], folder: Path, tell: Tell, read: Callable[[str], str]) -> dict[str, str]:
    """Ask every question that needs an answer; Enter takes the usual one. Raises SetupError."""
    given: dict[str, str] = {}
    for question in _needed(given):
        given[question.name] = _ask(question, given, usual, folder, tell, read)
    return given


def from_file(path: Path, usual: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Take the answers of a file, and the usual ones for what it leaves out; raises SetupError."""
    said = _read(path)
    given: dict[str, str] = {}
    for question in _needed(given):
        answer = said.pop(question.name, usual.get(question.name, ""))
        if problem := question.problem(answer, folder):
            raise SetupError(f"{path}: {question.name}: {problem}", "`nabd setup` without a file asks for it")
        given[question.name] = answer
    if said:
        raise SetupError(f"{path}: {next(iter(said))} is answered, but never asked of this {given['kind']}")
    return given


def _needed(given: Mapping[str, str]) -> Iterator[Question]:
    """Give the questions one by one; whether one is needed is known once those before it are answered."""
    return (question for question in QUESTIONS if question.needs(given))


def _ask(
    question: Question,
    given: Mapping[str, str],
    usual: Mapping[str, str],
    folder: Path,
    tell: Tell,
    read: Callable[[str], str],
) -> str:
    say = words(given.get("language") or usual["language"]).gettext
    standard = usual.get(question.name, "")
    asked = say(question.words) + (f" [{standard}] " if standard else " ")
    for _ in range(TRIES):
        try:
            answer = read(asked)[:LONGEST].strip() or standard
        except EOFError:
            break
        problem = question.problem(answer, folder)
        if not problem:
            return answer
        tell(f"  {printable(problem)}")
    raise SetupError(f"{question.name} got no answer", "run it in a terminal, or give --answers FILE")


def _read(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
        if len(data) > FILE_LIMIT:
            raise SetupError(f"{path} is larger than 64 KiB", "is this a file of answers?")
        said = tomllib.loads(data.decode())
    except (OSError, ValueError) as error:
        raise SetupError(f"{path}: {printable(str(error))}", 'one line an answer, such as zone = "UTC"') from error
    for name, answer in said.items():
        if not isinstance(answer, str):
            raise SetupError(f"{path}: {known(name)} is no text", "write it in quotes")
        known(name)
    return said
