"""Radio sticks: what each puts around a frame, in chunks, with noise, damaged, and found out by itself."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.wmbus.sniff import Sniffer
from drivers.wmbus.sticks import LIMIT, hci_crc
from simulator.wmbus_stick import FORMS, WirelessMeter

CHECKED = ("im871a", "iu891a", "amb8465", "cul")
"""Sticks whose lines prove a frame."""


def meter() -> WirelessMeter:
    """Make a meter whose frames hold bytes that sticks escape or begin with."""
    return WirelessMeter("C0A5DBFF", 7, lambda: {"water_volume": float(0x44FF_A5C0 & 0x7FFF_FFFF)})


def heard(sniffer: Sniffer, data: bytes, sizes: list[int]) -> list[bytes]:
    """Feed bytes in chunks of these sizes, over and over; give the frames."""
    frames, at, turn = [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        frames += [caught.frame for caught in sniffer.feed(data[at : at + size])]
        at, turn = at + size, turn + 1
    return frames


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40)
@given(sizes=st.lists(st.integers(1, 90), min_size=1, max_size=6))
def test_any_chunks_give_the_same_frames(form: str, sizes: list[int]) -> None:
    """The kind of stick is found out, and every frame is given, however the line cuts the bytes (Z3)."""
    talker = meter()
    frames = [talker.frame() for _ in range(4)]
    sniffer = Sniffer(Counter())
    assert heard(sniffer, b"".join(map(FORMS[form], frames)), sizes) == frames


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40)
@given(noise=st.binary(max_size=40), sizes=st.lists(st.integers(1, 90), min_size=1, max_size=4))
def test_frames_after_noise_are_found(form: str, noise: bytes, sizes: list[int]) -> None:
    """A known stick's frames come through once noise is over; what noise can swallow is one message (Z3)."""
    talker = meter()
    frames = [talker.frame() for _ in range(14)]
    sniffer = Sniffer(Counter())
    heard(sniffer, FORMS[form](frames[0]), [500])
    data = noise + (b"\n" if form in ("cul", "rtl_wmbus") else b"") + b"".join(map(FORMS[form], frames[1:]))
    found = heard(sniffer, data, sizes)
    assert found[-6:] == frames[-6:]


@pytest.mark.parametrize("form", CHECKED)
def test_any_flipped_bit_is_refused(form: str) -> None:
    """A stick's own checksum, or the frame's CRCs, notice every bit that turns in a frame (Z6)."""
    talker = meter()
    frame = talker.frame()
    said = FORMS[form](frame)
    for bit in range(8 * len(said)):
        sniffer = Sniffer(Counter())
        heard(sniffer, FORMS[form](talker.frame()), [500])
        damaged = bytearray(said)
        damaged[bit // 8] ^= 1 << bit % 8
        for caught in sniffer.feed(bytes(damaged)):
            # What is beside the frame may turn: the signal of a CUL, letters of digits.
            assert caught.frame == frame


def test_signals() -> None:
    """Sticks that tell the signal's strength give it in dBm."""
    found = {form: Sniffer(Counter()).feed(FORMS[form](meter().frame())) for form in FORMS}
    assert {form: caught[0].signal for form, caught in found.items() if caught[0].signal is not None} == {
        "im871a": -73, "iu891a": -75, "cul": -97,
    }  # fmt: skip


def test_answers_of_a_stick_are_no_frames() -> None:
    """Its other messages are passed over and no fault."""
    said = b"\x81\x10\x01\x33"
    counters = Counter[str]()
    sniffer = Sniffer(counters)
    frame = meter().frame()
    heard(sniffer, FORMS["im871a"](frame), [99])
    assert heard(sniffer, b"\xa5" + said + hci_crc(said) + FORMS["im871a"](frame), [5]) == [frame]
    assert not counters


@pytest.mark.parametrize("form", FORMS)
def test_a_line_without_end_is_bounded(form: str) -> None:
    """What becomes no message is thrown away and counted."""
    counters = Counter[str]()
    sniffer = Sniffer(counters)
    heard(sniffer, FORMS[form](meter().frame()), [500])
    heard(sniffer, b"\xc0" + b"7" * 20 * LIMIT, [4096])
    assert sniffer.stick is not None
    assert len(sniffer.stick._rest) <= LIMIT
    assert counters.total() > 0


def test_lines_of_receivers() -> None:
    """rtl_433's fields, C-mode lines of a CUL stick, and text that holds no frame."""
    frame = meter().frame()
    number = Counter[str]()
    lines = (
        b"time,msg,codes\n2026-03-01,,Wireless-MBus,,00010203,CRC,,," + frame.hex().encode() + b",,,22,,\r\nV 1.67\n"
    )
    assert [caught.frame for caught in Sniffer(number).feed(lines)] == [frame]
    assert number["no_frame"] == 0  # lines before a stick is known say nothing of it
