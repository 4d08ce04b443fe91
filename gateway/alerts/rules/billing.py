"""What the rules about bills have in common: the bill so far, what is usual in each hour, how the last week was.

1. Each hour goes into the bill (`gateway.tariff.add`), the week and the usual. A rule judges at the end of a local day,
   and is told when a billing period is over.
2. Bills are kept as their dump, which is plain numbers and strings; one of another tariff begins anew.
3. What is unknown adds nothing. So a bill with gaps is too low: what hangs on it is told late, and never wrongly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from drivers.quantities import Commodity
from gateway.alerts.calendar import Calendar
from gateway.alerts.hours import Hour
from gateway.alerts.rule import Finding
from gateway.alerts.usual import Usual, expected, learnt
from gateway.tariff.bill import NoCost
from gateway.tariff.model import Plan
from gateway.tariff.projection import Projection, Week, lived, project
from gateway.tariff.state import BillState, add, begin, dump, restore

REGISTERS: dict[Commodity, str] = {
    "electricity": "energy_import_wh", "heat": "heat_energy_wh", "water": "water_volume_l", "gas": "gas_volume_l",
}  # fmt: skip
LEARN_DAYS = 14
KNOWN = 0.95
"""The share of a period that must be known for its bill to stand for others."""


class Following(NamedTuple):
    """What is remembered: the bill as its dump, the usual, the week, the local day, how many days were seen."""

    bill: tuple[Any, ...] = ()
    usual: Usual = Usual()
    week: Week = Week()
    day: int = 0
    days: int = 0


@dataclass(frozen=True)
class Billed:
    """A rule about the bill of one meter; its state's field `following` is a `Following`."""

    plan: Plan
    calendar: Calendar

    @property
    def hour_keys(self) -> tuple[str, ...]:
        """The register that is billed."""
        return (REGISTERS[self.plan.tariff.commodity],)

    def hour(self, state: Any, hour: Hour) -> tuple[Any, Finding]:
        """Take what one hour held."""
        old: Following = state.following
        bill = restore(self.plan, old.bill) or begin(self.plan, hour.start)
        if old.day and hour.start < bill.until:
            return state, None
        bill, closed = add(self.plan, bill, hour.start, hour.end, hour.amount)
        following = Following(
            plain(dump(self.plan, bill)),
            learnt(old.usual, hour.place.slot, hour.amount),
            lived(old.week, hour.place.day, hour.amount, expected(old.usual, hour.place.slot) or hour.amount),
            hour.place.day,
            min(old.days + (hour.place.day != old.day), LEARN_DAYS + 1),
        )
        state = state._replace(following=following)
        if closed:
            return self.close(state, closed)
        if self.calendar.place(hour.end).day != hour.place.day and bill.until < bill.end:
            return self.judge(state, bill)
        return state, None

    def judge(self, state: Any, so_far: BillState) -> tuple[Any, Finding]:
        """Judge the bill at the end of a day that is not the period's last."""
        raise NotImplementedError

    def close(self, state: Any, closed: tuple[BillState, ...]) -> tuple[Any, Finding]:
        """Take the periods that are over."""
        raise NotImplementedError

    def projected(self, following: Following, so_far: BillState) -> Projection | NoCost:
        """Project the period of a bill."""
        if following.days <= LEARN_DAYS:
            return NoCost("learning")
        place = self.calendar.place
        return project(self.plan, so_far, lambda at: expected(following.usual, place(at).slot), following.week.level)


def whole(period: BillState) -> bool:
    """Whether nearly all of a period is known."""
    return period.covered >= KNOWN * (period.end - period.start)


def followed(row: Sequence[Any]) -> Following:
    """Read a `Following` of an engine's snapshot, which is lists."""
    bill, (means, counts, deviation, seen), (week,), day, days = row
    usual = Usual(tuple(means), tuple(counts), deviation, seen)
    return Following(plain(bill), usual, Week(plain(week)), day, days)


def plain(row: Any) -> Any:
    """Make tuples of lists, as states hold them."""
    return tuple(plain(item) for item in row) if isinstance(row, list) else row
