"""Recorded Modbus bytes: every frame found, every byte explained."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.analysis import Frame, Keys
from drivers.modbus.analyze import analyze, readings
from drivers.modbus.codec import Read, crc16, rtu_request, tcp_request
from drivers.profiles import load

READ = Read(4, 0, 2)
ANSWER = bytes((1, 4, 4)) + struct.pack(">f", 230.5)


def rtu(body: bytes) -> bytes:
    """Put a CRC behind a body."""
    return body + crc16(body)


REQUEST = rtu_request(1, READ)
REFUSAL = rtu(bytes((1, 0x84, 2)))
SPOKEN = REQUEST + rtu(ANSWER) + REQUEST + REFUSAL


def covered(frame: Frame) -> bool:
    """Tell whether spans cover a frame without gap or overlap."""
    edges = [frame.start, *(span.end for span in frame.spans)]
    starts = [*(span.start for span in frame.spans), frame.end]
    return edges == starts and all(a < b for a, b in pairwise(edges))


def test_a_conversation_is_found_whole() -> None:
    """Requests, the answer and the refusal each are a frame whose every byte has a meaning."""
    frames = analyze(SPOKEN, Keys())
    assert [(frame.start, frame.end, frame.ok) for frame in frames] == [
        (0, 8, True), (8, 17, True), (17, 25, True), (25, 30, True),
    ]  # fmt: skip
    assert all(covered(frame) for frame in frames)
    assert [(value.id, value.value) for value in frames[1].values] == [("input 0", 0x4366), ("input 1", 0x8000)]
    assert "register does not exist" in frames[3].spans[-2].meaning


def test_noise_is_stepped_over() -> None:
    """Bytes that belong to no frame are in none."""
    frames = analyze(b"\x00\xff" + REQUEST + b"\x01\x03" + rtu(ANSWER), Keys())
    assert [(frame.start, frame.end) for frame in frames] == [(2, 10), (12, 21)]


def test_an_answer_alone_names_no_register() -> None:
    """Without its request nobody knows which registers an answer holds."""
    (frame,) = analyze(rtu(ANSWER), Keys())
    assert [value.id for value in frame.values] == ["input +0", "input +1"]
    assert readings(rtu(ANSWER), load("eastron-sdm120"), Keys()) == ()


def test_a_meter_model_reads_the_answer() -> None:
    """What a model makes of the answer is what its driver would."""
    assert readings(SPOKEN, load("eastron-sdm120"), Keys()) == ({"voltage_v": 230.5},)


def test_tcp_is_told_by_its_heads() -> None:
    """A stream of MBAP frames is read as such, with its transaction explained."""
    data = tcp_request(7, 1, READ) + struct.pack(">HHH", 7, 0, len(ANSWER)) + ANSWER
    frames = analyze(data, Keys())
    assert [frame.ok for frame in frames] == [True, True]
    assert all(covered(frame) for frame in frames)
    assert readings(data, load("eastron-sdm120"), Keys()) == ({"voltage_v": 230.5},)


@pytest.mark.parametrize(
    "body", [bytes((1, 5, 0, 1, 0xFF, 0)), bytes((1, 16, 0, 1, 0, 1, 2, 0, 9)), bytes((1, 1, 1, 5))]
)
def test_other_functions_are_frames_too(body: bytes) -> None:
    """Whoever else talks on the line is shown, though Nabd never asks such things."""
    (frame,) = analyze(rtu(body), Keys())
    assert frame.ok
    assert covered(frame)


@given(st.binary(max_size=300))
def test_any_bytes_give_ordered_frames(data: bytes) -> None:
    """Whatever the bytes, frames lie in the data in order, and nothing is raised."""
    frames = analyze(data, Keys())
    edges = [edge for frame in frames for edge in (frame.start, frame.end)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(data) for edge in edges)
    assert all(covered(frame) for frame in frames)


@given(st.integers(0, 8 * len(SPOKEN) - 1))
def test_a_flipped_bit_costs_its_frame(bit: int) -> None:
    """A frame with one wrong bit is no frame: no value of it is shown."""
    flipped = bytearray(SPOKEN)
    flipped[bit // 8] ^= 1 << bit % 8
    whole = {SPOKEN[frame.start : frame.end] for frame in analyze(SPOKEN, Keys())}
    assert all(bytes(flipped[frame.start : frame.end]) in whole for frame in analyze(bytes(flipped), Keys()))
