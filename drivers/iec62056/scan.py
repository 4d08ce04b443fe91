"""Finds an IEC 62056-21 meter: by what it says unasked (mode D), or by its name when it is asked to sign on. No I/O.

Nothing is chosen of what the meter then offers, so it falls silent again by itself.
"""

from drivers.contract import Keys
from drivers.iec62056.analyze import analyze
from drivers.iec62056.codec import Reader
from drivers.iec62056.messages import Identification, sign_on
from drivers.iec62056.parity import without_parity
from drivers.link import Line
from drivers.scan import Ask, Found, Script

ASKED = Line(300, 7, "E", 1)

WAIT = 1.7
"""Seconds a meter may take: 1.5 as the slowest do, and the adapter's share."""


def asked() -> Script[list[Found]]:
    """Ask the only meter of a head for its name."""
    heard = yield Ask(sign_on(), ASKED, WAIT, "IEC 62056-21 sign-on at 300", _is_named, rest=1.0, most=3.0, left=WAIT)
    said = _name(heard)
    if said is None:
        return []
    evidence = (f"it signs on as {said.maker} {said.type.strip()}", "its list was not read")
    title = f"{said.maker} {said.type.strip()}"
    return [Found("iec62056-21", "iec62056-21", title, "likely", evidence, ASKED)]


def recognise(heard: bytes, line: Line) -> Found | None:
    """Find a whole list in what a line says by itself."""
    for data in (heard, without_parity(heard)):
        frame = next((frame for frame in analyze(data, Keys()) if frame.ok and frame.values), None)
        if frame is not None:
            title = " ".join(text for text in (frame.meter.manufacturer, frame.meter.model) if text)
            settings = Line(line.baud, 7, "E", 1) if data is not heard else line
            evidence = ("it sends its list by itself", f"with {len(frame.values)} values")
            return Found("iec62056-21", "iec62056-21-d", title, "likely", evidence, settings, serial=frame.meter.id)
    return None


def _is_named(heard: bytes) -> bool:
    return _name(heard) is not None


def _name(heard: bytes) -> Identification | None:
    for data in (heard, without_parity(heard)):
        found = [message for message in Reader().feed(data) if isinstance(message, Identification)]
        if found:
            return found[0]
    return None
