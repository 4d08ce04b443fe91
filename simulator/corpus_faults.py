"""The faults of a corpus: how each is planted, how many of each, and on which meters.

One function a kind: it does something to a tape on a day and gives the first and the last place it touched, or None
where the day does not suit. Hours keep clear of midnight, so that a fault belongs to its day.
"""

from collections.abc import Callable, Sequence
from random import Random

from simulator.corpus import PER_DAY, STEP, Kind, Label, Tape, tape
from simulator.households import Channel

Plant = Callable[[Tape, int, Random], tuple[int, int] | None]

LIMIT = {"electricity": 43_500.0, "water": 50_000.0, "gas": 65_000.0}
"""What no such connection carries in an hour: 3 x 63 A, a DN50 water meter, a G40 gas meter."""
_LINES = (1, 2, 3)


def _place(meter: Tape, day: int, dice: Random, latest: float = 19) -> int:
    return meter.place(day, dice.uniform(2, latest))


def gap(meter: Tape, day: int, dice: Random) -> tuple[int, int]:
    """Some readings never came."""
    at, count = _place(meter, day, dice), dice.choice((1, 1, 1, 2, 3, 6, 10))
    meter.dropped.update(range(at, at + count))
    return at - 1, at + count


def dup(meter: Tape, day: int, dice: Random) -> tuple[int, int]:
    """A telegram came twice."""
    at = _place(meter, day, dice)
    meter.repeated.add(at)
    return at, at


def late(meter: Tape, day: int, dice: Random) -> tuple[int, int]:
    """A telegram came after two younger ones."""
    at = _place(meter, day, dice)
    meter.delayed.add(at)
    return at - 1, at + 2


def neg(meter: Tape, day: int, dice: Random) -> tuple[int, int]:
    """A register fell behind a little for a while."""
    at, key = _place(meter, day, dice), dice.choice(list(meter.registers))
    share = dice.uniform(0.5, 0.97)
    for place in range(at, at + dice.choice((1, 2))):
        meter.patches[place, key] = lambda value: value * share // 10 * 10
    return at, at + 2


def roll(meter: Tape, day: int, dice: Random) -> tuple[int, int] | None:
    """The register passed its end; which end that is, the meter's papers say."""
    if meter.modulus is not None or meter.swapped:
        return None
    at, course = _place(meter, day, dice), meter.registers[meter.main]
    meter.modulus = dice.choice((10**7, 10**8, 10**9))
    meter.add(meter.main, at, 30)  # so that it surely moves
    meter.add(meter.main, 0, meter.modulus - course[at - 1] - 15)
    return at - 1, at


def reset(meter: Tape, day: int, dice: Random) -> tuple[int, int]:
    """The meter was replaced by another one: every register starts anew."""
    at = _place(meter, day, dice)
    meter.swapped = True
    for key, course in meter.registers.items():
        meter.add(key, at, dice.choice((0.0, dice.uniform(0, 0.3) * course[at])) - course[at - 1] + 1)
    return at - 1, at + 4


def glitch(meter: Tape, day: int, dice: Random) -> tuple[int, int]:
    """A register showed nothing, or part of itself, for up to three readings."""
    at, key = _place(meter, day, dice), dice.choice(list(meter.registers))
    count, share = dice.randint(1, 3), dice.choice((0, 0, 0, dice.uniform(0.1, 0.8)))
    for place in range(at, at + count):
        meter.patches[place, key] = lambda value: share * value // 10 * 10
    return at, at + count


def spike(meter: Tape, day: int, dice: Random) -> tuple[int, int] | None:
    """One quarter of an hour counted far more than any other."""
    first, course = meter.place(day), meter.registers[meter.main]
    rises = sorted((course[n + 1] - course[n] for n in range(first, first + PER_DAY)), reverse=True)
    third = rises[1]  # once the spike is there
    if third < 600 or meter.solar:  # noqa: PLR2004  a day on which somebody was at home
        return None
    at = _place(meter, day, dice)
    amount = dice.uniform(3.2, 4.0) * third
    for key in (meter.main, _moving_tariff(meter, at)):
        meter.add(key, at, amount)
    return at - 1, at


