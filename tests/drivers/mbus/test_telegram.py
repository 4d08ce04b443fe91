"""Headers of M-Bus answers, old and new."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from drivers.contract import DecodeError
from drivers.mbus.frames import Decoder, Frame, decode
from drivers.mbus.telegram import Telegram, code_of, decode_telegram, manufacturer_of, status_words


def test_who_answers_is_what_libmbus_says(captures: Path) -> None:
    """Number, maker, version, access number and status of every captured answer."""
    checked = 0
    for entry in json.loads((captures / "mbus/index.json").read_text())["entries"]:
        slave = entry.get("expected", {}).get("normalised", {}).get("slave")
        if not slave or "Manufacturer" not in slave:
            continue
        frame = decode(bytes.fromhex((captures / "mbus" / entry["file"]).read_text()))
        header = decode_telegram(frame.ci, frame.data).header
        who = header.identity
        assert who is not None
        assert (who.manufacturer, who.version) == (slave["Manufacturer"], int(slave["Version"])), entry["file"]
        assert who.number.lstrip("0") == slave["Id"].lstrip("0"), entry["file"]
        assert (header.access, header.status) == (int(slave["AccessNumber"]), int(slave["Status"], 16))
        checked += 1
    assert checked > 30


def test_broken_answers_are_refused(captures: Path) -> None:
    """Every frame that libmbus calls an error gives one error, and no value."""
    refused = 0
    for path in sorted((captures / "mbus/error-frames").glob("*.hex")):
        raw = bytes.fromhex(path.read_text())
        with pytest.raises(DecodeError):
            _telegram(raw)
        refused += 1
    assert refused


def test_what_libmbus_cannot_read_gives_no_value(captures: Path) -> None:
    """No length, half a byte, a request, and an answer that is its maker's own from the first byte on."""
    folder = captures / "mbus/unsupported-frames"
    for name in ("invalid_length.hex", "manual_frame1.hex"):
        text = (folder / name).read_text().strip()
        found = Decoder().feed(bytes.fromhex(text[: len(text) // 2 * 2]))
        assert not any(isinstance(frame, Frame) for frame in found)
    request = Decoder()
    assert not request.feed(bytes.fromhex((folder / "manual_frame5.hex").read_text()))
    assert request.counters == {"echo": 1}
    answer = _telegram(bytes.fromhex((folder / "svm_f22_telegram2.hex").read_text()))
    assert not answer.records.records
    assert len(answer.records.rest) == 0xDE - 3 - 12 - 1


def test_the_fixed_structure_has_two_counters() -> None:
    """Digits or binary by the status; the second may be that of the last due date."""
    data = bytes.fromhex("78563412 0a 00 e9 7e 01000000 35010000")
    telegram = decode_telegram(0x73, data)
    first, second = telegram.records.records
    assert telegram.header.identity is not None
    assert telegram.header.identity.number == "12345678"
    assert (first.quantity, first.unit, first.value) == ("volume", "m3", Fraction(1, 1000))
    assert (second.value, second.storage) == (Fraction(135, 1000), 1)


def test_makers_are_three_letters() -> None:
    """Five bits a letter."""
    assert manufacturer_of(0x4CAE) == "SEN"
    assert code_of("SEN") == 0x4CAE


@pytest.mark.parametrize(
    ("status", "words"),
    [(0, ()), (4, ("battery_low",)), (0x32, ("application_error", "temporary_error", "maker's bits 001"))],
)
def test_a_status_is_named(status: int, words: tuple[str, ...]) -> None:
    """Each bit has its word."""
    assert status_words(status) == words


@pytest.mark.parametrize(
    ("ci", "data"), [(0x72, b"\0" * 11), (0x7A, b""), (0x73, b"\0" * 15), (0x71, b"\0" * 20), (0x70, b"\x08")]
)
def test_a_header_cut_off_or_unknown_is_refused(ci: int, data: bytes) -> None:
    """One error, whatever is wrong with it."""
    with pytest.raises(DecodeError):
        decode_telegram(ci, data)


def _telegram(raw: bytes) -> Telegram:
    frame = decode(raw)
    return decode_telegram(frame.ci, frame.data)
