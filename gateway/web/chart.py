"""Small pictures in SVG, drawn here, without a script: the hours of a day, and the course of an alert.

Time runs from left to right in both languages, as clocks and newspapers print it; colours come from the style sheet.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from markupsafe import Markup

from gateway.today import Day, Use
from gateway.web.words import Words

WIDTH, HEIGHT, BASE = 240, 62, 48
"""Units of the drawing; below BASE stand the hours."""
LEAST = 1.5
"""An hour with any use at all is seen."""
FULL = {"Wh used": 100.0, "l used": 5.0, "gas used": 50.0}
"""Less than this in the fullest hour does not fill the height: a night's standby shall not look like cooking."""
LABELS = (0, 6, 12, 18)
LINE_HEIGHT = 40


def clock(day: Day, at: int) -> str:
    """Give a moment's time of day where the meter is."""
    return datetime.fromtimestamp(at / 1000, day.zone).strftime("%H:%M")


def bars(day: Day, use: Use, now: int, unit: str, words: Words) -> Markup:
    """Draw one bar an hour; an hour of which nothing is known is a mark below the line, one still to come is empty.

    What is drawn holds numbers alone, so it is put together as plain text: `Markup` would take ten times as long, and
    this picture is most of what a live page costs.
    """
    width = WIDTH / len(use.hours)
    most = max([FULL[unit], *(value for value in use.hours if value is not None)])
    drawn = ""
    for hour, value in enumerate(use.hours):
        begin, x = day.hours[hour], hour * width
        if begin > now:
            break
        running = " running" if now < begin + 3_600_000 else ""
        if value is None:
            drawn += f'<rect class="unknown" x="{x + 1:.1f}" y="{BASE + 1}" width="{width - 2:.1f}" height="2"/>'
        elif value > 0:
            height = max(LEAST, (BASE - 4) * value / most)
            drawn += f'<rect class="bar{running}" x="{x + 1:.1f}" y="{BASE - height:.1f}" '
            drawn += f'width="{width - 2:.1f}" height="{height:.1f}" rx="1"/>'
    for hour, begin in enumerate(day.hours):
        local = datetime.fromtimestamp(begin / 1000, day.zone).hour
        if local in LABELS:
            drawn += f'<text x="{hour * width + 1:.1f}" y="{HEIGHT - 3}">{local:02d}</text>'
    return Markup(
        '<svg class="hours" dir="ltr" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<path class="ground" d="M0 {}H{}"/>{}</svg>'
    ).format(WIDTH, HEIGHT, _told(day, use, unit, words), BASE + 0.5, WIDTH, Markup(drawn))  # noqa: S704


def _told(day: Day, use: Use, unit: str, words: Words) -> str:
    """Say what the picture shows to whoever does not see it."""
    known = [(value, hour) for hour, value in enumerate(use.hours) if value]
    if not known:
        return str(words.say("Use by the hour: none yet").striptags())
    value, hour = max(known)
    number, name = words.amount(Decimal(str(value)), unit)
    return str(
        words.say(
            "Use by the hour: most from {time} on, {amount}",
            time=clock(day, day.hours[hour]),
            amount=f"{number} {name}",
        ).striptags()
    )


def course(points: Sequence[tuple[int, float]], baseline: float | None, label: str) -> Markup:
    """Draw the last measurements of an alert, and the line they are held against."""
    values = [value for _, value in points] + ([baseline] if baseline is not None else [])
    low, high = min(values), max(values)
    begin, end = points[0][0], points[-1][0]

    def height(value: float) -> float:
        return LINE_HEIGHT - 2 - (LINE_HEIGHT - 4) * (value - low) / ((high - low) or 1)

    path = " ".join(f"{WIDTH * (at - begin) / ((end - begin) or 1):.1f},{height(value):.1f}" for at, value in points)
    limit = (
        Markup('<path class="limit" d="M0 {:.1f}H{}"/>').format(height(baseline), WIDTH)
        if baseline is not None
        else Markup()
    )
    return Markup(
        '<svg class="course" dir="ltr" viewBox="0 0 {} {}" role="img" aria-label="{}">{}<polyline points="{}"/></svg>'
    ).format(WIDTH, LINE_HEIGHT, label, limit, path)
