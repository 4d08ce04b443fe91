"""Compact profiles: captured ones, and made ones of every way to count and every spacing."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import DecodeError, Keys
from drivers.mbus.analyze import analyze, values_of
from drivers.mbus.history import Stored, stored
from drivers.mbus.records import decode_records
from drivers.wmbus.layers import unwrap
from drivers.wmbus.link import decode_frame

BASE = "82046C E121 840413 64000000 "
"""Storage 8: 2023-01-01, 0.1 m3."""
MINUTE = "84046D 000CE121 840413 64000000 "
"""Storage 8: 2023-01-01 12:00, 0.1 m3."""


def profile(vife: str, control: str, spacing: str, values: str) -> str:
    """Write a profile of volumes in litres."""
    data = bytes.fromhex(control + spacing + values)
    return f"8D0493{vife} {len(data):02X} {data.hex()}"


def read(text: str) -> list[Stored]:
    """Read the profiles of records."""
    return list(stored(decode_records(bytes.fromhex(text))))


def test_captured_profiles(captures: Path) -> None:
    """Values and dates of an inverse profile and of one that goes forward; missing values keep their place."""

    def values(name: str) -> list[Stored]:
        frame = decode_frame(bytes.fromhex((captures / f"wmbus/{name}.hex").read_text()))
        return list(stored(decode_records(unwrap(frame, None).records, cut_off=True)))

    inverse = values("uiws_01")
    assert [found.at for found in inverse[:3]] == [date(2026, 5, 1), date(2026, 4, 1), date(2026, 3, 1)]
    assert [found.value for found in inverse] == [0] + [None] * 10
    assert [found.storage for found in inverse] == list(range(31, 42))
    forward = values("supercom587_01")
    assert forward[0].at == date(2017, 10, 1)
    # The newest was stored before the telegram of 28 November, and is less than the meter shows then.
    assert (forward[-1].at, float(forward[-1].value or 0)) == (date(2018, 11, 1), 1.331)
    assert values("minomess_02")[0].at == date(2022, 12, 1)


@pytest.mark.parametrize(
    ("vife", "control", "values", "shown"),
    [
        ("1F", "34", "C8000000 2C010000", [0.2, 0.3]),
        ("1E", "33", "C80000 000080 2C0100", [0.2, None, 0.3]),
        ("13", "3A", "9000 8000 FFFF", [0.09, 0.08, None]),
        ("1F", "72", "0A00 FEFF", [0.11, 65.644]),
        ("1F", "71", "0A FF 0A", [0.11, None, None]),
        ("13", "72", "0A00 0500", [0.09, 0.085]),
        ("1F", "B1", "0A 05", [0.09, 0.085]),
        ("13", "B1", "0A 05", [0.11, 0.115]),
        ("1F", "F1", "0A FB", [0.11, 0.105]),
        ("13", "F1", "0A FB", [0.09, 0.095]),
        ("1F", "37", "C800000000000000", [0.2]),
    ],
)
def test_every_way_to_count(vife: str, control: str, values: str, shown: list[float | None]) -> None:
    """By itself, by increments, by decrements, by differences; forward and back; behind a gap nothing is known."""
    found = read(BASE + profile(vife, control, "FE", values))
    assert [None if one.value is None else float(one.value) for one in found] == shown


@pytest.mark.parametrize(
    ("base", "vife", "control", "spacing", "moments"),
    [
        (BASE, "1F", "31", "FE", [date(2023, 2, 1), date(2023, 3, 1)]),
        (BASE, "13", "31", "FE", [date(2022, 12, 1), date(2022, 11, 1)]),
        (BASE, "1F", "31", "07", [date(2023, 1, 8), date(2023, 1, 15)]),
        (BASE, "1F", "21", "18", [date(2023, 1, 2), date(2023, 1, 3)]),
        (BASE, "1F", "21", "01", [None, date(2023, 1, 2)]),
        (MINUTE, "13", "21", "01", [datetime(2023, 1, 1, 11), datetime(2023, 1, 1, 10)]),  # noqa: DTZ001
        (MINUTE, "1F", "11", "0F", [datetime(2023, 1, 1, 12, 15), datetime(2023, 1, 1, 12, 30)]),  # noqa: DTZ001
        (MINUTE, "1F", "01", "1E", [datetime(2023, 1, 1, 12, 0, 30), datetime(2023, 1, 1, 12, 1)]),  # noqa: DTZ001
        ("82046C FF2C ", "13", "31", "FE", [date(2023, 11, 30), date(2023, 10, 31)]),
        ("82046C FD21 ", "1F", "31", "FE", [date(2023, 2, 28), date(2023, 3, 29)]),
        ("", "1F", "31", "FE", [None, None]),
    ],
)
def test_every_spacing(base: str, vife: str, control: str, spacing: str, moments: list[Any]) -> None:
    """Months end where they end; hours on a mere date are nowhere; without a date nobody can tell."""
    count = 24 if moments == [None, date(2023, 1, 2)] else 2
    found = read(base + profile(vife, control, spacing, "01" * count))
    assert [found[0].at, found[-1].at] == moments


@pytest.mark.parametrize(
    "wrong",
    [
        profile("1F", "34", "FE", "C80000"), profile("1F", "35", "FE", "00000000"), profile("1F", "34", "00", "00" * 4),
        profile("1F", "34", "FD", "00" * 4), profile("1F", "24", "FE", "00" * 4), profile("1F", "34", "", ""),
        profile("1F", "", "", ""), "8D0493 1F D2 3412",
    ],
)  # fmt: skip
def test_what_nobody_can_tell_stays_raw(wrong: str) -> None:
    """Values cut off, floats, spacings without a meaning, numbers instead of bytes."""
    assert read(BASE + wrong) == []


def test_differences_need_a_base() -> None:
    """Increments without the value they begin from say nothing."""
    assert read(profile("1F", "71", "FE", "01")) == []
    assert len(read(profile("1F", "31", "FE", "01"))) == 1


def test_a_profile_is_shown_value_by_value() -> None:
    """Each has its own storage number and time; the profile itself is bytes."""
    shown = values_of(decode_records(bytes.fromhex(BASE + profile("13", "31", "FE", "0102"))))
    assert [(value.id, value.value, value.unit, value.at) for value in shown[2:]] == [
        ("volume inverse_compact_profile storage 8", "31fe0102", "m3", None),
        ("volume storage 9", 0.001, "m3", "2022-12-01"),
        ("volume storage 10", 0.002, "m3", "2022-11-01"),
    ]
    assert analyze(b"", Keys()) == ()


@given(st.binary(max_size=200), st.sampled_from(["13", "1E", "1F"]))
def test_any_profile_is_read_or_left(data: bytes, vife: str) -> None:
    """Hostile bytes give values or none, never an error of another kind."""
    head = bytes.fromhex(BASE + f"8D0493{vife}") + bytes((min(len(data), 0xBF),)) + data[:0xBF]
    try:
        records = decode_records(head)
    except DecodeError:
        return
    assert len(stored(records)) <= len(data)
