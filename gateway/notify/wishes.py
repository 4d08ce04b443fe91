"""What a customer chose for one channel, as it comes from a page and lies in the hub database.

What is not said stays as the file has it. Hours are written as in the file, "22:00-07:00"; "" is none, and for Ramadan
the same as always.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import time
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from gateway.notify.kinds import Frequency, Kind
from gateway.notify.router import Contact, Hours

LIMIT = 4096
"""Bytes of what a page sends: ten choices and two spans are under 300."""
_SPAN = r"^(([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9])?$"


def read_hours(text: str) -> Hours | None:
    """Read a span as it is written; raises ValueError."""
    if not text:
        return None
    start, end = (time.fromisoformat(part) for part in text.split("-"))
    return start, end


def _spans(text: str) -> str:
    if text and text[:5] == text[6:]:
        raise ValueError("it begins where it ends")
    return text


Span = Annotated[str, Field(pattern=_SPAN), AfterValidator(_spans)]


class Wishes(BaseModel):
    """How often each kind is wanted, and when there is quiet; `fasting` in Ramadan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frequency: dict[Kind, Frequency] = Field(default_factory=dict)
    quiet: Span | None = None
    fasting: Span | None = None


class WishError(Exception):
    """What a page sent cannot be wished."""


def parse(body: bytes) -> Wishes:
    """Read what a page sent; raises WishError."""
    if len(body) > LIMIT:
        raise WishError("too long")
    try:
        return Wishes.model_validate_json(body)
    except ValidationError:
        raise WishError("no wishes of ours") from None


def laid_over(contact: Contact, wishes: Wishes) -> Contact:
    """Lay what was chosen over what the file says of a channel."""
    return replace(
        contact,
        frequency={**contact.frequency, **wishes.frequency},
        quiet=contact.quiet if wishes.quiet is None else read_hours(wishes.quiet),
        fasting=contact.fasting if wishes.fasting is None else read_hours(wishes.fasting),
    )


def keeps_safety(contacts: Iterable[Contact]) -> bool:
    """Tell whether somebody still hears of what is critical: that can be off on one channel, but not on all."""
    return any(not (contact.machine or contact.second or contact.often("safety") == "off") for contact in contacts)
