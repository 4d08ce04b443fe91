"""What `nabd analyze` makes of wireless frames: every byte of every captured one, values, and readings."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from drivers.analysis import Frame, Keys, Span
from drivers.contract import NO_KEYS
from drivers.profiles import load
from drivers.wmbus.analyze import analyze, readings
from simulator.wmbus_stick import FORMS, WirelessMeter, format_a

KEY = bytes(range(16))


def meter(key: bytes | None = None) -> WirelessMeter:
    """Make a water meter."""
    return WirelessMeter("21050003", 7, lambda: {"water_volume": 12_345.0}, key)


def covers(spans: tuple[Span, ...], start: int, end: int) -> bool:
    """Tell whether spans follow one another from start to end."""
    places = [start, *(span.end for span in spans)]
    return [span.start for span in spans] == places[:-1] and places[-1] == end


def is_explained(frame: Frame) -> bool:
    """Tell whether every byte of a frame, and of what was deciphered, has a meaning."""
    return covers(frame.spans, frame.start, frame.end) and (
        not frame.inside or covers(frame.inside, 0, len(frame.plain))
    )


def test_every_byte_of_every_capture(captures: Path) -> None:
    """Spans leave no hole and do not overlap; all frames whose key is given are understood."""
    errors, count = set(), 0
    for entry in json.loads((captures / "wmbus/index.json").read_text())["entries"]:
        text = (captures / "wmbus" / entry["file"]).read_text()
        if text.startswith("68"):
            continue
        data = text.encode() if entry["file"].startswith("receiver") else bytes.fromhex(text)
        for frame in analyze(data, Keys(bytes.fromhex(entry["key"])) if "key" in entry else NO_KEYS):
            assert is_explained(frame), entry["file"]
            assert frame.meter.manufacturer
            count += 1
            errors |= {frame.error} - {None}
    assert count == 198
    assert errors == {
        "the records are ciphered", "the frame is ciphered", "compact frame of unknown format 73DE",
    }  # fmt: skip


def test_a_ciphered_frame() -> None:
    """Its values come with the key, its explanation shows it deciphered; without the key its head is told."""
    data = meter(KEY).frame()
    (frame,) = analyze(data, Keys(KEY))
    assert [(value.id, value.value, value.unit) for value in frame.values] == [("volume", 12.345, "m3")]
    assert (frame.meter.id, frame.meter.manufacturer, frame.meter.medium) == ("21050003", "NBD", "water")
    assert frame.spans[-1].meaning.startswith("ciphered")
    assert "12.345 m3" in [span.meaning for span in frame.inside]
    (closed,) = analyze(data, NO_KEYS)
    assert (closed.ok, closed.error, closed.meter.id) == (False, "the records are ciphered", "21050003")
    assert closed.spans[-1].known is False


def test_recordings_of_every_stick() -> None:
    """Frames are found in what each kind of stick says, and on air with CRCs."""
    for tell in (*FORMS.values(), format_a):
        talker = meter()
        data = b"".join(tell(talker.frame()) for _ in range(2))
        found = analyze(data, NO_KEYS)
        assert [frame.values[0].value for frame in found] == [12.345, 12.345]
        assert all(is_explained(frame) for frame in found)
        assert found[0].end <= found[1].start
        assert readings(data, load("wmbus-water"), NO_KEYS) == ({"water_volume_l": 12345},) * 2


@given(st.binary(max_size=300))
def test_any_bytes_are_explained(data: bytes) -> None:
    """Nothing is raised, and every frame found is explained."""
    for frame in analyze(data, Keys(KEY)):
        assert 0 <= frame.start <= frame.end <= len(data)
        assert is_explained(frame)
