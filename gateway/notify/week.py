"""What the daily sheets say of some days: each meter's use against its own usual, and figures for tips.

1. The usual is the mean of the same stretch in each of the four weeks before, of those that were measured whole; two of
   them are needed. Of a day that is the same weekday, so Fridays are held against Fridays.
2. Figures are medians over days, so that one party makes no habit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median
from zoneinfo import ZoneInfo

from gateway.check.ledger import Ledger
from gateway.check.sheet import Sheet
from gateway.check.slots import days_before
from gateway.notify.digest import Use
from gateway.notify.spending import Spending, Spent

MAIN = ("energy_import_wh", "water_volume_l", "gas_volume_l", "heat_energy_wh", "cooling_energy_wh")
"""The registers a digest tells of; of each meter the first it has."""
WEEKS_BEFORE = 4
WEEKS_NEEDED = 2
HOUR_MS = 3_600_000
NIGHT, EVENING = range(1, 5), range(18, 22)
"""Local hours in which people sleep, and those in which most is used."""
QUARTERS_NEEDED = 8
"""Known slots of the night without which nothing is said of it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the sheets said: the uses in the meters' order, and figures by name."""

    uses: tuple[Use, ...]
    figures: Mapping[str, float]


async def told_by(
    ledger: Ledger,
    tenant: str,
    meters: Sequence[tuple[str, str]],
    zone: ZoneInfo,
    since: int,
    days: int,
    spending: Spending | None = None,
    moved: int = 0,
) -> Told:
    """Read the `days` days from `since` (UTC ms) of `meters`, by (id, name), and price them; raises StoreError.

    Somebody else's weeks, before `moved`, are nobody's usual.
    """
    uses: list[Use] = []
    figures: dict[str, float] = {}
    for meter, name in meters:
        sheets = await _sheets(ledger, tenant, meter, zone, since, days)
        key = next((key for key in MAIN if any(key in sheet.totals for sheet in sheets)), None)
        if key is None:
            continue
        weeks = [days_before(since, zone, 7 * week) for week in range(1, WEEKS_BEFORE + 1)]
        before = [await _sheets(ledger, tenant, meter, zone, week, days) for week in weeks if week >= moved]
        use = use_of(name, key, sheets, before, days)
        spent = await spending.of(meter, key, since, days_before(since, zone, -days)) if spending is not None else None
        uses.append(use if spent is None else _with_money(use, spent))
        figures |= figures_of(key, sheets, zone)
    return Told(tuple(uses), figures)


def use_of(name: str, key: str, sheets: Sequence[Sheet], before: Sequence[Sequence[Sheet]], days: int) -> Use:
    """Add up some days of one meter, and the same days of earlier weeks."""
    amount = sum(sheet.totals.get(key) or 0.0 for sheet in sheets)
    wholes = [sum(sheet.totals[key] or 0.0 for sheet in week) for week in before if _whole(week, key, days)]
    whole = _whole(sheets, key, days)
    usual = sum(wholes) / len(wholes) if len(wholes) >= WEEKS_NEEDED and whole else None
    return Use(name, key, round(amount, 3), None if usual is None else round(usual, 3), whole)


def _with_money(use: Use, spent: Spent) -> Use:
    """Write sums to the hundredth, so that a digest sent again says the same."""
    cost, likely, low, high = (
        "" if value is None else f"{value:.2f}" for value in (spent.cost, spent.likely, spent.low, spent.high)
    )
    return replace(use, currency=spent.currency, cost=cost, likely=likely, low=low, high=high)


def figures_of(key: str, sheets: Sequence[Sheet], zone: ZoneInfo) -> dict[str, float]:
    """Find the figures that tips are chosen by."""
    nights, evenings = [], []
    for sheet in sheets:
        slots = [(slot, _hour(slot.start, zone)) for slot in sheet.tracks[key].slots] if key in sheet.tracks else []
        known = [(slot, hour) for slot, hour in slots if slot.amount is not None]
        night = [(slot.amount or 0.0, slot.end - slot.start) for slot, hour in known if hour in NIGHT]
        if len(night) >= QUARTERS_NEEDED:
            nights.append(night)
        total = sum(slot.amount or 0.0 for slot, _ in known)
        if total > 0 and len(known) == len(slots):
            evenings.append(100 * sum(slot.amount or 0.0 for slot, hour in known if hour in EVENING) / total)
    found: dict[str, float] = {}
    if nights and key == "water_volume_l":
        found["night_l"] = median(sum(amount for amount, _ in night) for night in nights)
    if nights and key == "energy_import_wh":
        found["base_w"] = median(min(amount * HOUR_MS / span for amount, span in night) for night in nights)
    if evenings and key == "energy_import_wh":
        found["evening_percent"] = median(evenings)
    return {name: round(figure, 1) for name, figure in found.items()}


async def _sheets(ledger: Ledger, tenant: str, meter: str, zone: ZoneInfo, since: int, days: int) -> list[Sheet]:
    starts = [days_before(since, zone, -day) for day in range(days)]
    found = [await ledger.newest(tenant, meter, start) for start in starts]
    return [sheet for sheet in found if sheet is not None]


def _whole(sheets: Sequence[Sheet], key: str, days: int) -> bool:
    """Tell whether every day is there, whole, and out of the way in nothing."""
    return len(sheets) == days and all(
        sheet.complete and sheet.usual and sheet.totals.get(key) is not None for sheet in sheets
    )


def _hour(moment: int, zone: ZoneInfo) -> int:
    return datetime.fromtimestamp(moment / 1000, zone).hour
