"""Much used at the dearest time (E5), where the price follows the clock.

1. A rate is a day's peak when it is the dearest of that day and holds for eight hours at the most: nobody can shift
   what a whole day needs.
2. What was used in it is held against the home's own last days with a peak: above the quarter of them that used most,
   and `shiftable` Wh above the middle one, it is told when the day ends.
3. At most once a day and three times in seven days; the next day ends the alert.
"""

from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import ClassVar, NamedTuple

from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.alerts.rules.billing import REGISTERS
from gateway.check import Interval
from gateway.tariff.bill import unpriced
from gateway.tariff.model import Plan
from gateway.tariff.periods import local_date, midnight
from gateway.tariff.rates import Piece, pieces

LONGEST_MS = 8 * 3_600_000
CATCH_UP_MS = 5_400_000
"""What spans more is a gap: whether it was used in the peak nobody knows."""
DAYS, ENOUGH = 28, 14
A_WEEK, WEEKLY = 7, 3


class State(NamedTuple):
    """What is remembered: how far intervals are known (UTC ms), and Wh by rate of the local day `day` (its ordinal).

    `peaks` are the Wh of the last days with a peak, `told` the days something was told on, `open` that it is not over.
    """

    end: int = 0
    day: int = 0
    used: tuple[float, ...] = ()
    peaks: tuple[float, ...] = ()
    told: tuple[int, ...] = ()
    open: bool = False


@dataclass(frozen=True)
class PeakPriceUse:
    """Judges what a meter counts while its tariff is dearest; `shiftable` is in Wh."""

    name: ClassVar[str] = "peak_price_use"
    start: ClassVar[State] = State()
    cooldown: ClassVar[float] = 0.0
    plan: Plan
    shiftable: float = 500.0

    @property
    def keys(self) -> tuple[str, ...]:
        """The register that is billed."""
        return (REGISTERS[self.plan.tariff.commodity],)

    def interval(self, state: State, interval: Interval) -> tuple[State, Finding]:
        """Take what was counted from one moment to another."""
        start, end, amount = interval.start, interval.end, interval.amount
        if start < state.end:
            return state, None
        finding: Finding = None
        rates, day = len(self.plan.tariff.rates), local_date(start, self.plan.zone)
        if day.toordinal() != state.day or len(state.used) != rates:
            finding = Clear(start, {}) if state.open else None
            state = state._replace(day=day.toordinal(), used=(0.0,) * rates, open=False)
        state = state._replace(end=end)
        if amount is not None and interval.quality != "suspect" and end - start <= CATCH_UP_MS:
            used = list(state.used)
            for piece in pieces(self.plan, start, end):
                used[piece.rate] += amount * (piece.end - piece.start) / (end - start)
            state = state._replace(used=tuple(used))
        if finding is None and local_date(end, self.plan.zone) != day:
            return self._judge(state, day)
        return state, finding

    def _judge(self, state: State, day: date) -> tuple[State, Finding]:
        peak = self._peak(day)
        if peak is None:
            return state, None
        used, before = round(state.used[peak.rate], 1), state.peaks
        state = state._replace(peaks=(*before, used)[-DAYS:])
        told = tuple(one for one in state.told if one > state.day - A_WEEK)
        if len(before) < ENOUGH or len(told) >= WEEKLY:
            return state, None
        usual, high = median(before), sorted(before)[len(before) * 3 // 4]
        if used <= high or used - usual <= self.shiftable:
            return state, None
        # The moment in the peak, so that who prices it finds the rate.
        evidence = {"above_wh": round(used - usual, 1), "peak_ms": float(peak.start)}
        alarm = Alarm("info", state.end, round(used), round(usual), "Wh", self.keys[0], used - usual, evidence)
        return state._replace(told=(*told, state.day), open=True), alarm

    def _peak(self, day: date) -> Piece | None:
        """Give the last piece of a day's dearest rate, where that is a peak."""
        start, end = midnight(day, self.plan.zone), midnight(date.fromordinal(day.toordinal() + 1), self.plan.zone)
        of_day, rates = pieces(self.plan, start, end), self.plan.tariff.rates
        prices = {piece.rate: rates[piece.rate].prices[0] for piece in of_day}
        dearest = max(prices, key=lambda rate: prices[rate])
        lasts = sum(piece.end - piece.start for piece in of_day if piece.rate == dearest)
        if unpriced(self.plan, start, end) is not None or lasts > LONGEST_MS or min(prices.values()) == prices[dearest]:
            return None
        return [piece for piece in of_day if piece.rate == dearest][-1]
