"""Pictures drawn as SVG: what they show, and what they say to whoever does not see them."""

import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from markupsafe import Markup

from gateway.today import Day, Use, hours_of
from gateway.web.chart import bars, course
from gateway.web.words import Words

ZONE = ZoneInfo("Europe/Berlin")
MIDNIGHT = hours_of(1_795_219_210_000, ZONE)[0]
HOUR = 3_600_000


def draw(hours: Sequence[float | None], *, now: float = 24.0, unit: str = "Wh used", language: str = "en") -> Markup:
    """Draw a day, seen so many hours after midnight."""
    begins = hours_of(MIDNIGHT, ZONE)[:-1]
    filled = (*hours, *[None] * (len(begins) - len(hours)))
    use = Use(sum(value or 0 for value in filled), filled)
    return bars(Day(begins, MIDNIGHT, {}, ZONE), use, MIDNIGHT + round(now * HOUR), unit, Words(language))


def heights(svg: str) -> list[float]:
    """List the heights of the bars."""
    return [float(height) for height in re.findall(r'class="bar[^"]*"[^>]*height="([0-9.]+)"', svg)]


def test_bars_are_as_high_as_the_use() -> None:
    """The fullest hour fills the height, half of it is half as high, none is no bar."""
    assert heights(draw([1000, 500, 0])) == [44.0, 22.0]


def test_little_use_stays_small_but_is_seen() -> None:
    """A night's standby does not look like cooking."""
    shown = heights(draw([1, 10]))
    assert 1 < shown[0] < shown[1] < 10


def test_unknown_hours_are_marked_and_future_ones_empty() -> None:
    """A gap never looks like zero, and the evening not like a gap."""
    svg = draw([100, None, 100], now=2.5)
    assert svg.count('class="unknown"') == 1
    assert svg.count('class="bar running"') == 1


def test_the_picture_is_told_in_words() -> None:
    """A screen reader hears when most was used, in its language."""
    assert 'aria-label="Use by the hour: most from 01:00 on, 1.50 kWh"' in draw([1, 1500])
    assert "01:00" in draw([1, 1500], language="ar")
    assert "ك.و.س" in draw([1, 1500], language="ar")
    assert "none yet" in draw([0, None])


def test_hours_of_a_long_day_keep_their_names() -> None:
    """The clock's hours stand below, also on the day summer time ends."""
    assert re.findall(r">(\d\d)</text>", draw([1])) == ["00", "06", "12", "18"]


def test_a_course_stays_in_its_frame() -> None:
    """Points and limit are drawn to scale, the highest at the top."""
    svg = course([(0, 10.0), (500, 20.0), (1000, 30.0)], 25.0, "x")
    assert 'points="0.0,38.0 120.0,20.0 240.0,2.0"' in svg
    assert 'd="M0 11.0H240"' in svg


def test_a_course_of_one_level_is_a_line() -> None:
    """Nothing is divided by zero."""
    assert "<polyline" in course([(5, 1.0), (5, 1.0)], None, "x")


def test_labels_are_escaped() -> None:
    """A label cannot leave its attribute."""
    assert '"><script>' not in course([(0, 1.0), (1, 2.0)], None, '"><script>')
