"""Who answers: an installer at a terminal, or a file of answers that tests and fleets prepare.

installer = "Huda"
test_message = true
arrived = ["phone"]             # the channels whose test message somebody has seen
[[meter]]
name = "flat"                   # as the configuration calls it
label = "Flat 7"
display = "01234.5 kWh"
transformer = "250/5"
flow = "import"                 # or "export": what happens now
mixed = false                   # whether phases rightly run against each other
change = true                   # let what explains a difference be written into the configuration
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gateway.commission.errors import CommissionError
from gateway.config.near import printable

Topic = Literal[
    "installer",
    "label",
    "rename",
    "transformer",
    "side",
    "display",
    "change",
    "again",
    "flow",
    "mixed",
    "send",
    "arrived",
]
LONGEST = 200
"""Characters of an answer that are read."""
FILE_LIMIT = 1024 * 1024
"""Bytes of a file of answers: 2,000 meters take a quarter of it."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, about which meter or channel, in the installer's words."""

    topic: Topic
    about: str
    text: str


class Console(Protocol):
    """Talks to whoever commissions."""

    def tell(self, line: str) -> None:
        """Show a line."""

    def ask(self, question: Question) -> str:
        """Give the answer, "" for the usual one; raises CommissionError when nobody is there."""


@dataclass(frozen=True)
class Terminal:
    """An installer; `write` and `read` are print and input."""

    write: Callable[[str], None]
    read: Callable[[str], str]

    def tell(self, line: str) -> None:
        """Show a line; what a terminal would obey is taken out of it."""
        self.write("".join(char if char in _ISOLATES else printable(char) for char in line))

    def ask(self, question: Question) -> str:
        """Ask at the terminal."""
        try:
            return self.read(f"{question.text} ")[:LONGEST].strip()
        except EOFError:
            raise CommissionError("nobody answers", "run it in a terminal, or give --answers FILE") from None


_ISOLATES = "\N{FIRST STRONG ISOLATE}\N{POP DIRECTIONAL ISOLATE}"

Words = Annotated[str, StringConstraints(max_length=LONGEST)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MeterAnswers(_Strict):
    """What is known of one meter beforehand."""

    name: Words
    label: Words = ""
    rename: bool = False
    display: Words = ""
    transformer: Words = ""
    side: Literal["", "primary", "secondary"] = ""
    flow: Literal["", "import", "export"] = ""
    mixed: bool = False
    change: bool = False


class AnswersFile(_Strict):
    """A file of answers."""

    installer: Words = ""
    test_message: bool = False
    arrived: list[Words] = Field(default_factory=list, max_length=16)
    meter: list[MeterAnswers] = Field(default_factory=list, max_length=2000)


@dataclass(frozen=True)
class Answers:
    """Answers from a file; what it does not say is answered by the usual."""

    file: AnswersFile
    write: Callable[[str], None]

    def tell(self, line: str) -> None:
        """Show a line."""
        Terminal(self.write, input).tell(line)

    def ask(self, question: Question) -> str:
        """Look the answer up, and show both."""
        answer = self._answer(question)
        self.tell(f"{question.text} {answer}")
        return answer

    def _answer(self, question: Question) -> str:
        if question.topic == "installer":
            return self.file.installer
        if question.topic == "send":
            return _yes(self.file.test_message)
        if question.topic == "arrived":
            return _yes(question.about in self.file.arrived)
        about = question.about
        meter = next((one for one in self.file.meter if about in (one.name, one.label if one.rename else None)), None)
        found = getattr(meter, question.topic, "")
        return _yes(found) if isinstance(found, bool) else str(found)


def _yes(value: object) -> str:
    return "y" if value else ""


def load_answers(path: Path) -> AnswersFile:
    """Read a file of answers; raises CommissionError."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
        if len(data) > FILE_LIMIT:
            raise CommissionError(f"{path} is larger than 1 MiB", "is this a file of answers?")
        return AnswersFile.model_validate(tomllib.loads(data.decode()))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CommissionError(f"{path}: {place}: {first['msg']}", "docs/how-to/commission.md shows one") from error
    except (OSError, ValueError) as error:
        raise CommissionError(f"{path}: {error}", "docs/how-to/commission.md shows one") from error
