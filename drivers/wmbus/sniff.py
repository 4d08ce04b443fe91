"""Finds out by itself which stick is on the line.

All kinds listen to the first bytes. The first that makes a frame of them is the stick's, and the others are dismissed.
Those with checksums come first; frames without anything around them are believed last.
"""

from collections import Counter

from drivers.wmbus.bare import Bare
from drivers.wmbus.lines import Lines
from drivers.wmbus.sticks import Amb8465, Caught, Im871a, Iu891a, Stick


class Sniffer:
    """Takes bytes of any stick and gives frames; `stick` is the kind, once known, and counts what it leaves out."""

    def __init__(self, counters: Counter[str]) -> None:
        self.stick: Stick | None = None
        self._counters = counters
        self._candidates: tuple[Stick, ...] = (Iu891a(), Amb8465(), Lines(), Im871a(), Bare())

    def feed(self, data: bytes) -> list[Caught]:
        """Take the next bytes and give the frames they complete."""
        if self.stick is not None:
            return self.stick.feed(data)
        heard = [(stick, stick.feed(data)) for stick in self._candidates]
        for stick, frames in heard:
            if frames:
                self.stick, self._candidates = stick, ()
                stick.counters = self._counters
                return frames
        return []
