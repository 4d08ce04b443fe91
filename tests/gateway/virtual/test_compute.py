"""Virtual readings: of which readings they are made, when, and how far to trust them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Number
from drivers.quantities import QUANTITIES
from gateway.check import Checker, Limits
from gateway.message import ESTIMATED, METER_FLAG, RESET, SUSPECT
from gateway.virtual.compute import Derived, Part, Plan, Virtuals

ENERGY, POWER = "energy_import_wh", "power_w"


def plan(every: float = 10.0, within: float = 10.0, paces: float = 10.0, **weights: str) -> Plan:
    """Make a plan of the meter `v`."""
    return Plan(
        "v",
        "v",
        "",
        {meter: Fraction(weight) for meter, weight in weights.items()},
        dict.fromkeys(weights, paces),
        (QUANTITIES["energy_import"], QUANTITIES["power"]),
        every,
        within,
    )


@dataclass
class House:
    """Virtual meters and the check that remembers what their registers showed."""

    plan: Plan
    checker: Checker = field(default_factory=Checker)
    told: list[Derived] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Compute with the check's memory, as the station does."""
        self.virtuals = Virtuals([self.plan], self.checker.last)

    def hear(self, meter: str, second: float, energy: Number | None = None, power: Number | None = None, q: int = 0,
             captured: int | None = None) -> list[Derived]:  # fmt: skip
        """Take one reading of a part and let the check judge what comes of it."""
        values = {key: value for key, value in ((ENERGY, energy), (POWER, power)) if value is not None}
        at = round(second * 1000)
        made = list(self.virtuals.hear(Part(meter, at, at, values, q, captured)))
        for reading in made:
            self.checker.judge("v", reading.at, reading.values, (), Limits())
        self.told += made
        return made


def test_a_difference_of_two_meters() -> None:
    """It is made when the last part was read, and carries that part's time."""
    house = House(plan(main="1", solar="-1"))
    assert house.hear("main", 0, 5000, 800) == []
    assert house.hear("solar", 2, 1200, 300.5) == [Derived("v", 2000, {ENERGY: 3800, POWER: 499.5})]
    assert house.hear("main", 10, 5001, 700) == []
    assert house.hear("solar", 12, 1200, 0) == [Derived("v", 12_000, {ENERGY: 3801, POWER: 700})]


def test_each_reading_counts_once() -> None:
    """A part that fell silent makes a gap, however often the others speak."""
    house = House(plan(main="1", pump="1"))
    house.hear("main", 0, 1)
    assert len(house.hear("pump", 1, 1)) == 1
    for second in range(2, 100):
        assert house.hear("main", second, second) == []
    assert house.hear("pump", 100, 7) == [Derived("v", 100_000, {ENERGY: 106})]


def test_readings_too_far_apart_are_never_joined() -> None:
    """The count says why nothing came."""
    house = House(plan(main="1", pump="1", within=5.0))
    house.hear("main", 0, 1)
    assert house.hear("pump", 5.001, 1) == []
    assert house.virtuals.counts == {"apart": 1}
    assert house.hear("main", 10, 2) == [Derived("v", 10_000, {ENERGY: 3})]


def test_powers_are_of_one_interval() -> None:
    """Registers may be further apart where the configuration says so; powers change too fast for that."""
    house = House(plan(main="1", radio="1", every=10.0, within=900.0))
    house.hear("radio", 0, 100, 50)
    assert house.hear("main", 9, 1, 1) == [Derived("v", 9000, {ENERGY: 101, POWER: 51})]
    house.hear("radio", 900, 110, 50)
    (late,) = house.hear("main", 911, 5, 1)
    assert late.values == {ENERGY: 115}


def test_a_value_that_a_part_lacks_is_left_out() -> None:
    """Nothing stands in for it; where nothing at all is left there is no reading."""
    house = House(plan(a="1", b="1"))
    house.hear("a", 0, energy=1, power=5)
    assert house.hear("b", 1, energy=1) == [Derived("v", 1000, {ENERGY: 2})]
    house.hear("a", 10, energy=1)
    assert house.hear("b", 11, power=1) == []
    house.hear("a", 20, energy=float("nan"), power=5)
    assert house.hear("b", 21, energy=1, power=1) == [Derived("v", 21_000, {POWER: 6})]


def test_doubt_is_carried() -> None:
    """The bits of all parts together."""
    house = House(plan(a="1", b="0.5"))
    house.hear("a", 0, 10, q=SUSPECT)
    (made,) = house.hear("b", 1, 4, q=METER_FLAG)
    assert made == Derived("v", 1000, {ENERGY: 12}, q=SUSPECT | METER_FLAG)
    house.hear("a", 10, 11)
    (made,) = house.hear("b", 11, 4)
    assert made.q == 0


def test_an_overdue_part_makes_an_estimate() -> None:
    """A port that speaks each second and has not for eight tells what was, not what is."""
    house = House(plan(main="1", pump="1", paces=1.0))
    for second in range(3):
        house.hear("main", second, 1, 1)
    (made,) = house.hear("pump", 2.5, 1, 1)
    assert made.q == 0
    house.hear("main", 10, 1, 1)
    house.hear("main", 11, 1, 1)
    (made,) = house.hear("pump", 19, 1, 1)
    assert made.q == ESTIMATED


