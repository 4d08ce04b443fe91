"""One home after the other, each from its own dice: the first of a hundred is the same as the only one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from operator import attrgetter

from simulator.year import uses
from simulator.year.dice import Dice
from simulator.year.family import Family, absences, family_of, visits
from simulator.year.label import Label, Mark, Row
from simulator.year.life import CHANNELS, Life
from simulator.year.mishaps import at_panel, shown, used
from simulator.year.places import Place, YearError, place_of
from simulator.year.script import Script, script_of
from simulator.year.series import MINUTE, Register, Series, net, read

FIRST_DAY = date(2026, 1, 1)
DAY = 86_400
CALM_ONE_IN = 4
"""Every fourth home has no mishap at all, so that false alarms can be counted without looking at labels."""
FIRST = {"main": (500_000, 30_000_000), "water": (10_000, 2_000_000), "gas": (10_000, 5_000_000)}
"""What registers show at the beginning, in Wh and l."""


@dataclass(frozen=True)
class Home:
    """A home as its meters tell it; `panel` are the minutes of three days, `flags` what meters say of themselves."""

    name: str
    family: Family
    registers: list[Register]
    panel: list[Row]
    labels: list[Label]
    marks: list[Mark]
    flags: list[Mark]

    def rows(self) -> list[Row]:
        """Give all registers' readings in order of time, as the replay of alerts takes them."""
        rows = [
            Row(1000 * moment, register.meter, register.key, value)
            for register in self.registers
            for moment, value in zip(register.times, register.values, strict=True)
        ]
        return sorted(rows, key=attrgetter("ts"))

    def settings(self) -> dict[str, dict[str, object]]:
        """Give what the hub knows of its meters: the main fuse, and whether there are panels on the roof."""
        known: dict[str, object] = {"rating_a": self.family.rating, "pv": self.family.solar > 0}
        return {f"{self.name}-main": known} | ({f"{self.name}-panel": known} if self.panel else {})


def homes(
    seed: int, count: int, days: int, step: int = 900, *, zone: str = "Asia/Riyadh", first: date = FIRST_DAY
) -> Iterator[Home]:
    """Simulate homes from local midnight of the `first` day on, read every `step` seconds; raises YearError."""
    if step <= 0 or step % MINUTE or DAY % step:
        raise YearError(f"a step of {step} s is none: whole minutes that make a day, such as 15m or 1h")
    if not (1 <= count <= 9_999 and 1 <= days <= 3_660):  # noqa: PLR2004  names have four digits; ten years
        raise YearError("1 to 9999 homes and 1 to 3660 days can be simulated")
    place = place_of(zone)
    return (
        _home(life_of(seed, number, days, place, first), step, calm=number % CALM_ONE_IN == 0)
        for number in range(1, count + 1)
    )


def life_of(seed: int, number: int, days: int, place: Place, first: date) -> Life:
    """Throw the dice for the family of a home, for so many days."""
    name = f"h{number:04}"
    dice = Dice(f"{seed} {name}")
    family = family_of(place, dice)
    return Life(name, seed, place, family, first, days, absences(dice, days), visits(dice, days))


def _home(life: Life, step: int, *, calm: bool) -> Home:
    days = life.days()
    plan = Script([], {}) if calm else script_of(life)
    use, sun = life.use(days), life.sun(days)
    labels = list(life.labels(days))
    for channel, events in plan.events.items():
        use[channel], told = used(use[channel], events, life.family.rating)
        labels += told
    for cut in plan.cuts:
        use["main"], sun = uses.power_cut(use["main"], cut), uses.power_cut(sun, cut)
    registers = []
    for channel in CHANNELS:
        both, told = shown(_registers(life, channel, use, sun, step), plan.events.get(channel, []), plan.cuts)
        registers += both
        labels += told
    rows: list[Row] = []
    for event in (event for event in plan.events.get("main", []) if event.kind == "panel"):
        more, told = at_panel(f"{life.name}-panel", use["main"], sun, event, life.family.tan_phi)
        rows += more
        labels += told
    labels.sort(key=lambda label: (label.start, label.kind))
    flags = [Mark(label.start, str(label.params["meter"]), "tamper") for label in labels if label.kind == "bypass"]
    return Home(life.name, life.family, registers, rows, labels, list(life.marks()), flags)


def _registers(life: Life, channel: str, use: dict[str, Series], sun: Series, step: int) -> list[Register]:
    dice = Dice(f"{life.seed} {life.name} {channel} registers")
    first = dice.randint(*FIRST[channel])
    if channel != "main" or not life.family.solar:
        return [read(use[channel], step, first)]
    taken, given = net(use["main"].minutes, sun.minutes)
    out = replace(sun, key="energy_export_wh", minutes=given)
    return [read(replace(use["main"], minutes=taken), step, first), read(out, step, first // 4)]
