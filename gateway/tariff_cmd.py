"""What `nabd tariff` says: what a file means, the bills of a series of register readings, what other tariffs had cost.

Amounts are shown as the tariff rounds them; `bill` and `advise` take the CSV of `nabd alerts replay`, registers only.
"""

from argparse import Namespace
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from gateway.alerts.rules.billing import REGISTERS
from gateway.alerts.series import ReplayError, Row, load_rows
from gateway.check import Checker, Limits
from gateway.tariff.advice import Interval, advise
from gateway.tariff.bill import HINTS, Bill, Line, NoCost, bill
from gateway.tariff.errors import TariffError
from gateway.tariff.file import load, load_file
from gateway.tariff.margin import all_in
from gateway.tariff.model import Monthly, Plan, Rate, Tariff
from gateway.tariff.periods import midnight
from gateway.tariff.state import BillState, add, begin

Say = Callable[[str], None]
VERDICTS: dict[str, str] = {
    "saves": "would have saved enough in each month",
    "saves_too_little": "would not have saved 5 % in each month",
    "not_comparable": "is for another commodity, currency or zone",
    "too_few_months": "needs three whole months, nearly all known, to be compared",
} | {str(reason): hint for reason, hint in HINTS.items()}


def run(options: Namespace, tell: Say, complain: Say) -> int:
    """Do `check`, `bill` or `advise`; 1 when there is no bill or advice to be had, 2 when a file cannot be used."""
    try:
        tariff = _found(options.tariff)
        if options.what == "check":
            return check(tariff, options.today(), tell)
        plan = Plan(tariff, options.dwelling_units, options.breaker and Decimal(options.breaker))
        rows = _between(plan, _rows(options.series, plan, options.meter), options.since, options.until)
        if options.what == "advise":
            return advised(plan, [_found(offer) for offer in options.offer], rows, tell)
        return bills(plan, rows, tell, complain)
    except (TariffError, ReplayError) as error:
        complain(f"nabd tariff: {error}")
        return 2


def check(tariff: Tariff, today: date, tell: Say) -> int:
    """Explain a tariff; 1 when it does not hold today."""
    tell(f"{tariff.title.en} ({tariff.name})")
    tell(f"  {tariff.title.ar}")
    tell(f"  source    {tariff.source}")
    tell(f"  holds     {tariff.valid_from} to {tariff.valid_until}, {tariff.zone}")
    tell(f"  billing   {_billing(tariff)}")
    tell(f"  rounding  {tariff.rounding.to} {tariff.currency}, each {tariff.rounding.at}")
    for rate in tariff.rates:
        tell(f"  {rate.name.en}{_when(rate)}, with sewage and taxes:")
        for tier, price in enumerate(rate.prices):
            whole = _plain(all_in(Plan(tariff), price))
            tell(f"    {_tier(Plan(tariff), tier):<28} {whole:>10} {tariff.currency}/{tariff.unit}")
    if tariff.tiers:
        tell("    tiers grow with the dwelling units that share a meter")
    for fee in tariff.fees:
        tell(f"  {fee.name.en}: {fee.amount} {tariff.currency} a {fee.per}{_fuse(fee.from_a, fee.below_a)}")
    if tariff.sewage:
        own = f" at {tariff.sewage.price}" if tariff.sewage.price is not None else "'s cost"
        tell(f"  {tariff.sewage.name.en}: {_plain(tariff.sewage.share * 100)} % of the water{own}")
    for tax in tariff.taxes:
        tell(f"  {tax.name.en}: {tax.percent} %")
    if tariff.valid_from <= today <= tariff.valid_until:
        return 0
    tell("  It does not hold today: costs are left out.")
    return 1


def bills(plan: Plan, rows: list[Row], tell: Say, complain: Say) -> int:
    """Print the bill of each period the readings touch; 1 when one has none."""
    if len(rows) < 2:  # noqa: PLR2004  use lies between two readings
        complain("nabd tariff: there are no two readings in that time, so there is nothing to bill")
        return 1
    code = 0
    for period in _periods(plan, rows):
        made = bill(plan, period)
        if isinstance(made, NoCost):
            complain(f"{_days(plan, period.start, period.end)}: no bill: {made.hint}")
            code = 1
        else:
            for line in _bill(plan, made):
                tell(line)
    return code


def advised(plan: Plan, offers: list[Tariff], rows: list[Row], tell: Say) -> int:
    """Compare tariffs over the months in the readings, each bill beside the present one; 1 when none is advised."""
    advice = advise(plan, offers, list(_intervals(rows)))
    for offer in advice.offers:
        tell(f"{offer.tariff.title.en} ({offer.tariff.name}): {VERDICTS[offer.verdict]}")
        for month in offer.months:
            now, then, saved = (
                _plain(sum_, Decimal("0.01")) for sum_ in (month.current.total, month.offered.total, month.saving)
            )
            days = _days(plan, month.current.start, month.current.end)
            tell(f"  {days}  {now:>10} now  {then:>10} then  {saved:>10} saved  {100 * month.share:>6.1f} %")
    best = advice.best
    if best is None:
        tell("No tariff is advised.")
        return 1
    tell(f"Advised: {best.tariff.name}, {_plain(best.saving, Decimal('0.01'))} {plan.tariff.currency} less in all.")
    return 0