def test_a_captured_time_is_carried() -> None:
    """Two gas meters behind P1 ports tell of the same full hour at different moments."""
    house = House(plan(a="1", b="1"))
    virtuals = house.virtuals
    assert virtuals.hear(Part("a", 0, 20_000, {ENERGY: 5}, captured=3_600_000)) == []
    made = virtuals.hear(Part("b", 0, 90_000, {ENERGY: 6}, captured=3_600_000))
    assert list(made) == [Derived("v", 20_000, {ENERGY: 11}, captured=3_600_000)]


def test_a_trembling_difference_is_no_reset() -> None:
    """The subtracted register counts in whole kWh: the difference falls by one, and is shown once it rose again."""
    house = House(plan(main="1", pump="-1"))
    for step, pump in enumerate([3000, 3000, 3000, 4000, 4000, 4000, 5000]):
        main = 10_000 + 400 * step
        house.hear("main", 600 * step, main)
        house.hear("pump", 600 * step + 1, pump)
    shown = [reading.values[ENERGY] for reading in house.told]
    assert shown == [7000, 7400, 7800, 8000]
    assert house.virtuals.counts["falling"] == 3
    assert not house.checker.remarks


def test_a_difference_never_goes_below_zero() -> None:
    """No register does; an offset at the part sets both to one beginning."""
    house = House(plan(main="1", solar="-1"))
    house.hear("main", 0, 100)
    assert house.hear("solar", 1, 5000) == []
    assert house.virtuals.counts == {"below_zero": 1}


def test_a_replaced_part_is_a_true_reset() -> None:
    """The part's own reset lets the fall through, and the check says of the virtual meter what it says of the part."""
    house, parts = House(plan(main="1", pump="-1")), Checker()

    def tell(second: int, main: int, pump: int) -> None:
        for meter, energy in (("main", main), ("pump", pump)):
            q, _ = parts.judge(meter, second * 1000, {ENERGY: energy}, (), Limits())
            house.hear(meter, second, energy, q=q)

    for step in range(5):
        tell(10 * step, 500_000 + step, 100)
    assert house.told[-1].values == {ENERGY: 499_904}
    for step in range(5, 20):
        tell(10 * step, 1000 + step, 100)  # a new main meter
    assert parts.remarks["reset"] == 1
    assert house.checker.remarks["reset"] == 1
    assert house.told[-1].values == {ENERGY: 919}
    assert any(reading.q & RESET for reading in house.told)
    assert house.checker.last("v", ENERGY) == 919


def test_a_glitch_of_a_part_passes() -> None:
    """One broken reading neither raises the register for good nor resets it."""
    for glitch in (("main", 0), ("main", 90_000_000), ("pump", 0), ("pump", 90_000_000)):
        house = House(plan(main="1", pump="-1"))
        for step in range(10):
            for meter, energy in (("main", 800_000 + 2 * step), ("pump", 300_000 + step)):
                broken = step == 4 and meter == glitch[0]
                house.hear(meter, 10 * step, glitch[1] if broken else energy, q=SUSPECT if broken else 0)
        assert not house.checker.remarks["reset"], glitch
        assert house.told[-1].values == {ENERGY: 500_009}, glitch
        assert all(reading.q & SUSPECT for reading in house.told if not 499_990 < reading.values[ENERGY] < 500_010), (
            glitch
        )


WEIGHTS = st.sampled_from(("1", "-1", "0.5", "2", "-0.25"))
TELLING = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 20_000), st.integers(-(10**6), 10**6)), min_size=1, max_size=60
)


@given(st.tuples(WEIGHTS, WEIGHTS, WEIGHTS), st.integers(100, 30_000), TELLING)
def test_the_virtual_value_is_the_sum_of_readings_near_each_other(
    weights: Sequence[str], within_ms: int, telling: Sequence[tuple[str, int, int]]
) -> None:
    """Over any interleaving: each reading used once, none further apart than allowed, and the sum exact."""
    formula = dict(zip("abc", map(Fraction, weights), strict=True))
    seconds = within_ms / 1000
    computed = Plan("v", "v", "", formula, dict.fromkeys("abc", 10.0), (QUANTITIES["power"],), seconds, seconds)
    virtuals, unused, moment = Virtuals([computed], lambda _meter, _key: None), dict[str, tuple[int, int]](), 0
    for meter, pause, power in telling:
        moment += pause
        unused[meter] = (moment, power)
        made = virtuals.hear(Part(meter, moment, moment, {POWER: power}))
        times = [at for at, _ in unused.values()]
        if len(unused) < len(formula) or max(times) - min(times) > within_ms:
            assert not made
            continue
        total = sum(formula[part] * power for part, (_, power) in unused.items())
        assert [(reading.at, Fraction(str(reading.values[POWER]))) for reading in made] == [(moment, total)]
        unused.clear()


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 9000), st.integers(0, 50)), max_size=80),
    st.sampled_from((1, 10, 100)),
)
def test_a_difference_shown_as_a_register_never_falls(telling: Sequence[tuple[str, int, int]], step: int) -> None:
    """Whatever the steps and the order of its parts, the check has nothing to remark."""
    house, registers, second = House(plan(a="1", b="-1")), {"a": 100_000, "b": 0}, 0.0
    for meter, pause, amount in telling:
        second += pause / 1000
        registers[meter] += min(amount, pause // 100) * (step if meter == "b" else 1)  # 36 kW, no glitch of the house
        house.hear(meter, second, registers[meter])
    shown = [reading.values[ENERGY] for reading in house.told]
    assert shown == sorted(shown)
    assert not {"reset", "neg", "glitch"} & set(house.checker.remarks)
