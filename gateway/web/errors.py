"""What may keep the pages from being served."""

from dataclasses import dataclass


@dataclass
class PagesError(Exception):
    """The pages cannot be served; `hint` says what a person can do."""

    what: str
    hint: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.what} ({self.hint})"
