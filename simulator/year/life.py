"""The life of one home over many days: what goes through its meters before anything happens to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain

from simulator.course import Draw
from simulator.year.day import Day, day_of, midnight
from simulator.year.dice import Dice
from simulator.year.electricity import electricity, sun
from simulator.year.family import Away, Family, Guests
from simulator.year.gas import gas
from simulator.year.label import NONE, Label, Mark, Span, label_of
from simulator.year.moons import RAMADANS
from simulator.year.places import Place
from simulator.year.series import MINUTE, Series, minutes_of
from simulator.year.water import water, waters

CHANNELS = {"main": "energy_import_wh", "water": "water_volume_l", "gas": "gas_volume_l"}
SPILL = 10_800
"""Nobody stays up later than three hours past midnight: then away mode is switched on."""

Plan = Callable[[Day, Dice], Iterator[Draw]]


@dataclass(frozen=True)
class Life:
    """A family in its place from a first day on; what it is told by is `name`, what it is thrown by `seed`."""

    name: str
    seed: int
    place: Place
    family: Family
    first: date
    count: int
    absences: list[Away]
    visits: list[Guests]

    def days(self) -> list[Day]:
        """Throw every day, and the one before, which reaches past midnight."""
        return [self._day(number) for number in range(-1, self.count)]

    def use(self, days: list[Day]) -> dict[str, Series]:
        """Give what is used of electricity (panels left out), water and gas."""
        plans: dict[str, Plan] = {"main": electricity, "water": water, "gas": gas}
        return {channel: self._series(days, channel, plan) for channel, plan in plans.items()}

    def sun(self, days: list[Day]) -> Series:
        """Give what the panels give."""
        return self._series(days, "main", sun if self.family.solar else lambda _day, _dice: iter(()))

    def midnight(self, number: int) -> int:
        """Give when a day begins, in unix seconds."""
        return midnight(self.place, self.first + timedelta(days=number))

    def vacations(self) -> Iterator[Span]:
        """Give when nobody is there."""
        for away in self.absences:
            if away.first < self.count:
                yield Span(self.midnight(away.first) + SPILL, self.midnight(min(away.last, self.count)))

    def labels(self, days: list[Day]) -> Iterator[Label]:
        """Label what is unusual, yet no mishap."""
        for away, span in zip(self.absences, self.vacations(), strict=False):
            flows = self.family.sprinklers is not None or self.family.burns > 0
            expect = ("may:flow_while_away" if flows else NONE) if away.told else "may:zero_consumption"
            yield Label(self.name, "vacation", *span, expect, {"away": int(away.told)})
        for guests in self.visits:
            span = Span(self.midnight(guests.first), self.midnight(min(guests.last + 1, self.count)))
            yield Label(self.name, "guests", *span, params={"people": guests.people})
        yield from self._garden(days[1:])
        for first, feast in RAMADANS if self.place.ramadan else ():
            begin, end = ((day - self.first).days for day in (first, feast))
            if begin < self.count and end > 0:
                span = Span(self.midnight(max(begin, 0)), self.midnight(min(end, self.count)))
                yield Label(self.name, "ramadan", *span)

    def marks(self) -> Iterator[Mark]:
        """Give when away mode was switched on and off."""
        for away, span in zip(self.absences, self.vacations(), strict=False):
            if away.told:
                for channel in CHANNELS:
                    yield Mark(span.start, f"{self.name}-{channel}", "away_on")
                    if away.last < self.count:
                        yield Mark(span.end, f"{self.name}-{channel}", "away_off")

    def _garden(self, days: list[Day]) -> Iterator[Label]:
        clock, wet = self.family.sprinklers, [waters(day) for day in days]
        if clock is None:
            return
        for begin in (n for n, now in enumerate(wet) if now and (n == 0 or not wet[n - 1])):
            end = next((n for n in range(begin, len(wet)) if not wet[n]), len(wet))
            span, lpm = Span(self.midnight(begin), self.midnight(end)), round(clock.flow, 1)
            meter = f"{self.name}-water"
            yield label_of(meter, "irrigation", span, at=clock.hour, minutes=clock.minutes, lpm=lpm)

    def _day(self, number: int) -> Day:
        here = 0 if any(away.first <= number < away.last for away in self.absences) else self.family.people
        if here:
            here += sum(guests.people for guests in self.visits if guests.first <= number <= guests.last)
        dice = Dice(f"{self.seed} {self.name} day {number}")
        return day_of(self.place, self.family, self.seed, self.first + timedelta(days=number), here, dice)

    def _series(self, days: list[Day], channel: str, plan: Plan) -> Series:
        draws = chain.from_iterable(
            plan(day, Dice(f"{self.seed} {self.name} {plan.__name__} {day.date.toordinal()}")) for day in days
        )
        start, end = days[1].start, days[-1].end
        minutes = minutes_of(draws, start, (end - start) // MINUTE)
        return Series(f"{self.name}-{channel}", CHANNELS[channel], start, minutes)
