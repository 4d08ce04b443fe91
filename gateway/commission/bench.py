"""All that a commissioning needs of the world, handed in."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from gateway.commission.causes import Change
from gateway.commission.console import Console, Question, Topic
from gateway.commission.reading import Sample
from gateway.config.models import MeterTable
from gateway.notify.speech import Speech

YES = frozenset({"y", "yes", "ن", "نعم"})
"""How both languages say yes."""


@dataclass(frozen=True)
class Bench:
    """`read` reads a meter, `orders` one counter of it in the other orders of words.

    `write` changes a line of the meter's table and gives the table as it stands then; it raises ConfigError,
    ProfileError, CommissionError or OSError, and then nothing was written.
    """

    console: Console
    speech: Speech
    read: Callable[[MeterTable], Awaitable[Sample]]
    orders: Callable[[MeterTable, str], Awaitable[Mapping[str, Fraction]]]
    write: Callable[[str, Change], Awaitable[MeterTable]]

    def tell(self, text: str, **parts: str) -> None:
        """Say something of ours, marked for translation where it stands, in the installer's language."""
        self.console.tell(self.speech.say(text, **parts))

    def ask(self, topic: Topic, about: str, text: str, **parts: str) -> str:
        """Ask something in the installer's language."""
        return self.console.ask(Question(topic, about, self.speech.say(text, **parts))).strip()

    def agreed(self, topic: Topic, about: str, text: str, **parts: str) -> bool:
        """Ask for a yes."""
        return self.is_yes(self.ask(topic, about, text, **parts))

    def is_yes(self, answer: str) -> bool:
        """Tell a yes of either language from all else."""
        return answer.lower() in YES
