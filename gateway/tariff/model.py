"""A tariff as the engine uses it: frozen tables, exact decimals, no file and no clock.

A price belongs to a rate (when) and a tier (how much so far): each rate has one price a tier. A flat tariff has one
rate and no limits, a tiered one several limits, a time-of-use one several rates; all of them are counted alike.
"""

import zlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from drivers.quantities import Commodity

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BASE_PER_UNIT = 1000
"""Base units (Wh, l) in the units that tariffs name (kWh, m3)."""


@dataclass(frozen=True, slots=True)
class Words:
    """A name in both languages."""

    en: str
    ar: str


@dataclass(frozen=True, slots=True)
class Monthly:
    """A bill a month, from the midnight that begins `day`; a shorter month begins it on its last day."""

    day: int


@dataclass(frozen=True, slots=True)
class EveryDays:
    """A bill every so many days, counted from the midnight that begins `first`, before and after it."""

    days: int
    first: date


@dataclass(frozen=True, slots=True)
class Rate:
    """Prices a unit, one a tier, and when they hold: local months, days and hours, an empty tuple being always.

    `days` are words of DAYS or "holiday"; `hours` are quarters of the day, from and to, within one day.
    """

    name: Words
    prices: tuple[Decimal, ...]
    months: tuple[int, ...] = ()
    days: tuple[str, ...] = ()
    hours: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Fee:
    """What is due whatever is used, a billing period or a day, for main fuses from `from_a` to below `below_a`."""

    name: Words
    amount: Decimal
    per: Literal["period", "day"] = "period"
    from_a: Decimal | None = None
    below_a: Decimal | None = None

    @property
    def by_breaker(self) -> bool:
        """Tell whether it depends on the main fuse."""
        return self.from_a is not None or self.below_a is not None

    def fits(self, breaker_a: Decimal) -> bool:
        """Tell whether it is due with this main fuse."""
        return (self.from_a or 0) <= breaker_a and (self.below_a is None or breaker_a < self.below_a)


@dataclass(frozen=True, slots=True)
class Tax:
    """A percentage of use, sewage and fees together."""

    name: Words
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Sewage:
    """What goes down the drain: a share of the water's cost, or a share of the water itself at its own price."""

    name: Words
    share: Decimal
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rounding:
    """Amounts are rounded half up to multiples of `to`: every line, or only the total."""

    to: Decimal
    at: Literal["line", "total"]


@dataclass(frozen=True, slots=True)
class Tariff:
    """A tariff: `tiers` are upper limits a dwelling unit and billing period, in `unit`; both dates belong to it."""

    name: str
    title: Words
    commodity: Commodity
    currency: str
    unit: str
    zone: str
    source: str
    valid_from: date
    valid_until: date
    billing: Monthly | EveryDays
    tiers: tuple[Decimal, ...]
    rates: tuple[Rate, ...]
    rounding: Rounding
    fees: tuple[Fee, ...] = ()
    taxes: tuple[Tax, ...] = ()
    sewage: Sewage | None = None
    holidays: tuple[date, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A tariff as one customer has it: how many dwelling units share the meter, and which main fuse it has."""

    tariff: Tariff
    dwelling_units: int = 1
    breaker_a: Decimal | None = None

    @cached_property
    def zone(self) -> ZoneInfo:
        """The tariff's time zone."""
        return ZoneInfo(self.tariff.zone)

    @cached_property
    def limits(self) -> tuple[Decimal, ...]:
        """Where tiers end, in base units for all dwelling units."""
        return tuple(limit * BASE_PER_UNIT * self.dwelling_units for limit in self.tariff.tiers)

    @cached_property
    def shape(self) -> int:
        """A number that changes with whatever decides where use is counted; prices do not."""
        tariff = self.tariff
        times = [(rate.months, rate.days, rate.hours) for rate in tariff.rates]
        said = repr((self.limits, times, tariff.billing, tariff.zone, tariff.holidays, tariff.commodity))
        return zlib.crc32(said.encode())
