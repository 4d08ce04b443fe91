"""What an examination gives: findings, and what was looked at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Value = str | int | float


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: a code of `texts.TEXTS`, where it is, and what shows it; every place of its texts is in `evidence`."""

    code: str
    where: str
    evidence: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was looked at; `skipped` says why it could not be, in a text of `texts.SKIPPED`."""

    what: str
    where: str
    skipped: str = ""


@dataclass
class Report:
    """Everything one examination found."""

    findings: list[Finding] = field(default_factory=list)
    checked: list[Checked] = field(default_factory=list)

    def add(self, what: str, where: str, findings: Iterable[Finding]) -> None:
        """Note that something was looked at, and what was found."""
        self.checked.append(Checked(what, where))
        self.findings += [finding for finding in findings if finding not in self.findings]

    def skip(self, what: str, where: str, why: str) -> None:
        """Note that something could not be looked at."""
        self.checked.append(Checked(what, where, why))
