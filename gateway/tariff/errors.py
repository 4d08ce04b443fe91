"""The one error of tariffs: a file that cannot be used."""

from dataclasses import dataclass
from pathlib import Path


@dataclass
class TariffError(Exception):
    """A tariff that cannot be used: which file, where in it, why, and what to do."""

    path: Path | None
    place: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        """One line for people."""
        where = ": ".join(part for part in (str(self.path or ""), self.place) if part)
        return f"{where}: {self.what}" + (f" ({self.hint})" if self.hint else "")
