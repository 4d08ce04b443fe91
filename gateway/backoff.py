"""How long to wait before trying again: full jitter under a doubling cap, in one place."""

import random


class Backoff:
    """Gives waits in seconds, drawn between nothing and a cap that doubles from `first` to `last`.

    Full jitter spreads a fleet that lost one broker at one moment over the whole cap.
    """

    def __init__(self, first: float, last: float, dice: random.Random | None = None) -> None:
        """`dice` is handed in by tests."""
        self._first, self._last = first, last
        self._dice = dice or random.Random()  # noqa: S311  jitter, not a secret
        self._cap = first

    def next(self) -> float:
        """Draw the next wait and double the cap."""
        wait = self._dice.uniform(0, self._cap)
        self._cap = min(self._cap * 2, self._last)
        return wait

    def longest(self) -> float:
        """Give the whole cap, for what will not mend itself soon: a wrong password."""
        return self._last

    def reset(self) -> None:
        """Start again from `first`, after a success."""
        self._cap = self._first