def imposs(meter: Tape, day: int, dice: Random) -> tuple[int, int]:
    """A register rose by more than the connection carries, for a moment or for good."""
    at, key = _place(meter, day, dice), dice.choice(list(meter.registers))
    amount = LIMIT[meter.channel] * dice.uniform(2, 50) // 10 * 10
    if dice.random() < 0.5:  # noqa: PLR2004  one in two goes by
        meter.patches[at, key] = lambda value: value + amount
    else:
        meter.swapped = True
        meter.add(key, at, amount)
    return at, at + 4


def hilo(meter: Tape, day: int, dice: Random) -> tuple[int, int]:
    """A whole day with far more or far less use than such days have."""
    factor = dice.choice((dice.uniform(0.05, 0.2), dice.uniform(3.6, 4.5)))
    begin, end = meter.place(day), meter.place(day + 1)
    for key in meter.registers:
        meter.bend(key, begin, end, factor)
    return begin, end


def sums(meter: Tape, day: int, dice: Random) -> tuple[int, int] | None:
    """A tariff register missed some of what the total counted."""
    at, count = _place(meter, day, dice), dice.randint(2, 8)
    if meter.channel != "electricity" or meter.solar:
        return None
    meter.bend(_moving_tariff(meter, at), at, at + count, 0.0)
    return meter.place(day), meter.place(day + 1)


def zero(meter: Tape, day: int, dice: Random) -> tuple[int, int]:
    """Nobody used anything: electricity for a day and more, water and gas for a week."""
    begin = _place(meter, day, dice, 20)
    end = begin + int((dice.uniform(25, 27) if meter.channel == "electricity" else 7 * 24 + 1) * 3600 / STEP)
    for key in meter.registers:
        meter.bend(key, begin, end, 0.0)
    for key, course in meter.gauges.items():
        if "voltage" not in key:
            course[begin : end + 1] = [0.0] * (end + 1 - begin)
    return begin, end


def stuck(meter: Tape, day: int, dice: Random) -> tuple[int, int] | None:
    """A value froze while the others went on: a voltage, or the register itself."""
    if meter.channel != "electricity" or meter.solar:
        return None
    if dice.random() < 0.5:  # noqa: PLR2004  one in two
        begin = meter.place(day, dice.uniform(1, 10))
        key, value = f"voltage_l{dice.choice(_LINES)}_v", round(dice.uniform(225, 238), 1)
        for place in range(begin, begin + dice.randint(34, 46)):
            meter.patches[place, key] = lambda _: value
        return begin, begin + 46
    begin, count = _place(meter, day, dice), dice.randint(4, 8)
    held = meter.registers[meter.main][begin]
    meter.registers[meter.main][begin : begin + count] = [held] * count
    return begin, begin + count


def na(meter: Tape, day: int, dice: Random) -> tuple[int, int]:
    """A value was the pattern that means there is none."""
    at, count = _place(meter, day, dice), dice.randint(1, 3)
    if meter.gauges and dice.random() < 0.6:  # noqa: PLR2004  more often a gauge
        key = dice.choice(list(meter.gauges))
        value = dice.choice((65_535, 32_767, -32_768, 6553.5, 3276.7, 2_147_483_647, 99_999))
    else:
        key, value = dice.choice(list(meter.registers)), dice.choice((4_294_967_295, 2_147_483_647, 999_999_999))
    for place in range(at, at + count):
        meter.patches[place, key] = lambda _: value
    return at, at + count


def idchg(meter: Tape, day: int, _: Random) -> tuple[int, int]:
    """The gateway announced another model at the same place for a day."""
    meter.other_model.add(day)
    return meter.place(day), meter.place(day + 1)


def relat(meter: Tape, day: int, dice: Random) -> tuple[int, int] | None:
    """Values that cannot be true together: a transformer put on backwards, a voltage of no house."""
    if meter.channel != "electricity":
        return None
    at, count = _place(meter, day, dice), dice.randint(1, 12)
    line = dice.choice(_LINES)
    for place in range(at, at + count):
        if dice.random() < 0.5:  # noqa: PLR2004  one in two
            meter.patches[place, f"power_l{line}_w"] = lambda value: value - 400
        else:
            volts = dice.choice((0.1, 120.4, 170.2, 290.6, 401.3))
            meter.patches[place, f"voltage_l{line}_v"] = lambda _, volts=volts: volts  # type: ignore[misc]
    return at, at + count


