"""The rules of a day: what its slots and totals say, beside those of other weeks. Pure functions, one a rule.

Each gives the stretches of time it flags; `day.py` asks them and adds meter and key.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from gateway.check.slots import RANK, Slot

Span = tuple[int, int]

DAY_MS = 86_400_000
SPIKE = 1.8
SPIKE_LEAST_WH = 500.0
"""Below half a kWh in the third highest slot the highest one is a kettle, not a fault (V8)."""
LOW, HIGH = 0.5, 2.0
WEEKS_LEAST = 2
"""Same weekdays of three weeks are asked for; one may be missing (V10)."""
SUM_SHARE = 0.001
SUM_STEPS = 2
STILL_MS = {"energy_import_wh": DAY_MS, "water_volume_l": 7 * DAY_MS, "gas_volume_l": 7 * DAY_MS}
FLOWING_MS = DAY_MS
FLOWING_L = 0.1
"""Less than this in a quarter of an hour is a closed tap (V18)."""
ESTIMATED_MS = 30 * DAY_MS
REACTIVE_LEAST = 100.0
"""varh in a day that no meter shows without any kWh (V16): a transformer at rest takes more kWh than that."""


def gaps(slots: Sequence[Slot]) -> list[Span]:
    """Give the stretches that were not measured (V1)."""
    spans: list[Span] = []
    for slot in slots:
        if RANK[slot.grade] > RANK["estimated"]:
            continue
        if spans and spans[-1][1] == slot.start:
            spans[-1] = (spans[-1][0], slot.end)
        else:
            spans.append((slot.start, slot.end))
    return spans


def spike(slots: Sequence[Slot]) -> list[Span]:
    """Give the highest slot where it is far above the third highest (V8)."""
    measured = sorted(_measured(slots), key=lambda slot: slot.amount or 0.0, reverse=True)
    if len(measured) < 3:  # noqa: PLR2004  the third highest
        return []
    highest, third = measured[0].amount or 0.0, measured[2].amount or 0.0
    if third < SPIKE_LEAST_WH or (highest - third) / third <= SPIKE:
        return []
    return [(measured[0].start, measured[0].end)]


def unlike(total: float | None, weeks: Sequence[float | None]) -> bool:
    """Tell whether a day's use is beyond half and twice that of the same weekday (V10)."""
    known = [amount for amount in weeks if amount is not None]
    if total is None or len(known) < WEEKS_LEAST:
        return False
    mean = sum(known) / len(known)
    return mean > 0 and not LOW * mean <= total <= HIGH * mean


def parts_differ(whole: float | None, parts: Iterable[float | None], step: float) -> bool:
    """Tell whether tariff registers miss what the total counted (V11)."""
    amounts = list(parts)
    if whole is None or not amounts or any(amount is None for amount in amounts):
        return False
    counted = sum(amount for amount in amounts if amount is not None)
    return abs(counted - whole) > max(SUM_STEPS * step, SUM_SHARE * whole) + 1e-6


def lasting(slots: Sequence[Slot], before: int, holds: Callable[[Slot], bool], limit: int) -> tuple[int, list[Span]]:
    """Follow a state that held for `before` ms; give how long it has held at the end, and where beyond `limit`."""
    run, spans = before, list[Span]()
    for slot in slots:
        run = run + slot.end - slot.start if holds(slot) else 0
        if run >= limit:
            span = (slot.end - run, slot.end)
            spans = [*spans[:-1], span] if spans and spans[-1][0] == span[0] else [*spans, span]
    return run, spans


def is_zero(slot: Slot) -> bool:
    """Tell whether a slot was measured and nothing was used (V12)."""
    return slot.amount == 0 and slot.grade != "estimated"


def is_flowing(slot: Slot) -> bool:
    """Tell whether water surely ran (V18)."""
    return slot.amount is not None and slot.amount >= FLOWING_L and slot.grade != "estimated"


def is_estimated(slot: Slot) -> bool:
    """Tell whether nobody measured a slot (V19)."""
    return RANK[slot.grade] <= RANK["estimated"]


def reactive_alone(totals: Mapping[str, float | None]) -> bool:
    """Tell whether kvarh were counted without kWh (V16)."""
    active = [totals.get("energy_import_wh"), totals.get("energy_export_wh", 0.0)]
    reactive = totals.get("reactive_energy_import_varh") or 0.0
    return reactive >= REACTIVE_LEAST and active[0] == 0 and not active[1]


def _measured(slots: Sequence[Slot]) -> list[Slot]:
    return [slot for slot in slots if RANK[slot.grade] > RANK["estimated"] and slot.amount is not None]
