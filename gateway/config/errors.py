"""What may be wrong with a configuration file, said so that an installer can mend it."""

from dataclasses import dataclass
from pathlib import Path

SHOWN = 20
"""Problems listed at once: a screenful; whoever has more than that has the wrong file."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: the file and line, the key as a dotted path (`meter.2.bus`), its place in words, and what to do."""

    file: Path
    line: int | None
    key: str
    place: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        """One line for people, `file:line: place: what (hint)`."""
        where = f"{self.file}:{self.line}" if self.line else str(self.file)
        place = f"{self.place}: " if self.place else ""
        return f"{where}: {place}{self.what}" + (f" ({self.hint})" if self.hint else "")


class ConfigError(Exception):
    """A configuration that cannot be used: every problem found, in the order of the file, the first the main one."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    @property
    def main(self) -> Problem:
        """The first problem."""
        return self.problems[0]

    def __str__(self) -> str:
        """One line a problem, for people."""
        lines = [str(problem) for problem in self.problems[:SHOWN]]
        more = len(self.problems) - SHOWN
        return "\n".join([*lines, f"and {more} more"] if more > 0 else lines)