def status(meter: Tape, day: int, dice: Random) -> tuple[int, int]:
    """The meter said of itself that something is wrong."""
    at, count = _place(meter, day, dice), dice.randint(1, 12)
    for place in range(at, at + count):
        meter.status[place] = (dice.choice(("tamper", "clock_invalid", "measurement_error", "battery_low")),)
    return at, at + count


def leak(meter: Tape, day: int, dice: Random) -> tuple[int, int] | None:
    """Water ran for more than a day without a pause."""
    if meter.channel != "water":
        return None
    begin, rate = _place(meter, day, dice, 18), dice.uniform(12, 60) * STEP / 3600
    end = begin + int(dice.uniform(25, 29) * 3600 / STEP)
    for place in range(begin, end):
        meter.add(meter.main, place, rate)
    return begin, end


def pest(meter: Tape, _day: int, _: Random) -> tuple[int, int]:
    """The meter fell silent more than a month ago."""
    meter.dropped.update(range(2, len(meter.times)))
    return meter.first, len(meter.times) - 9


def _moving_tariff(meter: Tape, at: int) -> str:
    return max(
        ("energy_import_t1_wh", "energy_import_t2_wh"),
        key=lambda key: meter.registers[key][at] - meter.registers[key][at - 1],
    )


PLANTS: dict[Kind, tuple[Plant, int, int]] = {
    "pest": (pest, 5, 0),
    "zero": (zero, 50, 2),
    "leak": (leak, 35, 2),
    "spike": (spike, 60, 1),
    "sum": (sums, 50, 1),
    "stuck": (stuck, 60, 1),
    "relat": (relat, 60, 1),
    "hilo": (hilo, 60, 1),
    "idchg": (idchg, 30, 1),
    "gap": (gap, 70, 1),
    "dup": (dup, 50, 1),
    "late": (late, 60, 1),
    "neg": (neg, 60, 1),
    "reset": (reset, 60, 1),
    "glitch": (glitch, 80, 1),
    "imposs": (imposs, 70, 1),
    "na": (na, 70, 1),
    "status": (status, 30, 1),
    "roll": (roll, 40, 1),
}
"""By kind: how it is planted, how many in a thousand, and how many days it takes. The choosiest come first, and last
the end of a register, which must stay where it is."""


def corpus(meters: int, days: int, faults: int, seed: int = 1) -> tuple[list[Tape], list[Label]]:
    """Record meters and plant about so many faults in them."""
    dice = Random(f"corpus {seed}")
    silent = max(1, round(5 * faults / 1000))
    tapes = [tape(number, _channel(number), days, silent=number < silent) for number in range(meters)]
    free = {meter.meter: set(range(days)) for meter in tapes[silent:]}
    labels = [_label(meter, "pest", pest(meter, 0, dice)) for meter in tapes[:silent]]
    for kind, (plant, share, span) in PLANTS.items():
        for _ in range(round(share * faults / 1000) if kind != "pest" else 0):
            label = _plant(tapes[silent:], free, kind, plant, span, dice)
            labels += [label] if label is not None else []
    return tapes, labels


def _plant(
    tapes: Sequence[Tape], free: dict[str, set[int]], kind: Kind, plant: Plant, span: int, dice: Random
) -> Label | None:
    """Find a meter and a day that suit."""
    for _ in range(300):
        meter = dice.choice(tapes)
        length = 9 if kind == "zero" and meter.channel != "electricity" else span
        if length > meter.days or (kind == "spike" and meter.channel != "electricity"):
            continue
        day = dice.randrange(meter.days - length + 1)
        wanted = set(range(day, day + length))
        if wanted <= free[meter.meter] and (touched := plant(meter, day, dice)) is not None:
            free[meter.meter] -= wanted
            return _label(meter, kind, touched)
    return None


def _label(meter: Tape, kind: Kind, touched: tuple[int, int]) -> Label:
    return Label(meter.meter, kind, meter.times[touched[0]], meter.times[touched[1]])


def _channel(number: int) -> Channel:
    return ("electricity", "electricity", "electricity", "water", "gas")[number % 5]
