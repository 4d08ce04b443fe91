"""One meter's contact, and who hears its edges: GPIO lines of this board, or a simulated board's.

A source stamps each edge with the monotonic clock, in nanoseconds, and numbers the edges of a line where it can.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from drivers.contract import NoAnswer
from drivers.pulse.profile import Layout

LAST_LINE = 1023
"""No GPIO chip has more lines; Linux ends far below."""

_ADDRESS = re.compile(r"(\d{1,4})(?:\s*,\s*(\d{1,4}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Contact:
    """A line of pulses, and the line of a direction contact (active is backward), if there is one."""

    line: int
    direction: int | None
    layout: Layout


@dataclass(frozen=True, slots=True)
class Edge:
    """A pulse began; `number` counts the line's edges from any number on."""

    at: int
    backward: bool = False
    number: int | None = None


Heard = Callable[[Edge], None]


class Source(Protocol):
    """Hears edges."""

    async def open(self, lost: Callable[[str], None]) -> None:
        """Begin; `lost` is told why it ended by itself. Raises NotConnected."""

    def watch(self, contact: Contact, heard: Heard) -> None:
        """Listen to a contact; raises NoAnswer for a line that cannot be had."""

    def close(self) -> None:
        """Let all lines go; never raises."""


def contact_of(address: int | str | None, layout: Layout) -> Contact:
    """Take a meter's address from the configuration: a line, or `"17, 27"` with a direction; raises NoAnswer."""
    found = _ADDRESS.fullmatch(str(address)) if address is not None and not isinstance(address, bool) else None
    lines = [int(part) for part in found.groups() if part] if found else []
    if not lines or len(set(lines)) < len(lines) or max(lines) > LAST_LINE:
        hint = 'the GPIO line of its contact, such as 17, or "17, 27" with a direction contact on line 27'
        raise NoAnswer(f"{address!r} is no line", hint)
    return Contact(lines[0], lines[1] if len(lines) > 1 else None, layout)
