"""What `nabd analyze` makes of DLMS: every byte of every capture has a meaning, ciphered ones too."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.analysis import About, Frame, Keys, Span, Value
from drivers.contract import NO_KEYS
from drivers.dlms.analyze import analyze, notifications, readings
from drivers.dlms.axdr import Data, Tag
from drivers.dlms.hdlc import Address, Kind
from drivers.dlms.hdlc import Frame as HdlcFrame
from drivers.dlms.notices import Block, DataNotification, EventNotification
from drivers.dlms.objects import Descriptor
from drivers.dlms.push import LLC
from drivers.dlms.sealed import GENERAL_GLOBAL
from drivers.dlms.security import seal
from drivers.dlms.services import GetListRequest, GetListResponse, GetRequest, GetResponse
from drivers.dlms.wrapper import Wrapped
from drivers.profiles import load

TITLE = b"NBD\x00\x00\x00\x00\x01"
KEYS = Keys(bytes(range(16)), bytes(range(16, 32)))
ENERGY = Descriptor(3, bytes((1, 0, 1, 8, 0, 255)), 2)


def is_whole(frame: Frame) -> bool:
    """Tell whether spans explain each byte of a frame once, and each byte of what was inside."""
    return _follow(frame.spans, frame.start, frame.end) and (
        not frame.plain or _follow(frame.inside, 0, len(frame.plain))
    )


def _follow(spans: tuple[Span, ...], start: int, end: int) -> bool:
    places = [start, *(span.end for span in spans)]
    return places[-1] == end and [span.start for span in spans] == places[:-1]


def all_captures(captures: Path) -> list[tuple[str, bytes, Keys, dict[str, Any]]]:
    """Read each captured file with its key."""
    entries = json.loads((captures / "dlms/index.json").read_text())["entries"]
    return [
        (
            entry["file"],
            bytes.fromhex((captures / "dlms" / entry["file"]).read_text()),
            Keys(bytes.fromhex(entry["key"])) if "key" in entry else NO_KEYS,
            entry,
        )
        for entry in entries
        if entry["file"].endswith(".hex")
    ]


def test_every_byte_of_every_capture_has_a_meaning(captures: Path) -> None:
    """Spans without gaps; what is whole is known to the last byte; what is not has a reason."""
    good = 0
    for name, data, keys, _ in all_captures(captures):
        frames = analyze(data, keys)
        assert frames, name
        for frame in frames:
            assert is_whole(frame), name
            assert not frame.ok or all(span.known for span in frame.spans + frame.inside), name
            good += frame.ok
    assert good >= 50


def test_every_push_gives_its_values(captures: Path) -> None:
    """Each expected number of another implementation is among the values, under its code where it has one."""
    for name, data, keys, entry in all_captures(captures):
        if not name.startswith("push/"):
            continue
        values = [value for frame in analyze(data, keys) for value in frame.values]
        for message in entry["expected"].get("messages", ()):
            for code, _, number in message:
                a, b, *rest = code.split(".")
                found = [value.value for value in values if value.id == f"{a}-{b}:{'.'.join(rest[:-1])}*{rest[-1]}"]
                assert number in found or (isinstance(number, str) and ":" in number and found), (name, code)
        for code, number, unit in entry["expected"].get("values", ()):
            assert (code, number, unit) in [(value.id, value.value, value.unit) for value in values]
        if "messages" in entry["expected"] and not entry["expected"]["messages"]:
            assert not values, name


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("amshan_aidon_no_list_2", About("7359992892587665", "AIDON", "6525", "electricity")),
        ("amshan_kaifa_se_list", About("7340734073407340", "KFM", "MA304H4", "electricity")),
        (
            "amshan_kamstrup_se_list_real_sample",
            About("5705705705705707", "Kamstrup", "6841138BN245101090", "electricity"),
        ),
        ("scs_lg_e570_encrypted_valid_data", About("LGZ1030769231253", "LGZ", None, "electricity")),
        ("synthetic_mbus_transport_2", About("1KFM0200000777", "KFM", None, "electricity")),
    ],
)
def test_who_pushed_it(captures: Path, name: str, about: About) -> None:
    """Id, maker and model, by the codes that makers use."""
    data, keys = next((data, keys) for file, data, keys, _ in all_captures(captures) if file == f"push/{name}.hex")
    assert analyze(data, keys)[-1].meter == about


def test_a_meter_model_reads_recorded_bytes(captures: Path) -> None:
    """One mapping a notification, none for what is damaged."""
    files = {file: (data, keys) for file, data, keys, _ in all_captures(captures)}
    data, keys = files["push/amshan_kaifa_no_list_2.hex"]
    (values,) = readings(data, load("dlms-kaifa"), keys)
    assert values["power_import_w"] == 9745
    data, keys = files["push/scs_lg_e450_unencrypted_invalid_data.hex"]
    assert readings(data, load("dlms-landis-e450"), keys) == ()


def test_a_recorded_session_is_explained(captures: Path) -> None:
    """Both sides of a ciphered session: titles are learnt from it, answers are named by what was asked."""
    told = json.loads((captures / "dlms/transcripts/hls_gmac_hdlc.json").read_text())
    keys = Keys(bytes.fromhex(told["block_cipher_key"]), bytes.fromhex(told["authentication_key"]))
    frames = analyze(b"".join(bytes.fromhex(raw) for _, raw in told["bytes"]), keys)
    assert len(frames) == len(told["bytes"])
    assert all(frame.ok and is_whole(frame) for frame in frames)
    assert Value("1-0:1.8.0*255", 12345678, None, None, "energy_import") in [v for f in frames for v in f.values]
    told = json.loads((captures / "dlms/transcripts/lls_wrapper.json").read_text())
    frames = analyze(b"".join(bytes.fromhex(raw) for _, raw in told["bytes"]), NO_KEYS)
    assert len(frames) == len(told["bytes"]) - 1  # one answer came in two parts
    assert all(frame.ok and is_whole(frame) for frame in frames)


def pushed(value: Data) -> DataNotification:
    """Make a push of one named value."""
    named = (Data(Tag.OCTET_STRING, ENERGY.obis), value, *scaled(-1, 30))
    return DataNotification(Data(Tag.STRUCTURE, named))


def scaled(power: int, unit: int) -> tuple[Data]:
    """Make what follows a value: power of ten and unit."""
    return (Data(Tag.STRUCTURE, (Data(Tag.INT8, power), Data(Tag.ENUM, unit))),)


def test_what_is_inside_is_explained_inside() -> None:
    """Blocks of a ciphered message: the last frame explains the plain text; a missing key is a named error."""
    closed = bytes(seal(bytes(pushed(Data(Tag.UINT32, 1234))), GENERAL_GLOBAL, TITLE, 1, KEYS))
    blocks = Block(1, closed[:20]), Block(2, closed[20:], last=True)
    data = b"rubbish" + b"".join(
        bytes(HdlcFrame(Address(16), Address(1), Kind.UI, LLC[0] + bytes(block))) for block in blocks
    )
    first, second = analyze(data, KEYS)
    assert first.ok
    assert (first.start, first.values, first.plain) == (7, (), b"")
    assert second.values == (Value("1-0:1.8.0*255", 123.4, "Wh", None, "energy_import"),)
    assert second.inside[0].meaning == "data notification"
    assert second.meter == About(TITLE.hex(), "NBD", None, "electricity")
    assert [frame.error for frame in analyze(data, NO_KEYS)] == [None, "a key is missing"]
    wrong = Keys(bytes(16), bytes(16))
    assert [frame.error for frame in analyze(data, wrong)] == [None, "the keys do not open this message"]
    assert [one.body for one in notifications(data, KEYS)] == [pushed(Data(Tag.UINT32, 1234)).body]


def test_a_damaged_frame_is_told_and_the_next_is_read() -> None:
    """A wrong byte in a head or in a body costs its frame; one flag may stand between two."""
    frame = bytes(HdlcFrame(Address(16), Address(1), Kind.UI, LLC[0] + bytes(pushed(Data(Tag.UINT8, 7)))))
    head, body = bytearray(frame), bytearray(frame)
    head[4] ^= 8
    body[20] ^= 8
    frames = analyze(bytes(head) + bytes(body) + frame[:-1] + frame, NO_KEYS)
    assert [one.ok for one in frames] == [False, False, True, True]
    assert all("checksum" in (one.error or "") for one in frames[:2])


def test_answers_are_named_by_their_questions() -> None:
    """A list of answers in the order of its request; a no is no value; events name themselves."""
    clock = Descriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
    asked = bytes(GetListRequest(((ENERGY, None), (clock, None)))), bytes(GetRequest(ENERGY))
    said = (
        GetListResponse((Data(Tag.UINT16, 5), Data(Tag.OCTET_STRING, bytes.fromhex("07ea0101ff000f0000000000")))),
        GetResponse(Data(Tag.FLOAT32, 230.1)),
    )
    event = EventNotification(ENERGY, Data(Tag.UINT8, 9))
    messages = (asked[0], bytes(said[0]), asked[1], bytes(said[1]), bytes(event))
    data = b"".join(bytes(Wrapped(16, 1, message)) for message in messages)
    values = [(value.id, value.value) for frame in analyze(data, NO_KEYS) for value in frame.values]
    energy = "1-0:1.8.0*255"
    assert values == [(energy, 5), ("0-0:1.0.0*255", "2026-01-01T00:15:00+00:00"), (energy, 230.1), (energy, 9)]


@given(st.binary(max_size=300))
def test_any_bytes_are_explained(data: bytes) -> None:
    """Whatever the bytes are, frames come in order, and every byte of a frame has a span."""
    frames = analyze(data, KEYS)
    assert bool(frames) == bool(data)
    assert all(map(is_whole, frames))


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=4), st.booleans())
def test_any_information_is_explained(pieces: list[bytes], segmented: bool) -> None:
    """Frames that are right, whatever is in them."""
    frames = [HdlcFrame(Address(16), Address(1), Kind.UI, piece, segmented=segmented) for piece in pieces]
    found = analyze(b"".join(map(bytes, frames)), KEYS)
    assert len(found) == len(pieces)
    assert all(map(is_whole, found))
