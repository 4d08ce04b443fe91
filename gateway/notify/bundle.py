"""Messages that go together: what was first due at one moment on one person's channel is one message.

Its key is made from those of its parts: the same parts sent again are the same message, and a message with other parts
is another one, so that no receiver leaves out what it never got.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from gateway.notify.planning import Waiting
from gateway.notify.router import RANK


@dataclass(frozen=True, slots=True)
class Bundle:
    """One message's parts, the gravest first; nearly always a single one."""

    parts: tuple[Waiting, ...]

    @property
    def key(self) -> str:
        """Name the message for ever."""
        if len(self.parts) == 1:
            return self.parts[0].key
        digest = blake2b("\n".join(sorted(part.key for part in self.parts)).encode(), digest_size=12).hexdigest()
        return f"bundle-{digest}.{self.parts[0].channel}"

    @property
    def first(self) -> Waiting:
        """Give the gravest part."""
        return self.parts[0]


def bundles(waiting: Iterable[Waiting], *, machine: bool) -> list[Bundle]:
    """Put together what goes together, in the order given; a machine gets every event by itself."""
    found: dict[object, list[Waiting]] = {}
    for part in waiting:
        alone = machine or part.event.severity == "critical" or part.repeat or part.digest is not None
        found.setdefault(part.id if alone else ("since", part.since), []).append(part)
    return [Bundle(_gravest_first(parts)) for parts in found.values()]


def _gravest_first(parts: Sequence[Waiting]) -> tuple[Waiting, ...]:
    return tuple(sorted(parts, key=lambda part: (-RANK[part.event.severity], not part.event.open, part.id)))
