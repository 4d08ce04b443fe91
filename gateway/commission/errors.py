"""What keeps a commissioning from going on: why, and what to do."""

from dataclasses import dataclass


@dataclass
class CommissionError(Exception):
    """The root: nothing more can be done here; the hint says what can."""

    what: str
    hint: str = ""

    def __str__(self) -> str:
        """One line for people."""
        return self.what + (f" ({self.hint})" if self.hint else "")


class NotSigned(CommissionError):  # noqa: N818  the field's word, not a suffix
    """A report that is not as it was signed."""


class Unreadable(CommissionError):  # noqa: N818
    """What somebody typed is no number in a unit we know: ask again."""
