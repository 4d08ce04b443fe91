"""The meter's clock as twelve bytes."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dlms import clock
from simulator.dlms.moments import date_time, unix_time
from tests.support.dlms_meters import NOW, ZONE


@pytest.mark.parametrize(
    ("time", "octets"),
    [(NOW, "07EA 01 0F 04 0D 02 00 00 FFC4 00"), (1_782_907_200.0, "07EA 07 01 03 0E 00 00 00 FF88 80")],
)
def test_a_moment_is_local_with_its_distance_to_utc(time: float, octets: str) -> None:
    """13:02 in winter, 14:00 in summer, of Thursday and Wednesday."""
    assert date_time(time, ZONE) == bytes.fromhex(octets)


@given(st.integers(0, 4_000_000_000), st.sampled_from(["UTC", "Europe/Amsterdam", "Africa/Cairo", "Asia/Kathmandu"]))
def test_a_moment_is_read_back(time: int, zone: str) -> None:
    """By the simulator and by the driver, in any zone, in the doubled hour too."""
    octets = date_time(time, ZoneInfo(zone))
    assert unix_time(octets, ZoneInfo("Asia/Tokyo")) == time
    moment = clock.decode(octets).moment
    assert moment
    assert moment.timestamp() == time


def test_what_is_left_open_is_filled_in_or_no_moment() -> None:
    """Without a distance to UTC the meter's own zone counts; a day must be said."""
    local = bytes.fromhex("07EA010FFF0D02FFFF8000FF")
    assert unix_time(local, ZONE) == NOW
    assert unix_time(local[:3] + b"\xff" + local[4:], ZONE) is None
    assert unix_time(local[:-1], ZONE) is None
