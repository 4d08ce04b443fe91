"""What one message says: title, what happened, how much against normal, what to do.

Places in braces are facts (`facts.py`). Of `happened` and `compared` the first whose facts are all known is said, so
the last of `happened` needs none but the meter; the title and `advice` never need more.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """The sentences of one message, marked for translation, the fullest first."""

    title: str
    happened: tuple[str, ...]
    compared: tuple[str, ...]
    advice: tuple[str, ...]


Texts = dict[str, Text]
"""By the alert's state, or by state and severity: "raised", "raised critical"."""
