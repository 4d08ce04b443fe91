"""What changed on the page, as server-sent events.

1. `part` {"id", "html"}: an element's new content; the first look gives every part.
2. `anew`: meters came or went, or the session ended; the page shall load again.
3. `beat` with the time here, at first and every ten seconds: the browser learns that the line lives, and our clock.
4. `full` with seconds, alone: there is no place to listen; the page renews itself after so long and asks again.

Nothing is queued. Each listener remembers what it was given last and takes the difference at its own pace, so a slow
one skips what was in between. All listeners of a home and language share one view.

A look at a view that nothing changed costs microseconds, for a screen renders only what did. What the last looks at
all views took together decides how long each rests until its next: the more there is to show to the more people, the
slower every page, so that meters and stores never wait for them. Listeners sleep a little shorter or longer than
that, by chance: what made many wake together, such as a moment when the program was busy, would else keep them
together.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

import orjson

from gateway.web.crowd import HOUSE, Crowd
from gateway.web.rights import Visitor
from gateway.web.screen import Screen

TICK = 0.5
"""Seconds between two looks at the meters, at least."""
ASLEEP = 2.0
"""Seconds a listener sleeps at most, or little more: so soon is a page closed whose session ended."""
SPREAD = 0.2
"""Part of its sleep by which a listener sleeps shorter or longer."""
BEAT = 10.0
A_HOME = 16
"""Listeners of one customer, who shall leave places to others."""
AGAIN = 30
"""Seconds after which a page that found no place tries again: by then others were closed, and its values are old."""


@dataclass(slots=True)
class _View:
    """One home in one language as one visitor sees it; `cost` is what the last look took, in seconds."""

    screen: Screen
    parts: Mapping[str, str] = field(default_factory=dict)
    cost: float = 0.0
    rests_until: float = 0.0
    listeners: int = 0


class Feed:
    """Serves listeners; `listeners` counts them."""

    def __init__(
        self,
        screen: Callable[[str, Visitor], Screen],
        now: Callable[[], int],
        crowd: Crowd = HOUSE,
        dice: random.Random | None = None,
    ) -> None:
        """`screen` makes one for a language and a visitor, `now` gives UTC ms; `dice` is handed in by tests."""
        self.listeners = 0
        self._views: dict[tuple[str, Visitor], _View] = {}
        self._of_tenant = Counter[str]()
        self._cost = 0.0
        self._screen, self._now, self._crowd = screen, now, crowd
        self._dice = dice or random.Random()  # noqa: S311  to wake apart, not a secret

    @property
    def pause(self) -> float:
        """Give the seconds a view rests after a look: as long as all views together need for their share."""
        return max(TICK, self._cost / self._crowd.share)

    def full(self, visitor: Visitor) -> bool:
        """Tell whether there is no place for one more, or one customer has enough of them."""
        enough = not visitor.operates and self._of_tenant[visitor.tenant] >= A_HOME
        return enough or self.listeners >= self._crowd.listeners

    async def listen(self, language: str, visitor: Visitor, allowed: Callable[[], bool]) -> AsyncIterator[bytes]:
        """Tell what changes until the listener goes, or is no longer `allowed` to see just this."""
        if self.full(visitor):
            yield _event("full", AGAIN)
            return
        view = self._enter(language, visitor)
        try:
            async for event in self._follow(view, allowed):
                yield event
        finally:
            self._leave(language, visitor)

    async def _follow(self, view: _View, allowed: Callable[[], bool]) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop().time
        given: Mapping[str, str] = {}
        beat = clock()
        while allowed():
            if clock() >= beat:
                beat = clock() + BEAT
                yield _event("beat", self._now())
            # A first look must not be older than the page it comes to, or an answer just given seems undone.
            parts = self._look(view, clock, fresh=not given)
            if given and parts.keys() != given.keys():
                break
            for name, html in parts.items() if parts is not given else ():
                if given.get(name) != html:
                    yield _event("part", {"id": name, "html": html})
            given = parts
            await asyncio.sleep(min(self.pause, ASLEEP) * self._dice.uniform(1 - SPREAD, 1 + SPREAD))
        yield _event("anew", "")

    def _look(self, view: _View, clock: Callable[[], float], *, fresh: bool) -> Mapping[str, str]:
        """Give the parts as they are, or as they were a pause ago at most."""
        begun = clock()
        if fresh or begun >= view.rests_until:
            view.parts = view.screen.parts(anew=fresh)
            cost = clock() - begun
            self._cost += cost - view.cost
            view.cost = cost
            # A little less than the pause, so that listeners that wake together do not render for each other's next.
            view.rests_until = begun + self.pause * 0.8
        return view.parts

    def _enter(self, language: str, visitor: Visitor) -> _View:
        key = (language, visitor)
        if key not in self._views:
            self._views[key] = _View(self._screen(*key))
        self._views[key].listeners += 1
        self._of_tenant[visitor.tenant] += 1
        self.listeners += 1
        return self._views[key]

    def _leave(self, language: str, visitor: Visitor) -> None:
        view = self._views[language, visitor]
        view.listeners -= 1
        self._of_tenant -= Counter([visitor.tenant])  # which forgets who has none left
        self.listeners -= 1
        if not view.listeners:
            self._cost -= view.cost
            del self._views[language, visitor]


def _event(kind: str, data: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), orjson.dumps(data))
