"""Days of three meters in minutes: an electricity meter, a water meter, and rules short enough to see all they do."""

from collections.abc import Callable, Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.alerts.engine import Engine
from gateway.alerts.night import nights
from gateway.alerts.rules.overload import Overload
from gateway.alerts.rules.silence import Silence
from gateway.alerts.rules.water import WaterLeak
from gateway.check import Limits

START = 1_795_219_200_000
METERS = ("main", "water")
LIMITS = {meter: Limits() for meter in METERS}


class Told(NamedTuple):
    """One thing that happens: a reading of a meter, or, without one, that somebody looks at the time."""

    ts: int
    meter: str
    values: dict[str, float]


def engine() -> Engine:
    """Make an engine of rules a hundred times shorter than the real ones."""
    night_of: Callable[[int], tuple[int, int]] = nights(ZoneInfo("UTC"), 0, 5 * 3600)
    water = WaterLeak(night_of, still=60, sure_after=600, over=120, night_still=40)
    return Engine(
        {
            "main": [Silence(least=90), Overload(63.0, dwell=30, warn_dwell=90, cooldown=120)],
            "water": [Silence(least=90), water],
        }
    )


def day(courses: list[tuple[str, int]], every: int = 10_000) -> Iterator[Told]:
    """Go through courses (what, how many polls): calm, high, over, leak, quiet (no reading), dip (a register falls)."""
    now, energy, litres = START, 1000.0, 500.0
    for what, polls in courses:
        for n in range(polls):
            now += every
            yield Told(now, "", {})
            if what == "quiet":
                continue
            amps = {"high": 59.0, "over": 71.0}.get(what, 12.0)
            energy += amps * 230 * every / 3_600_000
            litres += 1 if what == "leak" or (what == "over" and n % 30 == 0) else 0
            shown = 0.0 if what == "dip" else round(litres)
            yield Told(now, "main", {"current_l1_a": amps, "energy_import_wh": round(energy, 1)})
            if what != "over" or n % 2:
                yield Told(now, "water", {"water_volume_l": shown})
