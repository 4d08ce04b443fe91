"""What an HTTP answer means for a message: one table for every channel that speaks HTTP."""

from collections.abc import Callable

from gateway.notify.channels.contract import SAID_LIMIT, Delivered, Receipt, Refused, TryLater
from gateway.notify.http import Answer

PASSING = frozenset({408, 409, 421, 423, 425, 429})
"""Refusals that pass by themselves: too slow, too early, too much, or the same key still at work."""
LONGEST_WAIT = 3600.0
"""Seconds of a Retry-After that are believed: a provider that says tomorrow is asked again within the hour."""


def judge(answer: Answer, name: Callable[[Answer], str] = lambda _: "") -> Receipt:
    """Turn an answer into a receipt; `name` finds the provider's id in one that says yes."""
    status = answer.status
    if 200 <= status < 300:  # noqa: PLR2004
        return Delivered(name(answer)[:SAID_LIMIT])
    if status in PASSING or status >= 500:  # noqa: PLR2004
        return TryLater(f"HTTP {status}", _wait(answer.headers.get("retry-after", "")))
    if 300 <= status < 400:  # noqa: PLR2004
        return Refused(f"HTTP {status}: redirects are not followed, configure the address it leads to")
    return Refused(f"HTTP {status}")


def _wait(text: str) -> float:
    return min(float(text), LONGEST_WAIT) if text.isascii() and text.isdigit() else 0.0
