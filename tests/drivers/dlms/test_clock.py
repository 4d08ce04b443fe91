"""Date and time of DLMS: captured ones, open parts, the hour that comes twice."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import DecodeError
from drivers.dlms.clock import LENGTH, decode, encode

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("raw", "iso"),
    [
        ("07e30c1001073b28ff8000ff", "2019-12-16T07:59:40"),  # Aidon, captured
        ("07e509160311231effffc400", "2021-09-22T17:35:30+01:00"),  # Kaifa, captured
        ("07ea05040113131e00ff8880", "2026-05-04T19:19:30+02:00"),  # Iskra, captured
        ("07e2020cff00000000800000", "2018-02-12T00:00:00"),
        ("07e2020cff0000ffff800000", "2018-02-12T00:00:00"),
    ],
)
def test_captured_times(raw: str, iso: str) -> None:
    """The deviation is what is added to get UTC; open seconds count as none."""
    moment = decode(bytes.fromhex(raw)).moment
    assert moment is not None
    assert moment.isoformat() == iso


@pytest.mark.parametrize(
    "raw",
    [
        "ffff0c10ff073b28ff8000ff", "07e3fd10ff073b28ff8000ff", "07e302feff073b28ff8000ff", "07e3021eff073b28ff8000ff",
        "07e3020cffff3b28ff8000ff", "0000010101000000000000ff",
    ],
)  # fmt: skip
def test_what_is_no_moment_is_none(raw: str) -> None:
    """Open years, days that depend on the year, and the 30th of February."""
    assert decode(bytes.fromhex(raw)).moment is None
    assert decode(bytes.fromhex(raw)).utc(UTC) is None


@pytest.mark.parametrize(
    "raw",
    [
        "07e30d1001073b28ff8000ff", "07e30c2001073b28ff8000ff", "07e30c1008073b28ff8000ff", "07e30c1001183b28ff8000ff",
        "07e30c1001073c28ff8000ff", "07e30c1001073b3cff8000ff", "07e30c1001073b2864800000", "07e30c1001073b28ff7fff00",
        "07e30c",
    ],
)  # fmt: skip
def test_parts_out_of_range_are_an_error(raw: str) -> None:
    """Month 13, hour 24, minute 60: the clock is not set, or the bytes are damaged."""
    with pytest.raises(DecodeError):
        decode(bytes.fromhex(raw))


def test_the_hour_that_comes_twice_is_told_by_the_status() -> None:
    """Half past two in the night of the change: first in summer time, an hour later not."""
    body = bytes.fromhex("07ea0a1907021e00008000")
    assert decode(body + b"\x80").utc(BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert decode(body + b"\x00").utc(BERLIN) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert decode(body + b"\xff").utc(BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_before_the_year_one_there_is_no_utc() -> None:
    """The first hours of the year 1 in a zone ahead of UTC."""
    assert decode(bytes.fromhex("00010101ff000000fffda800")).utc(UTC) is None


def test_what_a_clock_says_of_itself() -> None:
    """Invalid or doubtful, summer time or not, or nothing at all."""
    told = [decode(bytes.fromhex("07e30c1001073b28ff8000") + bytes((status,))) for status in (0, 1, 2, 0x80, 0xFF)]
    assert [one.is_doubtful for one in told] == [False, True, True, False, False]
    assert [one.is_summer for one in told] == [False, False, False, True, None]


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001  naive on purpose
    st.one_of(st.none(), st.integers(-720, 720)),
)
def test_moments_come_back(moment: datetime, minutes: int | None) -> None:
    """What is asked for is what the meter understands, to the second."""
    zone = None if minutes is None else timezone(timedelta(minutes=minutes))
    moment = moment.replace(microsecond=0, tzinfo=zone)
    assert decode(encode(moment)).moment == moment


@given(st.binary(min_size=LENGTH, max_size=LENGTH))
def test_any_twelve_bytes_are_a_time_or_an_error(octets: bytes) -> None:
    """Nothing else comes out."""
    try:
        told = decode(octets)
    except DecodeError:
        return
    told.utc(BERLIN)
