"""Tests of drivers/p1/analyze.py: what recorded bytes mean, to the last one."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.analysis import About, Frame, Span, Value
from drivers.contract import Keys
from drivers.p1.analyze import analyze, readings
from drivers.p1.codec import encode
from drivers.profiles import load

KEYS = Keys(bytes(16))
ONE = encode("NBD5\\2ONE", ["0-0:96.1.1(53494D31)", "1-0:1.8.1(000004.426*kWh)", "odd", "1-0:1.7.0(01.193*kW)"])

Seal = Callable[..., bytes]


def one(data: bytes, keys: Keys = KEYS) -> Frame:
    """Explain bytes that are one frame."""
    (frame,) = analyze(data, keys)
    return frame


def cover(spans: Iterable[Span], start: int, end: int) -> None:
    """Spans follow one another from start to end."""
    spans = tuple(spans)
    assert (spans[0].start, spans[-1].end) == (start, end)
    for before, after in pairwise(spans):
        assert before.end == after.start
        assert after.start < after.end


def test_every_captured_value_has_its_number_unit_and_text(p1_captures: list[Any]) -> None:
    """Each group that a capture is expected to hold is a value, a value's time, or the unit behind it."""
    for capture in p1_captures:
        frame = one(capture.data, capture.keys)
        assert frame.ok is (capture.expected["crc_ok"] is not False), capture.name
        if not frame.ok:
            assert frame.values == ()
            continue
        cover(frame.spans, frame.start, frame.end)
        said = {(value.id, value.value, value.unit) for value in frame.values}
        for code, *groups in capture.expected["objects"]:
            for text, unit in groups:
                if unit:
                    assert (code, float(text), unit) in said, capture.name
        assert {value.id for value in frame.values} == {code for code, *_ in capture.expected["objects"]}


def test_numbers_are_numbers_and_texts_are_texts() -> None:
    """A serial number of digits keeps its zeros; a counter of failures is a number; a time belongs to its value."""
    frame = one(
        encode(
            "NBD5\\2MODEL-1",
            [
                "1-3:0.2.8(50)", "0-0:1.0.0(260301120000W)", "0-0:96.1.1(53494D31)", "0-0:96.7.21(00013)",
                "0-0:96.14.0(0002)", "1-0:1.8.0(000004.426kWh)", "1-0:1.6.0(260301110000W)(02.589*kW)",
                "1-0:99.97.0(1)(0-0:96.7.19)(190326095015W)(0000002014*s)", "0-2:24.1.0(007)",
                "0-2:24.2.1(260301110000W)(00872.234*m3)", "0-1:24.2.1(700101010000W)(00000000)", "0-0:96.13.0()",
            ],
        )
    )  # fmt: skip
    noon, eleven = "260301120000W", "2026-03-01T11:00:00+01:00"
    assert frame.meter == About("SIM1", "NBD", "MODEL-1", "electricity")
    assert frame.values == (
        Value("1-3:0.2.8", "50"),
        Value("0-0:1.0.0", noon),
        Value("0-0:96.1.1", "53494D31"),
        Value("0-0:96.7.21", 13),
        Value("0-0:96.14.0", "0002"),
        Value("1-0:1.8.0", 4.426, "kWh", None, "energy_import"),
        Value("1-0:1.6.0", 2.589, "kW", eleven),
        Value("1-0:99.97.0", 1),
        Value("1-0:99.97.0", "0-0:96.7.19"),
        Value("1-0:99.97.0", 2014, "s", "2019-03-26T09:50:15+01:00"),
        Value("0-2:24.1.0", 7),
        Value("0-2:24.2.1", 872.234, "m3", eleven, "water_volume"),
        Value("0-1:24.2.1", "700101010000W"),
        Value("0-1:24.2.1", 0),
        Value("0-0:96.13.0", ""),
    )


