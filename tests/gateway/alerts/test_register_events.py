"""What happens to registers is no use: resets, swaps, catch-ups, doubles, rollovers and glitches tell nothing of it."""

import random
from collections.abc import Callable, Sequence

import pytest

from gateway.alerts.calendar import Calendar
from gateway.alerts.catalogue import rules_of
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent
from gateway.alerts.replay import Silences, Told, told
from gateway.alerts.settings import MeterSettings
from gateway.check import Checker, Limits
from gateway.config.alerts import AlertsTable

START = 1_795_219_200_000 // 86_400_000 * 86_400_000
QUARTER = 900_000
MODULUS = 1_000_000
DEVICE = {"meter_offline"}
"""A gap is told as one: that is of the device, not of use."""
USE = {"energy_import_wh": (40, 300), "water_volume_l": (0, 12), "gas_volume_l": (0, 11)}
"""What a quarter of an hour holds by night and by day."""

Reading = tuple[int, float]
Event = Callable[[list[Reading], int], Sequence[Reading]]


def home(key: str, days: int = 24, seed: int = 5) -> list[Reading]:
    """Give quarter-hours of a home near the end of its register."""
    dice = random.Random(seed)
    shown = MODULUS - 2000.0 * days
    night, day = USE[key]
    rows = []
    for n in range(days * 96):
        awake = 28 <= n % 96 < 88
        shown += dice.randint(night, day) if awake else night if n % 96 < 8 else 0
        rows.append((START + n * QUARTER, shown))
    return rows


def reset(rows: list[Reading], at: int) -> list[Reading]:
    """The register begins at zero."""
    return [*rows[:at], *((ts, value - rows[at][1]) for ts, value in rows[at:])]


def swap(rows: list[Reading], at: int) -> list[Reading]:
    """Another meter, which shows more, an hour later."""
    return [*rows[:at], *((ts, value + 4_000_000) for ts, value in rows[at + 4 :])]


def swap_back(rows: list[Reading], at: int) -> list[Reading]:
    """A used meter that shows a little less."""
    return [*rows[:at], *((ts, value - 30_000) for ts, value in rows[at + 4 :])]


def catch_up(rows: list[Reading], at: int) -> list[Reading]:
    """Eleven hours unread, and then all at once."""
    return [*rows[:at], *rows[at + 44 :]]


def doubles(rows: list[Reading], at: int) -> list[Reading]:
    """Each reading of a day comes twice."""
    twice = [row for row in rows[at : at + 96] for _ in range(2)]
    return [*rows[:at], *twice, *rows[at + 96 :]]


def late(rows: list[Reading], at: int) -> list[Reading]:
    """Neighbours change places for a day."""
    pairs = [row for n in range(at, at + 96, 2) for row in (rows[n + 1], rows[n])]
    return [*rows[:at], *pairs, *rows[at + 96 :]]


def glitch(rows: list[Reading], at: int) -> list[Reading]:
    """Single telegrams show nonsense: nothing, half, twice."""
    broken = {at: 0.0, at + 9: 0.5, at + 20: 2.0}
    return [(ts, value * broken.get(n, 1.0)) for n, (ts, value) in enumerate(rows)]


def roll(rows: list[Reading], at: int) -> list[Reading]:
    """The register passes its end."""
    more = MODULUS - rows[at][1]
    return [(ts, (value + more) % MODULUS) for ts, value in rows]


@pytest.mark.parametrize("key", USE)
@pytest.mark.parametrize("event", [reset, swap, swap_back, catch_up, doubles, late, glitch, roll])
def test_no_alert_of_use_comes_of_it(key: str, event: Event) -> None:
    """In three weeks that are learnt from, and the days after, by check and engine with all rules."""
    found = {alert.rule for alert in _told(key, event(home(key), 20 * 96 + 50))}
    assert found <= DEVICE


@pytest.mark.parametrize("key", USE)
def test_a_home_without_any_of_it_tells_nothing(key: str) -> None:
    """So that the others prove something."""
    assert _told(key, home(key)) == []


def _told(key: str, rows: Sequence[Reading]) -> list[Told]:
    calendar, limits = Calendar(), Limits(63.0, modulus={key: MODULUS})
    about = MeterSettings(rating_a=63.0)
    engine = Engine({"m": rules_of(AlertsTable(), calendar, about, None)}, calendar)
    checker, silences, events = Checker(), Silences(engine), list[AlertEvent]()
    for ts, value in rows:
        events += silences.until(ts)
        q, intervals = checker.judge("m", ts, {key: value}, (), limits)
        events += engine.hear("m", ts, q, {key: value}, intervals)
        silences.heard("m")
    return told(events)
