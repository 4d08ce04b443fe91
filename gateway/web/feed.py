"""What changed on the page, as server-sent events.

1. `part` {"id", "html"}: an element's new content; the first look gives every part.
2. `anew`: meters came or went, or the session ended; the page shall load again.
3. `beat` with the time here, at first and every ten seconds: the browser learns that the line lives, and our clock.

Nothing is queued. Each listener remembers what it was given last and takes the difference at its own pace, so a slow
one skips what was in between. After their first look, all listeners of a home and language share one rendering.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import orjson

from gateway.web.rights import Visitor
from gateway.web.screen import Screen

TICK = 0.5
"""Seconds between two looks at the meters."""
SHARE = 0.1
"""Rendering takes at most this share of the time; of many meters the page is slower rather than the program."""
BEAT = 10.0
LISTENERS = 32
"""Browsers at a time: more than a household's, few enough for a small board."""
A_HOME = 16
"""Those of one customer, who shall leave places to others."""


class _Shared:
    """A screen's parts, rendered no more often than somebody needs them."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._parts: dict[str, str] = {}
        self._until = 0.0
        self.pause = TICK
        self.listeners = 0

    def parts(self, *, fresh: bool) -> Mapping[str, str]:
        """Give the parts as they are, or as they were at most a tick ago."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        if fresh or begun >= self._until:
            self._parts = self._screen.parts()
            self.pause = max(TICK, (clock() - begun) / SHARE)
            # A little less than the pause, so that listeners that wake together do not render for each other's next.
            self._until = begun + self.pause * 0.8
        return self._parts


class Feed:
    """Serves listeners; `listeners` counts them."""

    def __init__(self, screen: Callable[[str, Visitor], Screen], now: Callable[[], int]) -> None:
        """`screen` makes one for a language and a visitor, `now` gives UTC ms."""
        self.listeners = 0
        self._shared: dict[tuple[str, Visitor], _Shared] = {}
        self._screen, self._now = screen, now

    def full(self, visitor: Visitor) -> bool:
        """Tell whether there is no place for one more, or one customer has enough of them."""
        same = sum(shared.listeners for (_, one), shared in self._shared.items() if one.tenant == visitor.tenant)
        return self.listeners >= LISTENERS or (not visitor.operates and same >= A_HOME)

    async def listen(self, language: str, visitor: Visitor, allowed: Callable[[], bool]) -> AsyncIterator[bytes]:
        """Tell what changes until the listener goes, or is no longer `allowed` to see just this."""
        clock, view = asyncio.get_running_loop().time, (language, visitor)
        shared = self._shared.setdefault(view, _Shared(self._screen(*view)))
        shared.listeners += 1
        given: dict[str, str] = {}
        beat = clock()
        self.listeners += 1
        try:
            while True:
                if not allowed():
                    yield _event("anew", "")
                    return
                if clock() >= beat:
                    beat = clock() + BEAT
                    yield _event("beat", self._now())
                # A first look must not be older than the page it comes to, or an answer just given seems undone.
                parts = dict(shared.parts(fresh=not given))
                if given and parts.keys() != given.keys():
                    yield _event("anew", "")
                    return
                for name, html in parts.items():
                    if given.get(name) != html:
                        yield _event("part", {"id": name, "html": html})
                given = parts
                await asyncio.sleep(shared.pause)
        finally:
            self.listeners -= 1
            shared.listeners -= 1
            if not shared.listeners:
                self._shared.pop(view, None)


def _event(kind: str, data: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), orjson.dumps(data))