def test_old_form_of_a_gas_value() -> None:
    """DSMR 2 and 3 write time and unit far from the number."""
    frame = one(
        b"/NBD3\r\n\r\n0-1:24.1.0(03)\r\n0-1:24.3.0(260301110000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(00001.001)\r\n!\r\n"
    )
    assert frame.values[-1] == Value("0-1:24.3.0", 1.001, "m3", "2026-03-01T11:00:00", "gas_volume")
    cover(frame.spans, 0, frame.end)


def test_lines_are_explained_and_odd_ones_shown() -> None:
    """A vendor's odd line costs itself only."""
    frame = one(b"noise" + ONE)
    assert (frame.start, frame.end, frame.error) == (5, 5 + len(ONE) - 2, None)
    cover(frame.spans, frame.start, frame.end)
    meanings = [span.meaning for span in frame.spans]
    assert meanings[0] == "identification: NBD5\\2ONE"
    assert meanings[-3:] == ["power import: 1.193 kW", "end", "CRC-16 of the text, right"]
    assert [span.known for span in frame.spans] == [True, True, True, False, True, True, True]


def test_damage_is_named_and_still_shown() -> None:
    """A wrong checksum, a telegram that breaks off, and one that a newer start cut."""
    wrong, cut, rest = analyze(ONE.replace(b"4.426", b"4.427") + ONE[:50] + ONE[:-30], KEYS)
    assert wrong.error == "the checksum does not fit the text"
    assert not wrong.spans[-1].known
    assert cut.error == rest.error == "the telegram does not end"
    assert rest.end == 2 * len(ONE) + 50 - 30
    for frame in (wrong, cut, rest):
        cover(frame.spans, frame.start, frame.end)
        assert frame.values == ()


def test_ciphered_frame_is_explained_outside_and_inside(seal: Seal) -> None:
    """Head, counter and tag of the bytes as they stand, and the text by its own places."""
    data = seal(ONE, 77, KEYS)
    frame = one(data)
    assert frame.ok
    assert frame.plain == ONE
    cover(frame.spans, 0, len(data))
    cover(frame.inside, 0, len(ONE) - 2)
    assert "frame counter 77" in [span.meaning for span in frame.spans]
    assert all(span.known for span in frame.spans)
    assert frame.values == one(ONE).values


@pytest.mark.parametrize(
    ("keys", "error"),
    [(Keys(), "the telegrams are ciphered"), (Keys(bytes(15) + b"x"), "the key does not open this telegram")],
)
def test_closed_frame_says_why_and_whose_it_is(seal: Seal, keys: Keys, error: str) -> None:
    """The system title names the maker; what is ciphered stays unknown."""
    frame = one(seal(ONE, 77, KEYS), keys)
    assert frame.error is not None
    assert frame.error.startswith(error)
    assert frame.meter == About("4E42440000000001", "NBD", None, "electricity")
    assert [span.known for span in frame.spans][-2:] == [False, False]
    assert (frame.values, frame.inside, frame.plain) == ((), (), b"")


def test_meter_model_makes_readings_of_each_telegram(seal: Seal) -> None:
    """Plain and ciphered ones, in order; damaged ones and those of other meters give none."""
    data = ONE + ONE.replace(b"4.426", b"4.427") + seal(ONE, 1, KEYS)
    expected = {"energy_import_t1_wh": 4426, "power_import_w": 1193}
    assert readings(data, load("dsmr-p1"), KEYS) == (expected, expected)
    assert readings(data, load("dsmr-p1"), Keys()) == (expected,)
    assert readings(data, load("dsmr-p1-gas"), KEYS) == ()


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"/ABC", b"\n!", b"1-0:1.8.0(1*kWh)\r\n", ONE]))))
def test_any_bytes_are_explained_without_a_gap(chunks: list[bytes]) -> None:
    """Frames follow one another, and the spans of each cover it."""
    data = b"".join(chunks)
    frames = analyze(data, KEYS)
    for before, after in pairwise(frames):
        assert before.end <= after.start
    for frame in frames:
        assert frame.end <= len(data)
        cover(frame.spans, frame.start, frame.end)
