"""A dearer tier is near, or begins (E3).

1. At the end of each day the use so far is held against the end of the present tier, that of all dwelling units
   together.
2. It is told at 80, 95 and 100 % of it, each once a tier and period: the first two only if the tier will end before
   the period does, by the projection, or by the pace so far where there is none yet.
3. Evidence says when that will be, and between which moments; a new period ends the alert.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, NamedTuple

from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.alerts.rules.billing import Billed, Following
from gateway.tariff.bill import NoCost, unpriced
from gateway.tariff.projection import Crossing
from gateway.tariff.state import BillState

SHARES = (Decimal("0.8"), Decimal("0.95"), Decimal(1))
BASE_UNITS = {"kWh": "Wh", "m3": "l"}
LARGEST = 32
"""Steps that each double the alert's size: a tariff has 19 tiers at the most, and no customer passes ten in a month."""


class State(NamedTuple):
    """What is remembered: the bill, how many steps of this period were passed, and how many of them told."""

    following: Following = Following()
    passed: int = 0
    told: int = 0


@dataclass(frozen=True)
class TierCrossing(Billed):
    """Judges how near the next tier of a tariff is."""

    name: ClassVar[str] = "tier_crossing"
    start: ClassVar[State] = State()
    cooldown: ClassVar[float] = 0.0

    def judge(self, state: State, so_far: BillState) -> tuple[State, Finding]:
        """Hold what was used against the end of the tier."""
        limits, used = self.plan.limits, so_far.total
        passed = sum(used >= limit * share for limit in limits for share in SHARES)
        if passed <= state.passed or unpriced(self.plan, so_far.start, so_far.until) is not None:
            return state, None
        tier, step = divmod(passed - 1, len(SHARES))
        evidence = {"tier": float(tier + 1)}
        if SHARES[step] < 1:
            crossing = self._crossing(state, so_far, tier)
            if crossing is None:  # asked again tomorrow
                return state, None
            evidence |= {"expected_ms": float(crossing.at), "early_ms": float(crossing.early)}
            evidence |= {} if crossing.late is None else {"late_ms": float(crossing.late)}
        size = 2.0 ** min(state.told, LARGEST)
        unit, key = BASE_UNITS[self.plan.tariff.unit], self.hour_keys[0]
        alarm = Alarm(
            "warning" if step else "info", so_far.until, round(used), float(limits[tier]), unit, key, size, evidence
        )
        return state._replace(passed=passed, told=state.told + 1), alarm

    def close(self, state: State, closed: tuple[BillState, ...]) -> tuple[State, Finding]:
        """Begin with the first tier again."""
        finding = Clear(closed[-1].end, {}) if state.told else None
        return state._replace(passed=0, told=0), finding

    def _crossing(self, state: State, so_far: BillState, tier: int) -> Crossing | None:
        """Say when a tier ends, if it does before the period."""
        made = self.projected(state.following, so_far)
        if not isinstance(made, NoCost):
            found = (crossing for crossing in made.crossings if crossing.tier == tier + 1)
            return next((crossing for crossing in found if crossing.at < so_far.end), None)
        limit, begun = self.plan.limits[tier], so_far.start
        at = begun + round((so_far.until - begun) * limit / so_far.total)
        return Crossing(tier + 1, limit, at, at, at) if at < so_far.end else None
