"""Recognises a wireless M-Bus receiver by what it passes on. No I/O."""

from collections import Counter

from drivers.contract import DecodeError
from drivers.link import Line
from drivers.scan import Confidence, Found
from drivers.wmbus.link import decode_frame
from drivers.wmbus.sniff import Sniffer
from drivers.wmbus.sticks import Stick

PROFILES = {
    0x02: "wmbus-electricity", 0x03: "wmbus-gas", 0x04: "wmbus-heat", 0x0A: "wmbus-heat", 0x0B: "wmbus-heat",
    0x0C: "wmbus-heat", 0x0D: "wmbus-heat", 0x06: "wmbus-water", 0x07: "wmbus-water", 0x15: "wmbus-water",
    0x16: "wmbus-water",
}  # fmt: skip


def recognise(heard: bytes, line: Line) -> list[Found]:
    """Find every meter that was heard; none where the receiver's own bytes are not certain."""
    sniffer = Sniffer(Counter())
    frames = sniffer.feed(heard)
    stick = sniffer.stick
    if stick is None or type(stick).__name__ == "Bare":  # frames without checksums may be anything
        return []
    found: dict[str, Found] = {}
    for caught in frames:
        one = _found(caught.frame, stick, line)
        if one is not None and one.serial:
            found.setdefault(one.serial, one)
    return list(found.values())


def _found(frame: bytes, stick: Stick, line: Line) -> Found | None:
    try:
        who = decode_frame(frame).sender
    except DecodeError:
        return None
    profile = PROFILES.get(who.medium)
    evidence = (f"heard by a receiver ({type(stick).__name__})", "a ciphered one needs a key_file")
    title = f"{who.manufacturer} {who.medium_name} meter"
    confidence: Confidence = "likely" if profile else "something"
    return Found("wmbus", profile, title, confidence, evidence, line, who.number, who.number)
