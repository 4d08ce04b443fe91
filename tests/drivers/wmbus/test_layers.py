"""Radio layer, authentication layer, transport header, and the ciphers."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import DecodeError
from drivers.wmbus.layers import WrongKey, meters_of, unwrap
from drivers.wmbus.link import crc16, decode_frame, split
from drivers.wmbus.security import decipher_ctr
from simulator.wmbus_stick import WirelessMeter

KEY = bytes(range(16))
RECORDS = bytes.fromhex("04 13 39 30 00 00")
ADDRESS = bytes.fromhex("2D2C 78563412 1B 16")


def framed(payload: bytes) -> bytes:
    """Put a link layer before a payload."""
    return bytes((len(payload) + 9, 0x44)) + ADDRESS + payload


def meter(mode: int, key: bytes | None = KEY) -> WirelessMeter:
    """Make a water meter of one mode."""
    assert mode in (5, 7)
    return WirelessMeter("21050003", 7, lambda: {"water_volume": 12_345.0}, key, 5 if mode == 5 else 7)


def session(key: bytes, plain: bytes, ci: str = "8D") -> bytes:
    """Write a radio layer with a session that ciphers."""
    head = bytes.fromhex("20 41 01000020") if ci == "8D" else bytes.fromhex("20 41 1122334455667788 01000020")
    whole = crc16(plain).to_bytes(2, "little") + plain
    # Counter mode ciphers as it deciphers.
    return bytes.fromhex(ci) + head + decipher_ctr(key, ADDRESS + head[:1] + head[-4:] + b"\0\0\0", whole)


def test_every_captured_frame_comes_down_to_its_records(captures: Path) -> None:
    """All layers of all captured frames come off, and all keys that are given fit."""
    modes, refused = Counter[int](), []
    for entry in json.loads((captures / "wmbus/index.json").read_text())["entries"]:
        text = (captures / "wmbus" / entry["file"]).read_text()
        if entry["file"].startswith("receiver") or text.startswith("68"):
            continue
        key = bytes.fromhex(entry["key"]) if "key" in entry else None
        for _, _, frame in split(bytes.fromhex(text)):
            try:
                modes[unwrap(decode_frame(frame), key).mode] += 1
            except WrongKey:
                refused.append((entry["file"], key))
    assert all(key is None for _, key in refused)
    assert len(refused) == 4
    assert (modes.total(), modes[5], modes[7]) == (190, 13, 3)


@pytest.mark.parametrize("mode", [5, 7])
def test_a_simulated_meter_is_deciphered(mode: int) -> None:
    """The key opens both modes; another key, and none, do not."""
    frame = decode_frame(meter(mode).frame())
    message = unwrap(frame, KEY)
    assert (message.mode, message.counter) == (mode, 1 if mode == 7 else None)
    assert message.records.startswith(b"\x2f\x2f" + RECORDS)
    with pytest.raises(WrongKey, match="does not fit"):
        unwrap(frame, bytes(16))
    with pytest.raises(WrongKey, match="give the meter's key"):
        unwrap(frame, None)


def test_a_signed_message_cannot_be_changed() -> None:
    """Any bit from the signed counter on that turns is noticed; so is a signature that is missing or cut short."""
    frame = meter(7).frame()
    for bit in range(8 * 14, 8 * len(frame)):
        changed = bytearray(frame)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            message = unwrap(decode_frame(bytes(changed)), KEY)
        except DecodeError:
            continue
        # What says how to read the message may turn it into one that nobody ciphered, which drivers refuse.
        assert message.mode == 0 or bytes(changed) == frame
    for head in ("90 07 002C 25 01000000", "90 08 002C 25 01000000 AA", "90 07 0028 25 01000000"):
        forged = framed(bytes.fromhex(head) + frame[10 + 17 :])
        with pytest.raises(DecodeError, match=r"cut off|without counter and signature"):
            unwrap(decode_frame(forged), KEY)


def test_the_radio_layer_ciphers() -> None:
    """Its key proves itself by the CRC; a recording that was deciphered with its header left alone is read too."""
    plain = b"\x78" + RECORDS
    for ci in ("8D", "8F"):
        frame = decode_frame(framed(session(KEY, plain, ci)))
        message = unwrap(frame, KEY)
        assert (message.mode, message.ci, message.records) == (1, 0x78, RECORDS)
        for key in (None, bytes(16)):
            with pytest.raises(WrongKey):
                unwrap(frame, key)
    clear = bytes.fromhex("8D 20 41 01000020") + crc16(plain).to_bytes(2, "little") + plain
    message = unwrap(decode_frame(framed(clear)), KEY)
    assert (message.mode, message.records) == (0, RECORDS)
    unciphered = clear.replace(bytes.fromhex("01000020"), bytes(4))[:-1] + b"\x01"
    with pytest.raises(DecodeError, match="CRC of the frame is wrong"):
        unwrap(decode_frame(framed(unciphered)), None)


def test_a_radio_may_speak_for_a_meter() -> None:
    """The transport header names the meter; what the link layer names is whoever transmits for it."""
    long = bytes.fromhex("8C 20 41 72 21436587 6532 04 02 01 00 0000") + RECORDS
    assert [who.number for who in meters_of(decode_frame(framed(long)))] == ["87654321", "12345678"]
    assert [who.number for who in meters_of(decode_frame(framed(b"\x8d\x20")))] == ["12345678"]


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        ("7A 01 00 1005 0000", "ciphered records are cut off"),
        ("7A 01 00 100D 00" + 16 * "00", "mode 13 is not read"),
        ("7A 01", "header is cut off"),
        ("55 01", "nothing is known of CI 55"),
        ("90 04 0040 0000 7A", "one of several frames"),
        ("90 02 0100 7A", "one of several frames"),
        ("90 FF 00", "authentication layer is cut off"),
        ("8C 20", "radio layer is cut off"),
        ("90 02 0000", "frame is cut off"),
    ],
)
def test_what_cannot_be_read_is_named(payload: str, what: str) -> None:
    """Each reason has its words."""
    with pytest.raises(DecodeError, match=what):
        unwrap(decode_frame(framed(bytes.fromhex(payload))), None)


@given(st.binary(min_size=1, max_size=200), st.sampled_from([None, KEY]))
def test_any_payload_is_read_or_refused(payload: bytes, key: bytes | None) -> None:
    """Nothing but DecodeError comes out."""
    frame = decode_frame(framed(payload))
    assert meters_of(frame)
    try:
        message = unwrap(frame, key)
    except DecodeError:
        return
    assert len(message.head) <= len(payload)
