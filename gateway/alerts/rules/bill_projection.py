"""A bill that will be high (E2), told while there is time to change it.

1. The limit is what the customer named for a billing period; else `over` times what is usual here: the median of the
   last three whole bills, or the bill of the same period a year ago where that is higher, since a summer is no news.
2. At the end of each day from the fifth on the bill is projected. It will be high likely (level 1) if it comes to more
   than `margin` times the limit two days in a row, surely (level 2) if nine projections in ten end above the limit.
3. Each level is told once a period; a new period ends the alert.
"""

from dataclasses import dataclass
from statistics import median
from typing import ClassVar, NamedTuple

from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.alerts.rules.billing import Billed, Following, whole
from gateway.tariff.bill import NoCost, bill
from gateway.tariff.model import Monthly
from gateway.tariff.projection import Projection
from gateway.tariff.state import BillState

MONTHS = 12
RECENT = 3
IN_A_ROW = 2
LIKELY, SURE = 1, 2


class State(NamedTuple):
    """What is remembered: the bill, those of a year before (-1 where unknown), days in a row above, the level told."""

    following: Following = Following()
    before: tuple[float, ...] = ()
    row: int = 0
    level: int = 0


@dataclass(frozen=True)
class BillProjection(Billed):
    """Judges where a billing period will end; `limit` is the customer's own, in the tariff's currency."""

    name: ClassVar[str] = "bill_projection"
    start: ClassVar[State] = State()
    cooldown: ClassVar[float] = 0.0
    limit: float | None = None
    over: float = 1.3
    margin: float = 1.1

    def judge(self, state: State, so_far: BillState) -> tuple[State, Finding]:
        """Project the bill, and hold it against the limit."""
        limit, usual = self._limit(state.before)
        if limit is None or state.level == SURE:
            return state, None
        made = self.projected(state.following, so_far)
        if not isinstance(made, Projection):
            return state._replace(row=0), None
        total = float(made.bill.total)
        row = min(state.row + 1, IN_A_ROW) if total > self.margin * limit else 0
        level = SURE if made.low > limit else LIKELY if row == IN_A_ROW else 0
        if level <= state.level:
            return state._replace(row=row), None
        spent = bill(self.plan, so_far)
        evidence = {
            "low_money": float(made.low), "high_money": float(made.high),
            "limit_money" if self.limit else "usual_money": round(usual, 2),
            "spent_money": 0.0 if isinstance(spent, NoCost) else float(spent.total),
            "left_s": (so_far.end - so_far.until) / 1000,
        }  # fmt: skip
        currency, key = self.plan.tariff.currency, self.hour_keys[0]
        # The second level is twice as large as the first, which makes it news.
        alarm = Alarm("warning", so_far.until, total, round(usual, 2), currency, key, float(level), evidence)
        return state._replace(row=row, level=level), alarm

    def close(self, state: State, closed: tuple[BillState, ...]) -> tuple[State, Finding]:
        """Keep what the periods came to."""
        made = [bill(self.plan, period) if whole(period) else None for period in closed]
        totals = [float(whole_bill.total) if whole_bill and not isinstance(whole_bill, NoCost) else -1.0
                  for whole_bill in made]  # fmt: skip
        before = (*state.before, *totals)[-self._year :]
        finding = Clear(closed[-1].end, {}) if state.level else None
        return state._replace(before=before, row=0, level=0), finding

    def _limit(self, before: tuple[float, ...]) -> tuple[float | None, float]:
        """Give the limit, and what the bill is compared with: the same, or what is usual."""
        if self.limit is not None:
            return self.limit, self.limit
        known = [total for total in before if total >= 0][-RECENT:]
        if not known:
            return None, 0.0
        usual = max(median(known), before[0] if len(before) == self._year else 0.0)
        return self.over * usual, usual

    @property
    def _year(self) -> int:
        billing = self.plan.tariff.billing
        return MONTHS if isinstance(billing, Monthly) else max(RECENT, round(365 / billing.days))
