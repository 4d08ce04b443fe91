"""Meters that push: captured telegrams, streams cut anywhere, damage, and what opens with a key."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.contract import NO_KEYS, DecodeError, Keys
from drivers.dlms import hdlc, wrapper
from drivers.dlms.apdu import Apdu, decode
from drivers.dlms.axdr import Data, Tag
from drivers.dlms.clock import decode as read_time
from drivers.dlms.entries import entries
from drivers.dlms.hdlc import Address, Frame, Kind
from drivers.dlms.mbus_transport import Pieces
from drivers.dlms.notices import LONGEST_MESSAGE, Block, DataNotification
from drivers.dlms.push import LLC, Decoder, Opener, Segments, without_llc
from drivers.dlms.sealed import GENERAL_GLOBAL
from drivers.dlms.security import Received, Unproven, seal
from drivers.dlms.services import GetNext
from drivers.mbus.frames import long

METER, READER = Address(1, 17, 2), Address(16)
TITLE = b"NBD\x00\x00\x00\x00\x01"
KEYS = Keys(bytes(range(16)), bytes(range(16, 32)))


def notification(number: int, size: int = 1) -> DataNotification:
    """Make a push of a number and some bytes."""
    body = (Data(Tag.UINT32, number), Data(Tag.OCTET_STRING, bytes(size)))
    return DataNotification(Data(Tag.STRUCTURE, body), invoke=number)


def over_hdlc(apdu: Apdu, size: int) -> bytes:
    """Send a message in segments."""
    whole = LLC[0] + bytes(apdu)
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    return b"".join(
        bytes(Frame(READER, METER, Kind.UI, piece, segmented=at < len(pieces) - 1)) for at, piece in enumerate(pieces)
    )


def over_mbus(apdu: Apdu, size: int) -> bytes:
    """Send a message in pieces of M-Bus."""
    whole = bytes(apdu)
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    frames = []
    for at, piece in enumerate(pieces):
        last = 0x10 if at == len(pieces) - 1 else 0
        frames.append(long(0x53, 0xFF, at & 0x0F | last, b"\x01\x67" + piece))
    return b"".join(frames)


def over_tcp(apdu: Apdu, size: int) -> bytes:  # noqa: ARG001  a message has one wrapper
    """Send a message in the wrapper."""
    return bytes(wrapper.Wrapped(1, 16, bytes(apdu)))


def in_blocks(apdu: Apdu, size: int) -> bytes:
    """Send a message in blocks, each in a frame of its own."""
    whole = bytes(apdu)
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    blocks = [Block(at, piece, at == len(pieces), streaming=True) for at, piece in enumerate(pieces, 1)]
    return b"".join(over_hdlc(block, 300) for block in blocks)


CARRIED = st.sampled_from([over_hdlc, over_mbus, over_tcp, in_blocks])


@given(CARRIED, st.lists(st.integers(0, 400), min_size=1, max_size=4), st.integers(20, 120), st.integers(1, 200))
def test_any_split_gives_the_same_messages(carried: Any, sizes: list[int], size: int, step: int) -> None:
    """However a line delivers its bytes, each message comes once, in order."""
    sent = [notification(number, length) for number, length in enumerate(sizes)]
    data = b"".join(carried(apdu, size) for apdu in sent)
    decoder = Decoder()
    assert [one for at in range(0, len(data), step) for one in decoder.feed(data[at : at + step])] == sent


@example(over_hdlc, 1 / 300, 3)  # a length that asks for more than ever comes
@given(st.sampled_from([over_hdlc, over_mbus, in_blocks]), st.floats(0, 1), st.integers(1, 255))
def test_damage_costs_one_message(carried: Any, where: float, change: int) -> None:
    """One wrong byte, or one frame left out, takes one message; the others come."""
    sent = [notification(number, 150) for number in range(4)]
    raws = [bytearray(carried(apdu, 60)) for apdu in sent]
    raws[1][1 + int(where * (len(raws[1]) - 3))] ^= change
    found = Decoder().feed(b"".join(raws))
    assert found in (sent, [sent[0], *sent[2:]])


@given(st.binary(max_size=600))
def test_any_bytes_are_taken(data: bytes) -> None:
    """Nothing is raised, whatever a line brings."""
    decoder = Decoder()
    for at in range(0, len(data), 50):
        decoder.feed(data[at : at + 50])


def captured(captures: Path, name: str) -> tuple[list[Apdu], Decoder, dict[str, Any]]:
    """Read a captured push as its line would bring it."""
    index = json.loads((captures / "dlms/index.json").read_text())["entries"]
    entry: dict[str, Any] = next(one for one in index if one["file"] == f"push/{name}.hex")
    raw = bytes.fromhex((captures / "dlms/push" / f"{name}.hex").read_text())
    decoder = Decoder()
    found = [one for at in range(0, len(raw), 7) for one in decoder.feed(raw[at : at + 7])]
    return found or ([] if raw[0] == hdlc.FLAG else [decode(without_llc(raw))]), decoder, entry


SWISS = (
    "scs_lg_e450_unencrypted_invalid_data", "scs_lg_e450_unencrypted_valid_data1", "scs_lg_e570_encrypted_valid_data",
    "scs_lg_e570_unencrypted_valid_data_cfg2026", "scs_lg_e360_unencrypted_valid_data_cfg2026",
    "scs_iskra_am550_unencrypted_valid_data_cfg2026",
)  # fmt: skip


@pytest.mark.parametrize("name", SWISS)
def test_swiss_meters(captures: Path, name: str) -> None:
    """Lists over HDLC and in blocks: what another implementation reads, and nothing where a block came twice."""
    found, _, entry = captured(captures, name)
    opener = Opener(Keys(bytes.fromhex(entry["key"])) if "key" in entry else NO_KEYS)
    read = []
    for apdu in found:
        pushed = opener.open(apdu)
        assert isinstance(pushed, DataNotification)
        read.append([(one.target.obis, one.value) for one in entries(pushed.body).values if one.target])  # fmt: skip
    expected = entry["expected"]["messages"]
    assert len(read) == len(expected)
    for got, wanted in zip(read, expected, strict=True):
        assert [".".join(map(str, code)) for code, _ in got] == [code for code, *_ in wanted]
        for (_, value), (_, kind, number) in zip(got, wanted, strict=True):
            if isinstance(number, int):
                assert value.content == number
            elif kind == "Data":
                assert isinstance(value.content, bytes)
                assert value.content.decode() == number
            elif kind == "Clock":
                assert isinstance(value.content, bytes)
                moment = read_time(value.content).moment
                assert moment is not None
                assert moment.strftime("%m/%d/%y %H:%M:%S") == number


CODES = {
    "active_power_import": "1.7.0", "active_power_export": "2.7.0", "reactive_power_import": "3.7.0",
    "reactive_power_export": "4.7.0", "current_l1": "31.7.0", "current_l2": "51.7.0", "current_l3": "71.7.0",
    "voltage_l1": "32.7.0", "voltage_l2": "52.7.0", "voltage_l3": "72.7.0", "active_power_import_total": "1.8.0",
    "active_power_export_total": "2.8.0", "reactive_power_import_total": "3.8.0",
    "reactive_power_export_total": "4.8.0",
    **{f"active_power_import_l{n}": f"{1 + 20 * n}.7.0" for n in (1, 2, 3)},
    **{f"active_power_export_l{n}": f"{2 + 20 * n}.7.0" for n in (1, 2, 3)},
    **{f"reactive_power_import_l{n}": f"{3 + 20 * n}.7.0" for n in (1, 2, 3)},
    **{f"reactive_power_export_l{n}": f"{4 + 20 * n}.7.0" for n in (1, 2, 3)},
}  # fmt: skip

UNSCALED: dict[str, dict[str, float]] = {
    "amshan_kaifa_no_list_2": {"current": 1000, "voltage": 10},
    "amshan_kaifa_se_list": {"current": 1000, "voltage": 10},
    "amshan_kamstrup_no_list_1_three_phase": {"current": 100},
    "amshan_kamstrup_no_list_2_single_phase_real_sample": {"current": 100, "_total": 0.1},
    "amshan_kamstrup_se_list_real_sample": {"current": 100},
}
"""Makes that send no power of ten: by what their numbers are larger than the unit."""

PLACES = (
    "list_ver_id", "meter_id", "meter_type", "active_power_import", "active_power_export", "reactive_power_import",
    "reactive_power_export", "current_l1", "current_l2", "current_l3", "voltage_l1", "voltage_l2", "voltage_l3",
)  # fmt: skip
"""The list of 13 values that a Norwegian Kaifa sends without codes."""


@pytest.mark.parametrize("name", ["amshan_aidon_no_list_2", "amshan_aidon_se_list", *UNSCALED])
def test_nordic_meters(captures: Path, name: str) -> None:
    """Codes in turn with values, in one structure or many, and values alone: each number as another reads it."""
    (apdu,), _, entry = captured(captures, name)
    pushed = Opener(NO_KEYS).open(apdu)
    assert isinstance(pushed, DataNotification)
    listed = entries(pushed.body)
    by_code = {".".join(map(str, one.target.obis[2:5])): one for one in listed.values if one.target}
    compared = 0
    for field, wanted in entry["expected"]["fields"].items():
        if isinstance(wanted, str):
            continue
        one = by_code[CODES[field]] if by_code else listed.values[PLACES.index(field)]
        assert isinstance(one.value.content, int)
        factors = UNSCALED.get(name, {})
        factor = next((factor for part, factor in factors.items() if part in field), 1)
        assert one.value.content * 10.0 ** (one.scaler or 0) / factor == pytest.approx(wanted, rel=1e-12), field
        compared += 1
    assert compared >= 6
    if "list_ver_id" in entry["expected"]["fields"]:
        assert listed.version == entry["expected"]["fields"]["list_ver_id"] or name.startswith("amshan_aidon")
    if not name.startswith("amshan_aidon") and pushed.at:
        assert read_time(pushed.at).moment is not None


def test_the_austrian_meter(captures: Path) -> None:
    """Two pieces of M-Bus, ciphered: what the text says, and values with their units."""
    (apdu,), _, entry = captured(captures, "synthetic_mbus_transport_2")
    opener = Opener(Keys(bytes.fromhex(entry["key"])), title=bytes.fromhex(entry["system_title"]))
    pushed = opener.open(apdu)
    assert isinstance(pushed, DataNotification)
    assert bytes(pushed).hex() == entry["expected"]["plaintext"].lower()
    moment = read_time(pushed.at).moment
    assert moment is not None
    assert moment.isoformat() == entry["expected"]["timestamp"]
    values = {one.target.obis.hex(): one for one in entries(pushed.body).values if one.target}
    for code, number, _ in entry["expected"]["values"]:
        parts = code.replace("-", ".").replace(":", ".").replace("*", ".").split(".")
        one = values[bytes(map(int, parts)).hex()]
        assert isinstance(one.value.content, int)
        assert one.value.content * 10.0 ** (one.scaler or 0) == pytest.approx(number)
    with pytest.raises(Unproven, match="does not rise"):
        opener.open(apdu)


def test_a_meter_with_a_key_is_not_believed_in_the_open() -> None:
    """Anybody can send what is not ciphered; each refusal is counted by its reason."""
    opener = Opener(KEYS)
    plain = notification(1)
    with pytest.raises(Unproven):
        opener.open(plain)
    closed = seal(bytes(plain), GENERAL_GLOBAL, TITLE, 5, KEYS)
    assert opener.open(closed) == plain
    with pytest.raises(Unproven):
        opener.open(closed)
    with pytest.raises(DecodeError):
        Opener(NO_KEYS).open(GetNext(1))
    with pytest.raises(Unproven):
        Opener(KEYS, Received({TITLE: 5}), TITLE).open(closed)
    assert opener.counters == {"unprotected": 1, "replayed": 1}


def test_segments_are_bounded() -> None:
    """Neither one sender nor many make us keep more than they may."""
    segments = Segments()
    assert not any(segments.add("meter", bytes(1000), more=True) for _ in range(LONGEST_MESSAGE // 1000))
    with pytest.raises(DecodeError, match="longer than any"):
        segments.add("meter", bytes(1000), more=True)
    for sender in range(100):
        segments.add(sender, b"x", more=True)
    assert len(segments._pieces) <= 16


def test_pieces_of_mbus_are_bounded_and_wrap() -> None:
    """Behind number 15 comes 0 again; an endless message is let go."""
    pieces = Pieces()
    for number in range(40):
        assert pieces.add(number & 15, bytes([number]), last=False) is None
    assert pieces.add(40 & 15, b"!", last=True) == bytes(range(40)) + b"!"
    assert pieces.add(3, b"x", last=True) is None
    for number in range(400):
        assert pieces.add(number & 15, bytes(250), last=False) is None
    assert len(pieces._joined) <= LONGEST_MESSAGE
