"""What may go wrong with an identity.

The caller tells a person, who must act; nothing here mends itself.

IdentityError
├── Missing      a file is not there yet: make or import it first
├── Unusable     a file is there and cannot be used: damaged, not ours, not for this gateway, or too open
└── Refused      what was asked for would break a rule: another tenant's name, a wrong claim code
"""

from dataclasses import dataclass


@dataclass
class IdentityError(Exception):
    """The root; `hint` says what the person can do."""

    what: str
    hint: str = ""

    def __str__(self) -> str:
        """One line for people."""
        return self.what + (f" ({self.hint})" if self.hint else "")


class Missing(IdentityError):  # noqa: N818
    """A file is not there yet."""


class Unusable(IdentityError):  # noqa: N818
    """A file is there and cannot be used."""


class Refused(IdentityError):  # noqa: N818
    """A rule forbids it."""
