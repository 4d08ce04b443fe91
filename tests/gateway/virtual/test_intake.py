"""Virtual meters on the way of a reading: which moment of a part counts, with and without true time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from drivers.contract import Reading
from drivers.quantities import QUANTITIES
from gateway.check import Checker, Limits
from gateway.intake import Intake, Known, ProfileRow
from gateway.live import LiveBook
from gateway.message import HOLDOVER, SUSPECT
from gateway.virtual.compute import Plan, Virtuals

GAS = "gas_volume_l"


@dataclass
class Bench:
    """An intake of two gas meters and their sum; the clock adds `offset`, or knows nothing."""

    offset: int | None = 1_000_000
    state: str = "synced"
    rows: list[tuple[str, int | None, int, Mapping[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Know the meters."""
        checker = Checker()
        self.intake = Intake(self, checker, self, LiveBook(), None)
        for meter in ("a", "b", "sum"):
            self.intake.meters[meter] = Known(10.0, Limits())
        weights = {"a": Fraction(1), "b": Fraction(1)}
        plan = Plan(
            "sum", "sum", "a + b", weights, dict.fromkeys(weights, 10.0), (QUANTITIES["gas_volume"],), 10.0, 10.0
        )
        self.intake.virtuals = Virtuals([plan], checker.last)

    def stamp(self, at_boot_ms: int) -> int | None:
        """Give UTC ms."""
        return None if self.offset is None else at_boot_ms + self.offset

    def add(self, meter: str, at: int | None, _mono: int, q: int, values: Mapping[str, Any], _extra: Any = None) -> int:
        """Keep one reading."""
        self.rows.append((meter, at, q, values))
        return len(self.rows)

    def take(self, meter: str, at: int, value: float, captured: int | None = None) -> None:
        """Take one reading."""
        self.intake.take(Reading(meter, at, {GAS: value}, captured=captured))


def test_without_true_time_the_boot_clock_counts() -> None:
    """A board that does not know the date yet computes all the same; its readings get their time later."""
    bench = Bench(offset=None)
    bench.take("a", 1000, 5)
    bench.take("b", 3000, 7)
    assert bench.rows[-1] == ("sum", None, 0, {GAS: 12})


def test_a_captured_moment_counts_not_its_arrival() -> None:
    """Values of the same full hour belong together; one of another hour does not, however near it came."""
    bench = Bench()
    bench.take("a", 500_000, 5, captured=1_400_000)
    bench.take("b", 590_000, 7, captured=1_400_000)
    assert bench.rows[-1] == ("sum", 1_400_000, 0, {GAS: 12})
    bench.take("a", 600_000, 6, captured=1_590_000)
    bench.take("b", 600_100, 8, captured=1_500_000)
    assert [row[0] for row in bench.rows] == ["a", "b", "sum", "a", "b"]


def test_a_captured_moment_without_true_time_is_left_out() -> None:
    """Nobody knows how far the hour on the meter's clock is from the boot clock."""
    bench = Bench(offset=None)
    bench.take("a", 1000, 5, captured=1_400_000)
    bench.take("b", 2000, 5, captured=1_400_000)
    assert [row[0] for row in bench.rows] == ["a", "b"]


def test_doubt_of_a_part_and_of_the_clock_is_kept() -> None:
    """A part's glitch marks the sum; so does a clock that is only held over."""
    bench = Bench(state="holdover")
    for step in range(3):
        bench.take("a", 10_000 * step, 5000 if step < 2 else 0)
        bench.take("b", 10_000 * step + 1, 7)
    sums = [row for row in bench.rows if row[0] == "sum"]
    assert [row[2] for row in sums] == [HOLDOVER, HOLDOVER, HOLDOVER | SUSPECT]
    assert sums[-1][3] == {GAS: 7}


def test_the_past_makes_no_virtual_reading() -> None:
    """Rows of a load profile fill the gaps of the meter that kept them, and of no other."""
    bench = Bench()
    bench.intake.take(ProfileRow("a", 1000, {GAS: 5}, captured=500_000))
    bench.intake.take(ProfileRow("b", 1000, {GAS: 5}, captured=500_000))
    assert [row[0] for row in bench.rows] == ["a", "b"]
