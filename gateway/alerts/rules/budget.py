"""A budget that runs out (E4): what the customer wants to spend in a billing period, against what is spent.

1. At the end of each day the bill so far is held against the limit. At `early` of it something is told if the money
   goes faster than the time does; when all of it is gone, in any case.
2. Each is told once a period; a new period ends the alert.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.alerts.rules.billing import Billed, Following
from gateway.tariff.bill import NoCost, bill
from gateway.tariff.state import BillState

if TYPE_CHECKING:
    from gateway.alerts.event import Severity

EARLY, GONE = 1, 2


class State(NamedTuple):
    """What is remembered: the bill, and the step told."""

    following: Following = Following()
    told: int = 0


@dataclass(frozen=True)
class Budget(Billed):
    """Judges a bill against a limit, in the tariff's currency."""

    limit: float
    name: ClassVar[str] = "budget"
    start: ClassVar[State] = State()
    cooldown: ClassVar[float] = 0.0
    early: float = 0.8

    def judge(self, state: State, so_far: BillState) -> tuple[State, Finding]:
        """Hold the bill so far against the limit."""
        made = bill(self.plan, so_far)
        if isinstance(made, NoCost):
            return state, None
        spent, gone = float(made.total), (so_far.until - so_far.start) / (so_far.end - so_far.start)
        step = GONE if spent >= self.limit else EARLY if spent >= max(self.early, gone) * self.limit else 0
        if step <= state.told:
            return state, None
        evidence = {"left_s": (so_far.end - so_far.until) / 1000}
        severity: Severity = "warning" if step == GONE else "info"
        currency, key = self.plan.tariff.currency, self.hour_keys[0]
        alarm = Alarm(severity, so_far.until, spent, self.limit, currency, key, float(step), evidence)
        return state._replace(told=step), alarm

    def close(self, state: State, closed: tuple[BillState, ...]) -> tuple[State, Finding]:
        """Begin with a full purse."""
        finding = Clear(closed[-1].end, {}) if state.told else None
        return state._replace(told=0), finding
