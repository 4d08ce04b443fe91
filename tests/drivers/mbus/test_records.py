"""Data records: captured telegrams against what libmbus says of them, and hostile bytes."""

import json
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import DecodeError
from drivers.mbus.records import Content, Mark, Record, decode_records, walk

FUNCTIONS = {
    "Instantaneous value": "instantaneous", "Maximum value": "maximum", "Minimum value": "minimum",
    "Value during error state": "error",
}  # fmt: skip
HEADER, TAIL = 19, 2
VARIABLE = (0x72, 0x76)

ERRORS_OF_THE_SOURCE = {
    "test-frames/sen_pollutherm.hex": "libmbus leaves out the record with the reserved VIF 7B",
}
"""Where libmbus says something else, and why it is wrong."""

EVERY_YEAR = bytes.fromhex("848f0f6d")
"""A due date of every year (127 stands for the year), which libmbus takes for 2027."""


def entries(captures: Path) -> list[dict[str, Any]]:
    """List the captured frames with what libmbus says of them."""
    listed: list[dict[str, Any]] = json.loads((captures / "mbus/index.json").read_text())["entries"]
    return [entry for entry in listed if "normalised" in entry.get("expected", {})]


def frame_of(captures: Path, entry: dict[str, Any]) -> bytes:
    """Read a captured frame."""
    return bytes.fromhex((captures / "mbus" / entry["file"]).read_text())


def shown(value: Content) -> Any:
    """Give a value as libmbus would print it; floats are compared as numbers."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return value.isoformat() if isinstance(value, date) else value


def agrees(wanted: dict[str, Any], got: Record) -> bool:
    """Tell whether a record is what libmbus says."""
    where = (got.function, got.storage, got.tariff, got.subunit)
    places = (int(wanted["StorageNumber"]), int(wanted.get("Tariff", 0)), int(wanted.get("Device", 0)))
    if where != (FUNCTIONS[wanted["Function"]], *places):
        return False
    if isinstance(got.value, (int, Fraction)):
        return abs(float(wanted["Value"]) - float(got.value)) <= 1e-6 * max(1, abs(float(got.value)))
    # A date of zeros is no date; libmbus prints it all the same.
    return shown(got.value) == wanted["Value"] or (got.value is None and "-00" in wanted["Value"])


def test_every_captured_record_is_read_as_libmbus_does(captures: Path) -> None:
    """Function, storage, tariff, subunit and value of every record agree; dates of maxima are none to libmbus."""
    compared = numbers = dates_of_maxima = 0
    for entry in entries(captures):
        frame = frame_of(captures, entry)
        if frame[6] not in VARIABLE or entry["file"] in ERRORS_OF_THE_SOURCE:
            continue
        wanted = [
            record for record in entry["expected"]["normalised"]["records"] if record.get("Function") in FUNCTIONS
        ]
        got = decode_records(frame[HEADER:-TAIL]).records
        assert len(got) == len(wanted), entry["file"]
        for want, record in zip(wanted, got, strict=True):
            if "when" in record.modifiers or record.head == EVERY_YEAR:
                assert not isinstance(record.value, (int, Fraction))
                dates_of_maxima += 1
                continue
            assert agrees(want, record), (entry["file"], want, record)
            compared += 1
            numbers += isinstance(record.value, (int, Fraction))
    assert (compared, numbers, dates_of_maxima) == (415, 369, 5)


@pytest.mark.parametrize(
    ("data", "value", "unit", "modifiers"),
    [
        ("94 10 da 6f 32 14 7a 18", datetime(2011, 8, 26, 20, 50), None, ("when",)),  # noqa: DTZ001  as on the wire
        ("02 ad 39 c1 3c", date(2030, 12, 1), None, ("start_of",)),
        ("01 ad 61 05", 300, "s", ("lasted",)),
        ("02 ad 5a 02 00", 7200, "s", ("limit_exceeded_for",)),
        ("04 78 ff ff ff ff", 2**32 - 1, None, ()),
        ("01 fd 74 fe", -2, "d", ()),
        ("04 fb 68 00 20 00 00", 2, None, ()),
        ("02 ec 01 21 11", None, None, ()),
        ("0d fd 3b 03 01 02 03", b"\x01\x02\x03", None, ()),
        ("0d 13 f5" + " 00" * 48, bytes(48), "m3", ()),
        ("0d 13 d2 34 12", Fraction("-1.234"), "m3", ()),
        ("03 6d 3b 30 0b", "11:48:59", None, ()),
        ("03 6d ff ff ff", None, None, ()),
        ("06 6d 3b 30 8b c1 3c 00", datetime(2030, 12, 1, 11, 48, 59), None, ()),  # noqa: DTZ001
        ("06 6d 3b b0 8b c1 3c 00", None, None, ()),
        ("02 6c e1 f1", None, None, ()),
        ("04 13 ff", None, "cut off", ()),
    ],
)  # fmt: skip
def test_extensions_make_of_a_value_what_they_say(
    data: str, value: Content, unit: str | None, modifiers: tuple[str, ...]
) -> None:
    """Dates of events, durations, names without a sign, containers, invalid dates."""
    raw = bytes.fromhex(data)
    if unit == "cut off":
        with pytest.raises(DecodeError):
            decode_records(raw)
        return
    (record,) = decode_records(raw).records
    assert (record.value, record.unit, record.modifiers) == (value, unit, modifiers)


@pytest.mark.parametrize(
    ("data", "value", "unit"),
    [
        ("0c 13 27 04 85 02", Fraction("2850.427"), "m3"),
        ("04 06 01 00 00 00", 1000, "Wh"),
        ("0c 06 27 04 85 f2", -2850427000, "Wh"),
        ("0c 06 27 04 85 0a", None, "Wh"),
        ("04 13 00 00 00 80", None, "m3"),
        ("05 5b 2b 4b ac 41", Fraction("21.536703"), "°C"),
        ("02 65 ff ff", Fraction("-0.01"), "°C"),
        ("84 93 15 06 00", None, None),
    ],
)  # fmt: skip
def test_values_are_exact(data: str, value: Content, unit: str | None) -> None:
    """A value is exactly what digits and power of ten say; digits that are none give nothing."""
    raw = bytes.fromhex(data)
    if unit is None:
        with pytest.raises(DecodeError):
            decode_records(raw)
        return
    (record,) = decode_records(raw).records
    assert (record.value, record.unit) == (value, unit)


def test_a_meter_says_why_it_has_no_value() -> None:
    """A VIFE with an error replaces the value."""
    (record,) = decode_records(bytes.fromhex("0c 93 15 00000000")).records
    assert (record.value, record.error) == (None, "no data available")


def test_the_manufacturers_block_is_kept_as_it_came() -> None:
    """Behind DIF 1F stands what only the maker knows, and another telegram follows."""
    found = decode_records(bytes.fromhex("2f 01 13 05 1f 01 02"))
    assert (len(found.records), found.rest, found.more) == (1, b"\x01\x02", True)


@given(st.binary(max_size=260))
def test_any_bytes_give_records_or_one_error(data: bytes) -> None:
    """Records and marks follow one another without gap, or the bytes are refused."""
    at = 0
    try:
        for item in walk(data):
            assert isinstance(item, (Record, Mark))
            assert item.start == at
            assert at < item.end <= len(data)
            at = item.end
    except DecodeError:
        return
    assert at == len(data)
