"""Every captured M-Bus frame, byte by byte."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from drivers.analysis import Frame, Keys
from drivers.mbus.analyze import analyze, readings
from drivers.mbus.frames import short
from drivers.profiles import load


def is_ordered(frame: Frame) -> bool:
    """Tell whether spans lie in the frame, one behind the other."""
    edges = [edge for span in frame.spans for edge in (span.start, span.end)]
    return edges == sorted(edges) and frame.start <= edges[0] and edges[-1] <= frame.end


def test_every_byte_of_a_captured_frame_has_a_span(captures: Path) -> None:
    """One frame a file; its spans cover it but for what the meter's maker alone knows."""
    for path in sorted((captures / "mbus/test-frames").glob("*.hex")):
        data = bytes.fromhex(path.read_text())
        (frame,) = analyze(data, Keys())
        assert (frame.start, frame.end, frame.ok) == (0, len(data), True), path.name
        assert all(a.end == b.start for a, b in pairwise(frame.spans)), path.name
        assert frame.values, path.name
        assert frame.meter.id, path.name


def test_requests_are_explained_too() -> None:
    """What a reader says is a frame without values."""
    (frame,) = analyze(b"\x00" + short(0x7B, 5), Keys())
    assert (frame.start, frame.end) == (1, 6)
    assert [span.meaning for span in frame.spans][1:3] == ["REQ_UD2: your data?", "address 5"]


def test_a_model_reads_the_same_bytes(captures: Path) -> None:
    """The water meter's total in litres."""
    data = bytes.fromhex((captures / "mbus/test-frames/ACW_Itron-BM-plus-m.hex").read_text())
    assert readings(data, load("mbus-water"), Keys()) == ({"water_volume_l": 54321},)


@given(st.binary(max_size=300))
def test_any_bytes_are_explained_in_order(data: bytes) -> None:
    """Nothing is raised."""
    assert all(is_ordered(frame) for frame in analyze(data, Keys()))
