"""Takes our own bytes out of what is heard."""


class Echo:
    """Takes out what we sent ourselves: many optical heads and current loops hear their own light."""

    def __init__(self) -> None:
        self._expected = b""
        self._held = b""

    def expect(self, sent: bytes) -> None:
        """Note what was just sent."""
        self._expected, self._held = sent, b""

    def take_from(self, data: bytes) -> bytes:
        """Give what is no echo; what may still become one is held back."""
        if not self._expected:
            return data
        data = self._held + data
        if self._expected.startswith(data):
            self._held = data
            if data == self._expected:
                self._expected = self._held = b""
            return b""
        echoed = data.startswith(self._expected)
        rest = data[len(self._expected) :] if echoed else data
        self._expected = self._held = b""
        return rest
