"""Lines of an S0PCM: what they say, cut in any way, and disturbed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.analysis import Keys
from drivers.contract import DecodeError
from drivers.profiles import load
from drivers.pulse.analyze import analyze, readings
from drivers.pulse.s0pcm import Decoder, decode
from simulator.pulse_server import Module

LINE = b"ID:8237:I:10:M1:2:1042:M2:0:50"


def test_a_line_tells_each_input() -> None:
    """Module, interval, and two numbers an input."""
    telegram = decode(LINE)
    assert (telegram.module, telegram.interval) == ("8237", 10)
    assert telegram.inputs == {1: (2, 1042), 2: (0, 50)}


@pytest.mark.parametrize(
    "line",
    [
        b"", LINE[:-3] + b":", LINE[1:], b"ID:8237:I:10", LINE + b"x", LINE.replace(b"M2", b"M1"), b"ID:1:I:10:M1:5:4",
        b"ID:1:I:10:M0:0:0", b"ID:1:I:10:M1:1:99999999999",
    ],
)  # fmt: skip
def test_a_line_of_another_form_is_refused(line: bytes) -> None:
    """One error for all of it."""
    with pytest.raises(DecodeError):
        decode(line)


@given(st.lists(st.sampled_from([LINE, b"/ID:S0 Pulse Counter V0.6", b"rubbish"]), max_size=6), st.integers(1, 40))
def test_any_split_gives_the_same_lines(lines: list[bytes], step: int) -> None:
    """Chunks of any size; rubbish is counted but for the rest of a first line."""
    data = b"".join(line + b"\r\n" for line in lines)
    decoder, found = Decoder(), 0
    for at in range(0, len(data), step):
        found += len(decoder.feed(data[at : at + step]))
    assert found == lines.count(LINE)
    assert decoder.counters["bad_line"] == lines[1:].count(b"rubbish")


def test_parity_that_was_left_in_is_taken_off() -> None:
    """An adapter that knows 8N1 only hands it on."""
    odd = bytes(byte | (byte.bit_count() % 2) << 7 for byte in LINE + b"\r\n")
    assert odd != LINE + b"\r\n"
    assert Decoder().feed(odd) == [decode(LINE)]


@given(st.binary(max_size=3000))
def test_any_bytes_are_bounded_and_explained(data: bytes) -> None:
    """Nothing is raised, nothing grows."""
    decoder = Decoder()
    decoder.feed(data)
    decoder.feed(b"1" * 600)
    assert not decoder.feed(b"\n")
    assert all(frame.spans[0].start == frame.start for frame in analyze(data, Keys()))


def test_what_the_simulator_says_is_explained() -> None:
    """Values with their inputs, and what a model makes of the first."""
    data = b"/ID:S0 Pulse Counter V0.6 - 30/30/30/30/30ms\r\n" + Module(lambda: {1: 3, 2: 9}).line() + b"?\r\n"
    version, frame, rubbish = analyze(data, Keys())
    assert (version.ok, frame.ok, rubbish.ok) == (True, True, False)
    assert [(value.id, value.value) for value in frame.values] == [
        ("M1 interval", 3), ("M1 total", 3), ("M2 interval", 9), ("M2 total", 9),
    ]  # fmt: skip
    assert readings(data, load("pulse-water-1l"), Keys()) == ({"water_volume_l": 3, "water_volume_reverse_l": 0},)
