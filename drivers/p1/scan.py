"""Recognises a P1 port by what it says. No I/O."""

from drivers.contract import Keys
from drivers.iec62056.parity import without_parity
from drivers.link import Line
from drivers.p1.analyze import analyze
from drivers.p1.framing import Framing
from drivers.scan import Found

SEALED = "its telegrams are ciphered: it needs a key_file"


def recognise(heard: bytes, line: Line) -> Found | None:
    """Find a whole telegram: one whose checksum is right, or one that is ciphered."""
    for data in (heard, without_parity(heard)):
        settings = Line(line.baud, 7, "E", 1) if data is not heard else line
        frame = next((frame for frame in analyze(data, Keys()) if frame.ok and frame.values), None)
        if frame is not None:
            title = " ".join(text for text in (frame.meter.manufacturer, frame.meter.model) if text) or "a P1 port"
            evidence = (f"its telegram has {len(frame.values)} values",)
            return Found("p1", "dsmr-p1", title, "sure", evidence, settings, serial=frame.meter.id)
        if any(cut.kind == "sealed" for cut in Framing().feed(data)):
            return Found("p1", "dsmr-p1", "a P1 port", "likely", (SEALED,), settings)
    return None
