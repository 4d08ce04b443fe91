"""Tests of drivers/sml/analyze.py and explain.py: every byte of a file has its meaning."""

from pathlib import Path

from drivers.analysis import About, Frame, Keys, Span
from drivers.sml.analyze import analyze
from drivers.sml.codec import ESCAPE, START
from simulator.sml_server import LEFT_OUT, LIST, W, entry, file_of, listed, message, octets, push, signed, unsigned

SERVER = bytes.fromhex("0A014E42440000BC614E")


def without_gaps(frame: Frame, spans: tuple[Span, ...], start: int, end: int) -> bool:
    """Tell whether spans follow one another from start to end."""
    places = [start, *(span.end for span in spans)]
    return places[-1] == end and [span.start for span in spans] == places[:-1] and frame.end > frame.start


def test_every_byte_of_every_capture_has_a_meaning(captures: Path) -> None:
    """Spans without gaps, nothing unknown in whole files; manufacturer's objects are named."""
    meanings = set()
    for path in sorted((captures / "sml").glob("*.bin")):
        for frame in analyze(path.read_bytes(), Keys()):
            assert without_gaps(frame, frame.spans, frame.start, frame.end), path.name
            assert all(span.known for span in frame.spans) == frame.ok, path.name
            meanings |= {span.meaning for span in frame.spans}
    assert "code: 129-129:199.130.3*255, maker" in meanings
    assert "code: 129-129:199.130.5*255, public key" in meanings
    assert {'value: 48 41 47 45 52 "HAGER"', "value: -769.717 W", "status: 0x001c0104"} <= meanings


def test_who_it_is_and_when() -> None:
    """Id as printed, maker and medium; a value's own time, text, truth and structure."""
    time = listed(unsigned(3, 1), listed(unsigned(1_790_000_000, 4), signed(60, 2), signed(60, 2)))
    own = listed(
        octets(bytes((1, 0, 1, 8, 0, 255))), LEFT_OUT, time, unsigned(30, 1), signed(2, 1), unsigned(9, 1), LEFT_OUT
    )
    rows = [
        own,
        entry("1-0:96.1.0*255", octets(SERVER)),
        entry("1-0:0.9.1*255", listed(unsigned(2, 1), unsigned(1_790_000_000, 4))),
        entry("1-0:99.0.0*255", unsigned(1, 1), 200),
    ]
    (frame,) = analyze(b"noise" + push(SERVER, rows, 1, 1), Keys())
    assert frame.meter == About("1 NBD00 1234 5678", "NBD", None, "electricity")
    assert [(v.id, v.value, v.unit, v.at, v.quantity) for v in frame.values] == [
        ("1-0:1.8.0*255", 900, "Wh", "2026-09-21T16:13:20+02:00", "energy_import"),
        ("1-0:96.1.0*255", "1 NBD00 1234 5678", None, None, None),
        ("1-0:0.9.1*255", "2026-09-21T14:13:20+00:00", None, None, None),
        ("1-0:99.0.0*255", 1, "unit 200", None, None),
    ]
    assert frame.start == 5


def test_escaped_bytes_are_explained_as_they_were_meant() -> None:
    """What is sent twice is told once, in the plain bytes; the wire shows marks and the whole between."""
    data = push(SERVER, [entry("1-0:1.8.0*255", octets(b"a" + ESCAPE))], 1, 1)
    (frame,) = analyze(data, Keys())
    assert frame.ok
    assert without_gaps(frame, frame.spans, 0, len(data))
    assert without_gaps(frame, frame.inside, 0, len(frame.plain))
    assert len(frame.plain) == len(data) - 16 - len(ESCAPE)
    assert "sent twice" in frame.spans[1].meaning


def test_damage_is_named() -> None:
    """Cut, flipped, no SML inside, not even a byte after the mark: one frame each, and never an exception."""
    good = push(SERVER, [entry("1-0:16.7.0*255", signed(5, 1), W, 0)], 1, 1)
    broken = bytearray(good)
    broken[40] ^= 1
    odd = file_of([message(1, LIST, b"\x50")])
    frames = analyze(good[:60] + bytes(broken) + good + odd + START, Keys())
    assert [frame.error and frame.error.partition(":")[0] for frame in frames] == [
        "cut off", "damaged", None, "no SML, though the file's checksum is right", "cut off",
    ]  # fmt: skip
    assert all(without_gaps(frame, frame.spans, frame.start, frame.end) for frame in frames)
    assert [span.meaning for span in frames[3].spans if not span.known] == ["not understood"]
