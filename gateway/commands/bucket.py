"""How often something may happen: so many at once, then so many a second."""


class Bucket:
    """Full at first; time is handed in, in seconds of any monotonic clock."""

    def __init__(self, most: int, a_second: float) -> None:
        """`most` at once, then `a_second`."""
        self._most, self._a_second = most, a_second
        self._left, self._at = float(most), 0.0

    def take(self, now: float) -> bool:
        """Say whether it may happen once more, now."""
        self._left = min(self._most, self._left + max(0.0, now - self._at) * self._a_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
