"""Tests of drivers/iec62056/analyze.py: captured lists, damaged ones, and an explanation of every byte."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.analysis import About, Frame, Keys, Value
from drivers.iec62056.analyze import analyze, readings
from drivers.profiles import load
from simulator.iec62056_server import Model, list_of

LIST = (
    Model().identification + "\r\n" + list_of(Model(), {"0.0.0": "4711", "1.8.0": "012345.678*kWh", "P.01": "a)(2*h"})
).encode()


def explained(frame: Frame) -> None:
    """Every byte of a frame is in one span, in order."""
    assert frame.spans[0].start == frame.start
    assert frame.spans[-1].end == frame.end
    assert all(left.end == right.start for left, right in pairwise(frame.spans))
    assert all(span.start < span.end for span in frame.spans)


def test_captures(captures: Path) -> None:
    """Each captured list gives every expected value and unit, right or wrong as indexed, and explains all its bytes."""
    folder = captures / "iec62056-21"
    for entry in json.loads((folder / "index.json").read_text(encoding="utf-8"))["entries"]:
        frames = analyze((folder / entry["file"]).read_bytes(), Keys())
        expected = entry["expected"]
        found = frames[-1]
        assert found.ok is (expected["bcc_ok"] is not False), entry["file"]
        assert found.meter.manufacturer == expected["manufacturer"].upper()
        address = ""
        for value, (name, text, unit) in zip(found.values, expected["data_sets"], strict=True):
            address = name or address
            assert (value.id, value.unit) == (address, unit)
            assert value.value == text or value.value == float(text)
        for frame in frames:
            explained(frame)


def test_a_list() -> None:
    """Numbers are numbers, names are ours where all meters mean the same, and continued values keep their address."""
    (frame,) = analyze(b"noise" + LIST + b"more", Keys())
    assert frame.ok
    assert (frame.start, frame.end) == (5, 5 + len(LIST))
    assert frame.meter == About("4711", "NBD", "SIMULATED", "electricity")
    assert frame.values == (
        Value("0.0.0", "4711"),
        Value("1.8.0", 12345.678, "kWh", quantity="energy_import"),
        Value("P.01", "a"),
        Value("P.01", 2, "h"),
    )
    assert [span.meaning for span in frame.spans] == [
        "maker NBD", "mode C, 9600 baud", "type SIMULATED", "empty line", "start of the list (STX)", "0.0.0: 4711",
        "energy import: 012345.678 kWh", "P.01: a", "P.01: 2 h", "end of the list", "end of the block (ETX)",
        "check character, right",
    ]  # fmt: skip
    assert all(span.known for span in frame.spans)


def test_every_flipped_bit_is_no_whole_frame() -> None:
    """Whatever bit turns, no frame that counts as whole holds another value (Z6)."""
    (right,) = analyze(LIST, Keys())
    for place in range(len(LIST)):
        for bit in range(8):
            spoiled = LIST[:place] + bytes((LIST[place] ^ 1 << bit,)) + LIST[place + 1 :]
            for frame in analyze(spoiled, Keys()):
                assert frame.values == right.values or not frame.ok


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (LIST[:-1] + b"\0", "the check character is wrong"),
        (LIST.replace(b"\x02", b"B"), "a check character follows, but STX is missing"),
        (LIST[:60], "the list breaks off"),
        (LIST[:20] + LIST, "the list breaks off"),
        (LIST.replace(b"47", b"4\xff"), "a character has the wrong parity"),
        (b"/NBD5X\r\n", "the list breaks off"),
    ],
    ids=["check", "no STX", "cut", "newer", "parity", "no list"],
)
def test_damaged_lists_say_why(data: bytes, error: str) -> None:
    """A damaged list is a frame with its reason, and all its bytes are explained."""
    frames = analyze(data, Keys())
    assert frames[0].error == error
    explained(frames[0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=30), st.sampled_from([LIST, LIST[:70], LIST[20:], b"/NBD5X\r\n"]))))
def test_any_bytes_are_explained(pieces: list[bytes]) -> None:
    """Whatever comes, nothing is raised, and frames do not overlap."""
    frames = analyze(b"".join(pieces), Keys())
    for frame in frames:
        explained(frame)
    assert all(left.end <= right.start for left, right in pairwise(frames))


def test_readings_of_a_profile() -> None:
    """A profile reads the lists it would take on a live line."""
    profile = load("iec62056-21")
    assert readings(LIST + LIST, profile, Keys()) == ({"energy_import_wh": 12345678},) * 2
    assert readings(LIST[:-1] + b"\0", profile, Keys()) == ()
