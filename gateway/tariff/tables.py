"""What a tariff's file may say: each value, then what the values must be to each other, then the engine's own tables.

Prices a tier, a last rate for all the time that is left, fees whose ratings leave no hole: whatever passes here can be
priced without a question left open.
"""

import re
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from drivers.quantities import Commodity
from gateway.tariff import model

UNITS: dict[str, str] = {"electricity": "kWh", "heat": "kWh", "water": "m3", "gas": "m3"}
"""What each commodity is priced by; gas as its meter counts it."""

# Nine digits, six of them behind the point: any price or fee there is, and products stay within 28 digits.
Amount = Annotated[Decimal, Field(ge=0, lt=10**9, max_digits=15, decimal_places=6)]
Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,500}$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]
# A hundred years on both sides of which no arithmetic with days leaves the calendar.
Date = Annotated[date, Field(ge=date(1970, 1, 1), le=date(2100, 12, 31))]
_HOURS = re.compile(r"(([01]\d|2[0-3]):(00|15|30|45))-(([01]\d|2[0-3]):(00|15|30|45)|24:00)")


def _hours(text: str) -> str:
    match = _HOURS.fullmatch(text)
    if match is None or match[1] == match[4]:
        raise ValueError('hours are written like "22:00-06:00", on quarters of an hour')
    return text


Hours = Annotated[str, AfterValidator(_hours)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class Table(BaseModel):
    """A table of a file: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WordsTable(Table):
    """A name in both languages."""

    en: Text
    ar: Text

    def made(self) -> model.Words:
        """Give the engine's own."""
        return model.Words(self.en, self.ar)


class BillingTable(Table):
    """When a bill begins: on a day of the month, or every so many days from a first one."""

    day: Annotated[int, Field(ge=1, le=31)] | None = None
    every_days: Annotated[int, Field(ge=7, le=400)] | None = None
    first: Date | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.day is None) != (self.every_days is not None and self.first is not None) or (self.day and self.first):
            raise ValueError("write either day, or every_days and first")
        return self

    def made(self) -> model.Monthly | model.EveryDays:
        """Give the engine's own."""
        if self.every_days is not None and self.first is not None:
            return model.EveryDays(self.every_days, self.first)
        return model.Monthly(self.day or 1)


class RateTable(Table):
    """What a unit costs, and when."""

    name: WordsTable
    prices: Annotated[tuple[Amount, ...], Field(min_length=1, max_length=20)]
    months: Annotated[tuple[Annotated[int, Field(ge=1, le=12)], ...], Field(max_length=12)] = ()
    days: Annotated[tuple[Day, ...], Field(max_length=8)] = ()
    hours: Annotated[tuple[Hours, ...], Field(max_length=12)] = ()

    def made(self) -> model.Rate:
        """Give the engine's own."""
        hours = tuple(window for text in self.hours for window in _quarters(text))
        return model.Rate(self.name.made(), self.prices, self.months, self.days, hours)


class FeeTable(Table):
    """What is due whatever is used."""

    name: WordsTable
    amount: Amount
    per: Literal["period", "day"] = "period"
    from_a: Amount | None = None
    below_a: Amount | None = None

    def made(self) -> model.Fee:
        """Give the engine's own."""
        return model.Fee(self.name.made(), self.amount, self.per, self.from_a, self.below_a)


class TaxTable(Table):
    """A percentage of all the rest."""

    name: WordsTable
    percent: Percent

    def made(self) -> model.Tax:
        """Give the engine's own."""
        return model.Tax(self.name.made(), self.percent)


class SewageTable(Table):
    """What goes down the drain; `percent` of the water's cost, or of the water itself where it has its own price."""

    name: WordsTable
    percent: Percent
    price: Amount | None = None

    def made(self) -> model.Sewage:
        """Give the engine's own."""
        return model.Sewage(self.name.made(), self.percent / 100, self.price)


class RoundingTable(Table):
    """Rounded half up to multiples of `to`: each line, or the total."""

    to: Annotated[Decimal, Field(gt=0, le=1000, decimal_places=6)] = Decimal("0.01")
    at: Literal["line", "total"] = "line"


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise ValueError("is no time zone of this machine, such as Asia/Riyadh") from None


class TariffFile(Table):
    """A whole tariff."""

    name: Name
    title: WordsTable
    commodity: Commodity
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    unit: Literal["kWh", "m3"]
    zone: Annotated[str, AfterValidator(_zone)]
    source: Text
    valid_from: Date
    valid_until: Date
    tiers: Annotated[tuple[Amount, ...], Field(max_length=19)] = ()
    holidays: Annotated[tuple[Date, ...], Field(max_length=400)] = ()
    billing: BillingTable
    rounding: RoundingTable = RoundingTable()
    sewage: SewageTable | None = None
    rate: Annotated[tuple[RateTable, ...], Field(min_length=1, max_length=50)]
    fee: Annotated[tuple[FeeTable, ...], Field(max_length=50)] = ()
    tax: Annotated[tuple[TaxTable, ...], Field(max_length=10)] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.valid_until < self.valid_from:
            raise ValueError("valid_until is before valid_from")
        if self.unit != UNITS[self.commodity]:
            raise ValueError(f"unit is {self.unit}, and {self.commodity} is priced by {UNITS[self.commodity]}")
        if any(a >= b for a, b in pairwise((Decimal(), *self.tiers))):
            raise ValueError("tiers do not rise")
        for rate in self.rate:
            if len(rate.prices) != len(self.tiers) + 1:
                raise ValueError(f"rate {rate.name.en} has {len(rate.prices)} prices for {len(self.tiers) + 1} tiers")
        if self.rate[-1].months or self.rate[-1].days or self.rate[-1].hours:
            raise ValueError("the last rate has conditions: it must hold for all the time the others leave")
        if self.sewage is not None and self.commodity != "water":
            raise ValueError("sewage goes with water only")
        _without_holes(self.fee)
        return self

    def made(self) -> model.Tariff:
        """Give the engine's own."""
        return model.Tariff(
            self.name, self.title.made(), self.commodity, self.currency, self.unit, self.zone, self.source,
            self.valid_from, self.valid_until, self.billing.made(), self.tiers,
            tuple(rate.made() for rate in self.rate), model.Rounding(self.rounding.to, self.rounding.at),
            tuple(fee.made() for fee in self.fee), tuple(tax.made() for tax in self.tax),
            self.sewage.made() if self.sewage else None, self.holidays,
        )  # fmt: skip


def _without_holes(fees: tuple[FeeTable, ...]) -> None:
    """See that every main fuse has one fee, where fees hang on it."""
    by_breaker = sorted((fee for fee in fees if fee.from_a is not None or fee.below_a is not None), key=_from)
    edges = [(fee.from_a or Decimal(), fee.below_a) for fee in by_breaker]
    whole = not edges or (edges[0][0] == 0 and edges[-1][1] is None and all(a[1] == b[0] for a, b in pairwise(edges)))
    if not whole:
        raise ValueError("fees by main fuse must begin at 0, meet each other, and leave the last one open")


def _from(fee: FeeTable) -> Decimal:
    return fee.from_a or Decimal()


def _quarters(text: str) -> list[tuple[int, int]]:
    """Turn "22:00-06:00" into quarters of the day; over midnight it is two windows."""
    begin, end = (int(clock[:2]) * 4 + int(clock[3:]) // 15 for clock in text.split("-"))
    return [(begin, end)] if begin < end else [(begin, 96), (0, end)]
