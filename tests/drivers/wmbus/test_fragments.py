"""Messages in several frames: put together, proved and deciphered as a whole, and given up when a part is missing."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.analysis import Keys
from drivers.contract import DecodeError
from drivers.profiles import load
from drivers.wmbus.analyze import analyze, readings
from drivers.wmbus.fragments import LATE, MAX_PARTS, MAX_SENDERS, Fragments
from drivers.wmbus.layers import unwrap
from drivers.wmbus.link import RadioFrame, decode_frame
from simulator.wmbus_stick import WirelessMeter

KEY = bytes(range(16))
RADIO = bytes.fromhex("8C 20 41")


def meter() -> WirelessMeter:
    """Make a water meter that signs what it sends."""
    return WirelessMeter("21050003", 7, lambda: {"water_volume": 12_345.0, "water_flow": 127}, KEY, 7)


def parts_of(whole: RadioFrame, sizes: list[int], first: int = 1, radio: bytes = b"") -> list[RadioFrame]:
    """Cut a signed message: what says its kind and counts goes with the first part, the signature with the last."""
    control, counter, signature = whole.payload[4:5], whole.payload[5:9], whole.payload[9:17]
    said, cut = whole.payload[17:], []
    for size in sizes:
        cut.append(said[:size])
        said = said[size:]
    cut.append(said)
    made = []
    for place, piece in enumerate(cut):
        what, fields = first + place, b""
        if place == 0:
            what, fields = what | 0x2800, control + counter
        what |= 0x4000 if place < len(cut) - 1 else 0x0400
        fields += b"" if place < len(cut) - 1 else signature
        layer = bytes((0x90, 2 + len(fields))) + what.to_bytes(2, "little") + fields
        made.append(replace(whole, payload=radio + layer + piece))
    return made


def text(frame: RadioFrame) -> bytes:
    """Write a frame as it is recorded."""
    body = bytes((frame.control,)) + frame.address + frame.payload
    return bytes((len(body),)) + body


@pytest.mark.parametrize("radio", [b"", RADIO])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("sizes", [[10], [1, 1, 1], [5, 0, 12, 3]])
def test_the_whole_is_proved_and_deciphered(sizes: list[int], first: int, radio: bytes) -> None:
    """However it is cut, the last part gives the message, whose signature fits; each part alone is refused."""
    whole = decode_frame(meter().frame())
    fragments = Fragments(Counter())
    parts = parts_of(whole, sizes, first, radio)
    for part in parts[:-1]:
        assert fragments.add(part) is None
        with pytest.raises(DecodeError, match="one of several frames"):
            unwrap(part, KEY)
    made = fragments.add(parts[-1])
    assert made is not None
    message = unwrap(made, KEY)
    assert (message.mode, message.counter, message.records) == (7, 1, unwrap(whole, KEY).records)
    changed = replace(made, payload=made.payload[:-1] + bytes((made.payload[-1] ^ 1,)))
    with pytest.raises(DecodeError, match="does not fit"):
        unwrap(changed, KEY)
    assert fragments.counters == Counter()


def test_other_frames_go_through() -> None:
    """A message in one frame, and one of no such layer, are given as they are, also between parts."""
    whole = decode_frame(meter().frame())
    fragments = Fragments(Counter())
    first, last = parts_of(whole, [10])
    plain = replace(whole, payload=bytes.fromhex("7A 01 00 0000 041339300000"))
    assert fragments.add(first) is None
    assert [fragments.add(frame) for frame in (whole, plain)] == [whole, plain]
    assert fragments.add(replace(whole, payload=b"\x90\xff")) is not None
    assert fragments.add(last) is not None


def test_a_repeated_part_changes_nothing() -> None:
    """A repeater's copy of the newest part is passed over."""
    parts = parts_of(decode_frame(meter().frame()), [5, 5])
    fragments = Fragments(Counter())
    assert [fragments.add(part) for part in (parts[0], parts[0], parts[1], parts[1])] == [None] * 4
    assert fragments.add(parts[2]) is not None
    assert fragments.counters == Counter()


def test_a_missing_or_late_part_gives_up_the_message() -> None:
    """Nothing is ever put together of two messages; what was lost is counted part by part."""
    parts = parts_of(decode_frame(meter().frame()), [5, 5])
    fragments = Fragments(Counter())
    assert [fragments.add(part) for part in (parts[0], parts[2], parts[1], parts[2])] == [None] * 4
    assert fragments.counters == {"part_of_message": 4}
    assert fragments.add(parts[0], 0) is None
    assert fragments.add(parts[1], LATE + 1) is None
    assert fragments.counters == {"part_of_message": 6}
    # A new first part begins anew.
    assert [fragments.add(part, LATE) is None for part in (parts[0], parts[0], parts[1])] == [True] * 3
    assert fragments.add(parts[2], LATE) is not None


def test_what_is_kept_is_bounded() -> None:
    """Neither a message without end nor many senders fill the memory."""
    whole = decode_frame(meter().frame())
    fragments = Fragments(Counter())
    endless = parts_of(whole, [0] * MAX_PARTS)
    assert [fragments.add(part) for part in endless[:MAX_PARTS]] == [None] * MAX_PARTS
    assert fragments.counters == {"part_of_message": MAX_PARTS}
    first, last = parts_of(whole, [10])
    for number in range(MAX_SENDERS + 1):
        assert fragments.add(replace(first, address=bytes(7) + bytes((number,)))) is None
    assert fragments.counters == {"part_of_message": MAX_PARTS + 1}
    assert fragments.add(replace(last, address=bytes(8))) is None
    assert fragments.add(replace(last, address=bytes(7) + b"\x01")) is not None


def test_a_recording_shows_the_whole_with_its_last_part() -> None:
    """`analyze` refuses the parts before, and gives every value with the last; so do the readings."""
    parts = parts_of(decode_frame(meter().frame()), [10, 10])
    data = b"".join(text(part) for part in parts)
    first, second, last = analyze(data, Keys(KEY))
    assert first.error == second.error == "one of several frames of a message"
    assert [(value.id, value.value) for value in last.values] == [("volume", 12.345), ("volume_flow", 0.127)]
    assert readings(data, load("wmbus-water"), Keys(KEY)) == ({"water_volume_l": 12345, "water_flow_l_h": 127},)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=12)), max_size=12))
def test_any_parts_are_kept_or_left_out(told: list[tuple[int, bytes]]) -> None:
    """Hostile parts give frames or nothing."""
    fragments = Fragments(Counter())
    whole = decode_frame(meter().frame())
    for number, rest in told:
        fragments.add(replace(whole, payload=bytes((0x90, 2, number, 0x40 if len(rest) % 2 else 0)) + rest))
