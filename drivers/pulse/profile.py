"""Pulse meter models: what one pulse is worth, what the contact is like, and what is the most a meter can do.

    quantity = "energy_import"     # what is counted
    unit     = "kWh"
    pulses   = 1000                # pulses a unit
    rate     = "power"             # what the spacing of pulses tells, if anything
    most     = 20                  # the most it can run: units an hour; what comes faster is no meter

`ratio` of a meter in the configuration scales what is not in any model, `offset` is what its display showed when the
counting began.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Self

from pydantic import Field, model_validator

from drivers import decimals
from drivers.contract import Number
from drivers.profiles import Profile, ProfileError, ProfileFile, Strict
from drivers.pulse.count import NANO, Counter, Total
from drivers.quantities import QUANTITIES, scale_of

Bias = Literal["pull-up", "pull-down", "off"]

_HOUR = 3600
_RATES = {"Wh": "W", "varh": "var", "l": "l/h"}
"""Base units of counts, and of their rates: one base unit an hour."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A compiled profile; `worth` is what a pulse adds in the base unit. Times are nanoseconds."""

    key: str
    worth: Fraction
    rate: str | None
    backward: str | None
    shortest: int
    debounce: int
    bias: Bias
    active_low: bool
    still: int

    def counter(self, total: Total = Total()) -> Counter:  # noqa: B008  frozen
        """Make the counter of one meter that goes on from a total."""
        return Counter(self.shortest, self.still, total)

    def values(self, total: Total, rate: Fraction | None) -> dict[str, Number]:
        """Give counts and rate (pulses a second, None for unknown) as quantities."""
        forward, backward = total.forward, total.backward
        if self.backward is None:  # a meter without a second register runs back
            forward, backward = forward - backward, 0
        values = {self.key: decimals.number(forward * self.worth)}
        if self.backward is not None:
            values[self.backward] = decimals.number(backward * self.worth)
        if self.rate is not None and rate is not None:
            values[self.rate] = decimals.number(rate * self.worth * _HOUR)
        return values


# --- the file --------------------------------------------------------------------------------------------------------


class Example(Strict):
    """Times of pulses in seconds, a time to look, and what is then read, in base units."""

    pulses: tuple[float, ...]
    at: float
    readings: dict[str, float]


class File(ProfileFile):
    """A pulse meter model."""

    driver: Literal["pulse"]
    quantity: str
    unit: str
    pulses: float = Field(gt=0, le=1e6)
    rate: str | None = None
    backward: str | None = None
    most: float | None = Field(None, gt=0)
    debounce_ms: float = Field(20, ge=0, le=1000)
    bias: Bias = "pull-up"
    active_low: bool = True
    still_s: int = Field(600, ge=1, le=86_400)
    examples: tuple[Example, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in filter(None, (self.quantity, self.rate, self.backward)):
            if name not in QUANTITIES:
                raise ValueError(f"{name!r} is not in the closed list of quantities")
        try:
            scale_of(self.quantity, self.unit)
        except KeyError:
            raise ValueError(f"{self.quantity} is not measured in {self.unit!r}") from None
        base = QUANTITIES[self.quantity].unit
        if self.rate and QUANTITIES[self.rate].unit != _RATES.get(base):
            raise ValueError(f"{self.rate} is not what {self.quantity} does in an hour")
        if self.backward and QUANTITIES[self.backward].unit != base:
            raise ValueError(f"{self.backward} is not measured like {self.quantity}")
        return self

    def compile(self) -> Layout:
        """Turn units into what a pulse is worth."""
        pulses = Fraction(str(self.pulses))
        shortest = 0 if self.most is None else int(NANO * _HOUR / (pulses * Fraction(str(self.most))))
        debounce = int(self.debounce_ms * 1e6)
        return Layout(
            QUANTITIES[self.quantity].key,
            scale_of(self.quantity, self.unit) / pulses,
            QUANTITIES[self.rate].key if self.rate else None,
            QUANTITIES[self.backward].key if self.backward else None,
            max(shortest, debounce), debounce, self.bias, self.active_low, self.still_s * NANO,
        )  # fmt: skip

    def quantities(self) -> tuple[str, ...]:
        """Name count, backward count and rate."""
        return tuple(name for name in (self.quantity, self.backward, self.rate) if name)

    def prove(self, profile: Profile) -> None:
        """Count every example; raises ProfileError."""
        for number, example in enumerate(self.examples):
            counter = profile.layout.counter()
            for second in example.pulses:
                counter.pulse(int(second * NANO))
            values = profile.layout.values(counter.total, counter.rate(int(example.at * NANO)))
            expected = {QUANTITIES[name].key: value for name, value in example.readings.items() if name in QUANTITIES}
            if {key: float(value) for key, value in values.items()} != expected:
                raise ProfileError(None, f"examples.{number}.readings", f"base units: {values}", "mend one of them")
