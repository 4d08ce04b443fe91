"""Why a set-up ends: SetupError, and nothing was written."""

from dataclasses import dataclass


@dataclass
class SetupError(Exception):
    """Nothing was written; why, and what to do."""

    what: str
    hint: str = ""

    def __str__(self) -> str:
        """One line for people."""
        return self.what + (f" ({self.hint})" if self.hint else "")
