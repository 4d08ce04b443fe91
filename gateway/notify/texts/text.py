"""What one message says: title, what happened, how much against normal, what to do.

Places in braces are facts (`facts.py`). Of `happened`, `urgent` and `compared` the first whose facts are all known is
said, so the last of `happened` and of `urgent` needs none but the meter; the title and `advice` never need more.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """The sentences of one message, marked for translation, the fullest first.

    `urgent` is what cannot wait: it stands before all figures, so that a text message has room for it.
    """

    title: str
    happened: tuple[str, ...]
    compared: tuple[str, ...]
    advice: tuple[str, ...]
    urgent: tuple[str, ...] = ()


Texts = dict[str, Text]
"""By the alert's state, or by state and severity or commodity: "raised", "raised critical", "raised gas"."""
