"""What `nabd analyze` finds in bytes: the frames, what each one said, and what every byte of it meant.

Each `drivers/<protocol>/analyze.py` has

    def analyze(data: bytes, keys: Keys) -> tuple[Frame, ...]

which finds every frame in `data`, good and bad, in order, and never raises: what is wrong with a frame is its `error`.
It is a codec like others: no clock, no files, no configuration. Keys are tried on each ciphered frame. Beside it stands

    def readings(data: bytes, profile: Profile, keys: Keys) -> tuple[Mapping[str, Number], ...]

which gives what a meter model makes of the same bytes, one mapping a frame that says something of the meter, as a
`Reading.values`.
"""

from dataclasses import dataclass

from drivers.contract import Keys

__all__ = ["About", "Frame", "Keys", "Span", "Value"]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of bytes, `data[start:end]`, and what it means in one short line; `known` is False where nobody can tell.

    `depth` is how far inside other structures it stands; the outermost is 0. Spans follow one another without overlap;
    a structure's own head is a span, its members are the spans after it, one deeper.
    """

    start: int
    end: int
    meaning: str
    known: bool = True
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Value:
    """One value as the wire names and measures it, after its scaler: `id` and `unit` are the protocol's own words.

    `at` is the value's own time where it has one, ISO 8601, without an offset where the wire gives none. `quantity` is
    the closed list's name for it, where every meter of the protocol means the same by `id`.
    """

    id: str
    value: int | float | str | None
    unit: str | None = None
    at: str | None = None
    quantity: str | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What a frame says of its meter."""

    id: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    medium: str | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame found at `data[start:end]`; one with an `error` is damaged, foreign or ciphered with another key.

    `spans` explain the frame's bytes as they stand in `data`. Bytes that were deciphered or unescaped first are
    explained in `inside`, as spans of `plain`.
    """

    start: int
    end: int
    error: str | None = None
    meter: About = About()
    values: tuple[Value, ...] = ()
    spans: tuple[Span, ...] = ()
    plain: bytes = b""
    inside: tuple[Span, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the frame is whole and was understood."""
        return self.error is None
