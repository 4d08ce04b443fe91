"""From a meter's newest reading to what its card on the page says.

1. what it uses now: power of electricity and heat, flow of water and gas; a meter that tells no such thing shows what
   it counted today in that place, or its register
2. the registers it has counted so far, and what flows back
3. what it counted today, and in which hours
4. how old that is, and whether it can be trusted
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from markupsafe import Markup

from drivers.contract import Number
from gateway import message
from gateway.i18n import N_
from gateway.live import LiveMeter
from gateway.outlook import Outlook
from gateway.today import Day, Use
from gateway.web.chart import bars, clock
from gateway.web.words import Words, isolated

LATE_AFTER = 3
"""Intervals without a reading after which a card says that it is late."""
SLOWEST_LIVE = 10.0
"""Seconds: a gateway of a fleet sends live values no faster than this, however often it reads."""
SLOWEST_REGISTER = 3600.0
"""Seconds: what tells its register alone may do so once an hour, as gas meters behind a P1 port do."""
WHOLE_DAY_MS = 3_600_000 + 60_000
"""A day known from its first hour on is the whole day: meters that speak once an hour begin no sooner."""
BEYOND_ANY_METER = 10**15
"""A thousand TWh in Wh: a hostile text such as 1e999999 would otherwise fill the page with its zeros."""
WHOLE_FROM = 10
"""From so much money on a projection shows no hundredths, which nobody knows."""

COMMODITIES = {
    "electricity": N_("Electricity"),
    "water": N_("Water"),
    "gas": N_("Gas"),
    "heat": N_("Heat"),
    "other": N_("Other meters"),
}

# commodity -> quantities of its flow now and its total, each with the unit of gateway.web.words
_NOW = {
    "electricity": (("power_w", "W"),),
    "water": (("water_flow_l_h", "flow"),),
    "gas": (("gas_flow_l_h", "gas flow"),),
    "heat": (("heat_power_w", "W"),),
}
_REGISTERS = {
    "electricity": (
        ("energy_import_wh", "Wh", N_("Register")),
        ("energy_export_wh", "Wh", N_("Register, to the grid")),
    ),
    "water": (("water_volume_l", "l", N_("Register")), ("water_volume_reverse_l", "l", N_("Register, backwards"))),
    "gas": (("gas_volume_l", "l", N_("Register")),),
    "heat": (("heat_energy_wh", "Wh", N_("Register")),),
}
# unit of a register -> unit in which people read what was used of it
_USED = {"electricity": "Wh used", "heat": "Wh used", "water": "l used", "gas": "gas used"}
_DOUBTS = (
    (message.SUSPECT, N_("Doubtful value")),
    (message.ESTIMATED, N_("Estimated value")),
    (message.HOLDOVER | message.TIME_REPAIRED, N_("Time not certain")),
    (message.METER_FLAG, N_("The meter reports a fault")),
)
_TARIFFS = range(1, 5)
_PHASES = range(1, 4)


@dataclass(frozen=True, slots=True)
class Line:
    """One value of a card: what it is, its number, its unit."""

    label: Markup
    number: str
    unit: Markup


@dataclass(frozen=True, slots=True)
class Card:
    """One meter on the page; `state` is "fresh", "late" or "silent" (no reading yet)."""

    id: str
    name: str
    model: str
    state: str
    age: Markup
    main: Line | None = None
    today: Line | None = None
    chart: Markup | None = None
    lines: Sequence[Line] = ()
    doubts: Sequence[Markup] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """The meters of one commodity."""

    commodity: str
    title: Markup
    cards: list[Card] = field(default_factory=list)


def sections(
    meters: Iterable[LiveMeter],
    now: int,
    words: Words,
    day_of: Callable[[LiveMeter], Day | None] = lambda _: None,
    money_of: Callable[[LiveMeter], Outlook | None] = lambda _: None,
) -> list[Section]:
    """Group the meters by commodity, in the order of the glossary; `now` in UTC ms."""
    made = {name: Section(name, words.say(title)) for name, title in COMMODITIES.items()}
    for meter in meters:
        made[meter.commodity if meter.commodity in made else "other"].cards.append(
            card(meter, now, words, day_of(meter), money_of(meter))
        )
    return [section for section in made.values() if section.cards]


def card(meter: LiveMeter, now: int, words: Words, day: Day | None = None, money: Outlook | None = None) -> Card:
    """Say what one meter's card says."""
    name = meter.name or meter.id
    if not meter.ts:
        return Card(meter.id, name, meter.model, "silent", words.say("No reading yet"))
    state = state_of(meter, now)
    late = state == "late"
    age = words.ago(meter.ts, now)
    today, chart = _today(meter.commodity, day, now, words)
    lines = [*_now(meter, words, late=late)] or ([today] if today else [])
    if today in lines:
        today = None
    lines += _registers(meter, words)
    return Card(
        meter.id,
        name,
        meter.model,
        state,
        words.say("Late: last reading {age}", age=age) if late else age,
        lines[0] if lines else None,
        today,
        chart,
        [*_money(money, words), *lines[1:], *_phases(meter, words)],
        [words.say(text) for bits, text in _DOUBTS if meter.q & bits],
    )


