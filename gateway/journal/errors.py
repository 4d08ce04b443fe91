"""What may go wrong with the journal; the branches say what the caller does next.

JournalError
├── InUse        another process has this folder: stop
├── Unwritable   the disk refuses (read-only, I/O error): nothing is lost, it is tried again each window
│   └── Full     it has no space: making room may help
└── Damaged      SQLite found its file damaged: stop; the next start sets it aside and goes on with a new stream
"""

from dataclasses import dataclass


@dataclass
class JournalError(Exception):
    """The root; `hint` says what an installer can do."""

    what: str
    hint: str = ""

    def __str__(self) -> str:
        """One line for people."""
        return self.what + (f" ({self.hint})" if self.hint else "")


class InUse(JournalError):  # noqa: N818  the field's word, not a suffix
    """A second instance was started on the same folder."""


class Unwritable(JournalError):  # noqa: N818
    """A commit failed; its blocks stay in memory and are tried again."""


class Full(Unwritable):
    """A commit failed for want of space."""


class Damaged(JournalError):  # noqa: N818
    """The file is damaged beyond one block."""
