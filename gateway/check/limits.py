"""What a meter's connection can carry at most, and where its registers start over."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from drivers.contract import Number
from drivers.quantities import Quantity

# What nothing on such a connection exceeds in an hour, where the configuration gives no limit: 3 x 290 A, a DN50 water
# meter, a G40 gas meter, a district heating station. Generous, for only nonsense shall be caught without knowing more.
_RATES = {
    ("electricity", "Wh"): 200_000.0,
    ("electricity", "varh"): 200_000.0,
    ("water", "l"): 50_000.0,
    ("gas", "l"): 65_000.0,
    ("heat", "Wh"): 1_000_000.0,
    ("heat", "l"): 50_000.0,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one meter can do: its main fuse in A (three phases of 230 V), and by key in base units more than that.

    `rate` is the most in an hour; `modulus` is the number at which the register starts over.
    """

    rating_a: float | None = None
    rate: Mapping[str, float] = field(default_factory=dict)
    modulus: Mapping[str, Number] = field(default_factory=dict)

    def rate_of(self, quantity: Quantity) -> float:
        """Give the most that may be counted in an hour."""
        if quantity.key in self.rate:
            return self.rate[quantity.key]
        if self.rating_a is not None and quantity.commodity == "electricity":
            return 3 * 230 * self.rating_a
        return _RATES[quantity.commodity, quantity.unit]
