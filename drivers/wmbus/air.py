"""What was heard of whom: the frames that a stick caught, sorted by the meters they come from.

1. A frame is filed under the meter it speaks of, and under whoever transmits for it, where these are two.
2. The same bytes once more within seconds are a repeater's, or a second way, and left out.
3. A message in several frames is filed once, when it is whole.
4. For each meter: how strong, when last, and how far apart.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from drivers.wmbus.fragments import Fragments
from drivers.wmbus.layers import meters_of
from drivers.wmbus.link import RadioFrame, decode_frame
from drivers.wmbus.sniff import Sniffer

MAX_SENDERS = 512
"""A stick on a roof hears a few hundred; beyond, the one not heard for longest is forgotten, wanted ones last."""

KEPT = 8
"""Frames of a meter kept for its reader, who comes within one turn of the loop."""

REPEAT = 15_000
"""Milliseconds within which the same bytes are a repetition: repeaters wait up to a few seconds; meters that count
nothing send the same bytes again for good reason, a quarter of a minute later or more."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame, numbered, with the boot clock in ms and the signal in dBm where the stick tells it."""

    number: int
    at: int
    frame: RadioFrame
    signal: int | None


@dataclass(slots=True)
class Sender:
    """What is known of one sender."""

    frames: deque[Heard] = field(default_factory=lambda: deque(maxlen=KEPT))
    gaps: deque[int] = field(default_factory=lambda: deque(maxlen=16))
    wanted: bool = False

    @property
    def last(self) -> Heard:
        """The newest frame."""
        return self.frames[-1]

    @property
    def interval(self) -> float | None:
        """Seconds between frames, learnt from the last ones; None before there were three."""
        if len(self.gaps) < 2:  # noqa: PLR2004  one gap may be anything
            return None
        middle = len(self.gaps) // 2  # their median; `statistics` would take half a megabyte of a small board
        gaps = sorted(self.gaps)
        return (gaps[middle] + gaps[~middle]) / 2000


class Air:
    """Decodes a stick's bytes; `counters` are what was left out, by reason."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.counters: Counter[str] = Counter()
        self._sniffer = Sniffer(self.counters)
        self._fragments = Fragments(self.counters)
        # By maker and number, as in KAM12345678; the order is that of being heard.
        self._senders: dict[str, Sender] = {}
        self._number = 0

    def feed(self, data: bytes) -> list[Heard]:
        """Take the next bytes; give the frames of this piece, each of them filed."""
        found = []
        for caught in self._sniffer.feed(data):
            frame = self._fragments.add(decode_frame(caught.frame), self._now())
            heard = self._file(frame, caught.signal) if frame else None
            if heard is not None:
                found.append(heard)
        return found

    def senders(self, wanted: str) -> Iterator[Sender]:
        """Give those of whom a meter's address speaks: number, or maker and number."""
        for name, sender in self._senders.items():
            if name.endswith(wanted):
                sender.wanted = True
                yield sender

    def _file(self, frame: RadioFrame, signal: int | None) -> Heard | None:
        at = self._now()
        senders = [self._sender(who.manufacturer + who.number) for who in meters_of(frame)]
        if any(self._is_repeated(sender, frame, at) for sender in senders):
            self.counters["repeated"] += 1
            return None
        self._number += 1
        heard = Heard(self._number, at, frame, signal)
        for sender in senders:
            if sender.frames:
                sender.gaps.append(at - sender.last.at)
            sender.frames.append(heard)
        self._forget()
        return heard

    def _is_repeated(self, sender: Sender, frame: RadioFrame, at: int) -> bool:
        return any(other.frame == frame and at - other.at < REPEAT for other in sender.frames)

    def _sender(self, name: str) -> Sender:
        sender = self._senders.pop(name, None) or Sender()
        self._senders[name] = sender
        return sender

    def _forget(self) -> None:
        if len(self._senders) > MAX_SENDERS:
            found = (name for name, sender in self._senders.items() if not sender.wanted)
            del self._senders[next(found, next(iter(self._senders)))]