def _found(name: Path) -> Tariff:
    return load_file(name) if name.suffix == ".toml" else load(str(name))


def _rows(path: Path, plan: Plan, meter: str | None) -> list[Row]:
    key = REGISTERS[plan.tariff.commodity]
    found = [row for row in load_rows(path, plan.tariff.zone) if row.key == key and meter in (None, row.meter)]
    meters = sorted({row.meter for row in found})
    if not meters:
        raise ReplayError(path, 1, f"has no {key}" + (f" of {meter}" if meter else ""), "time,meter,quantity,value")
    if len(meters) > 1:
        raise ReplayError(path, 1, f"has {len(meters)} meters", f"name one with --meter: {', '.join(meters[:9])}")
    return sorted(found)


def _between(plan: Plan, rows: list[Row], since: date | None, until: date | None) -> list[Row]:
    first = midnight(since, plan.zone) if since else 0
    last = midnight(until + timedelta(days=1), plan.zone) if until else rows[-1].ts
    return [row for row in rows if first <= row.ts <= last]


def _periods(plan: Plan, rows: list[Row]) -> Iterator[BillState]:
    state = begin(plan, rows[0].ts)
    for start, end, amount in _intervals(rows):
        state, closed = add(plan, state, start, end, amount)
        yield from closed
    if state.until > state.start:
        yield state


def _intervals(rows: list[Row]) -> Iterator[Interval]:
    checker, limits = Checker(), Limits()
    for row in rows:
        for interval in checker.judge(row.meter, row.ts, {row.key: row.value}, (), limits)[1]:
            yield interval.start, interval.end, None if interval.quality == "suspect" else interval.amount


def _bill(plan: Plan, made: Bill) -> Iterator[str]:
    tariff = plan.tariff
    cents = tariff.rounding.to if tariff.rounding.at == "line" else Decimal("0.0001")
    used = f"{_plain(made.quantity)} {tariff.unit}"
    yield f"{_days(plan, made.start, made.end)}: {used}, {100 * made.covered:.1f} % of the time known"
    if made.until < made.end:
        yield f"  so far, up to {datetime.fromtimestamp(made.until / 1000, plan.zone):%Y-%m-%d %H:%M}"
    for line in made.lines:
        yield f"  {_label(plan, line):<34} {_sum(line):>28} {_plain(line.amount, cents):>12}"
    yield f"  {'Total':<34} {tariff.currency:>28} {_plain(made.total, tariff.rounding.to):>12}"


def _label(plan: Plan, line: Line) -> str:
    return f"{line.name.en}, {_tier(plan, line.tier - 1)}" if line.tier else line.name.en


def _sum(line: Line) -> str:
    return f"{_plain(line.quantity)} {'' if line.unit == '%' else line.unit + ' '}x {_plain(line.price)}" + (
        " %" if line.unit == "%" else ""
    )


def _tier(plan: Plan, tier: int) -> str:
    """Name a tier by its limits, those of all dwelling units."""
    unit, limits = plan.tariff.unit, [_plain(limit * plan.dwelling_units) for limit in plan.tariff.tiers]
    if not limits:
        return "any amount"
    first = limits[tier - 1] if tier else "0"
    return f"{first} to {limits[tier]} {unit}" if tier < len(limits) else f"over {first} {unit}"


def _when(rate: Rate) -> str:
    hours = [f"{begin // 4:02}:{begin % 4 * 15:02}-{end // 4:02}:{end % 4 * 15:02}" for begin, end in rate.hours]
    parts = [" ".join(hours), " ".join(rate.days), f"months {' '.join(map(str, rate.months))}" if rate.months else ""]
    return "".join(f", {part}" for part in parts if part)


def _billing(tariff: Tariff) -> str:
    billing = tariff.billing
    if isinstance(billing, Monthly):
        return f"monthly, from day {billing.day}"
    return f"every {billing.days} days, from {billing.first}"


def _fuse(from_a: Decimal | None, below_a: Decimal | None) -> str:
    parts = [f"from {from_a} A" if from_a is not None else "", f"below {below_a} A" if below_a is not None else ""]
    said = " ".join(part for part in parts if part)
    return f", main fuse {said}" if said else ""


def _days(plan: Plan, start: int, end: int) -> str:
    first, last = (datetime.fromtimestamp(at / 1000, UTC).astimezone(plan.zone) for at in (start, end - 1))
    return f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _plain(amount: Decimal, to: Decimal = Decimal("0.0001")) -> str:
    """Show a number without exponent, as fine as `to`; what is finer than that is cut from the show only."""
    shown = f"{amount.quantize(to):f}"
    return shown if to == Decimal("0.01") or "." not in shown else shown.rstrip("0").rstrip(".")