def state_of(meter: LiveMeter, now: int) -> str:
    """Say how a meter fares: "fresh", "late" or "silent" (no reading yet)."""
    if not meter.ts:
        return "silent"
    return "late" if (now - meter.ts) / 1000 > LATE_AFTER * max(meter.every, _slowest(meter)) else "fresh"


def _money(money: Outlook | None, words: Words) -> Iterable[Line]:
    if money is None:
        return
    if money.today is not None:
        yield Line(words.say("Cost today"), *words.money(money.today, money.currency))
    if money.so_far is not None:
        yield Line(words.say("Bill to date"), *words.money(money.so_far, money.currency))
    if money.likely is not None and money.low is not None and money.high is not None:
        to = "1" if money.likely >= WHOLE_FROM else "0.01"
        number, unit = words.money(money.likely, money.currency, to)
        low, high = (words.money(end, money.currency, to)[0] for end in (money.low, money.high))
        yield Line(words.say("Projected bill"), number, unit)
        yield Line(words.say("Likely between"), f"{low} \N{EN DASH} {high}", unit)


def _slowest(meter: LiveMeter) -> float:
    values = with_net_power(meter.values)
    tells_flow = any(key in values for key, _ in _NOW.get(meter.commodity, ()))
    return SLOWEST_LIVE if tells_flow else SLOWEST_REGISTER


def _now(meter: LiveMeter, words: Words, *, late: bool) -> Iterable[Line]:
    values = with_net_power(meter.values)
    for key, unit in _NOW.get(meter.commodity, ()):
        value = number(values.get(key))
        if value is None:
            continue
        if late:
            yield Line(words.say("Last value"), *words.amount(value, unit))
        elif meter.commodity == "electricity" and value < 0:
            yield Line(words.say("Now, to the grid"), *words.amount(-value, unit))
        else:
            yield Line(words.say("Now"), *words.amount(value, unit))


def with_net_power(values: Mapping[str, Number | str]) -> Mapping[str, Number | str]:
    """Add the signed power where a meter tells both directions apart."""
    taken, given = number(values.get("power_import_w")), number(values.get("power_export_w"))
    if "power_w" in values or (taken is None and given is None):
        return values
    return {**values, "power_w": (taken or Decimal()) - (given or Decimal())}


def _registers(meter: LiveMeter, words: Words) -> Iterable[Line]:
    for n, (key, unit, label) in enumerate(_REGISTERS.get(meter.commodity, ())):
        value = register(meter.values, key)
        never_used = value == 0 and n > 0
        if value is not None and not never_used:
            yield Line(words.say(label), *words.amount(value, unit))


def _today(commodity: str, day: Day | None, now: int, words: Words) -> tuple[Line | None, Markup | None]:
    key = next((key for key, *_ in _REGISTERS.get(commodity, ())), "")
    use = used(day, key) if day is not None else None
    if day is None or use is None:
        return None, None
    whole = day.since - day.hours[0] < WHOLE_DAY_MS
    label = words.say("Today") if whole else words.say("Today since {time}", time=isolated(clock(day, day.since)))
    unit = _USED[commodity]
    chart = bars(day, use, now, unit, words) if use.total else None
    return Line(label, *words.amount(Decimal(str(use.total)), unit)), chart


def used(day: Day, key: str) -> Use | None:
    """Give what a register counted today, or the sum of its tariffs where a meter counts only those."""
    if key in day.uses:
        return day.uses[key]
    name, _, unit = key.rpartition("_")
    parts = [use for t in _TARIFFS if (use := day.uses.get(f"{name}_t{t}_{unit}")) is not None]
    if not parts:
        return None
    hours = [
        None if all(part is None for part in hour) else sum(part or 0.0 for part in hour)
        for hour in zip(*(use.hours for use in parts), strict=True)
    ]
    return Use(sum(use.total for use in parts), tuple(hours))


def register(values: Mapping[str, Number | str], key: str) -> Decimal | None:
    """Give a register, or the sum of its tariffs where a meter counts only those."""
    total = number(values.get(key))
    if total is not None:
        return total
    name, _, unit = key.rpartition("_")
    tariffs = [n for t in _TARIFFS if (n := number(values.get(f"{name}_t{t}_{unit}"))) is not None]
    return sum(tariffs, Decimal()) if tariffs else None


def _phases(meter: LiveMeter, words: Words) -> Iterable[Line]:
    for name, unit, label in (("voltage", "V", N_("Voltage")), ("current", "A", N_("Current"))):
        total = f"{name}_{unit.lower()}"
        phases = [f"{name}_l{phase}_{unit.lower()}" for phase in _PHASES]
        told = [key for key in phases if key in meter.values] or [total]
        found = [words.amount(n, unit) for key in told if (n := number(meter.values.get(key))) is not None]
        if found:
            yield Line(words.say(label), " · ".join(text for text, _ in found), found[0][1])


def number(value: Number | str | None) -> Decimal | None:
    """Read a value exactly; what is no number, or beyond any meter, is not shown."""
    if value is None:
        return None
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        return None
    return exact if exact.is_finite() and abs(exact) < BEYOND_ANY_METER else None
