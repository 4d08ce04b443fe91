"""The life of alerts: normal → raised → updated … → cleared or expired, one open per meter and rule; pure.

The time an alert is pending (its dwell) lies in the rule, which alone knows what must last how long.
"""

from typing import NamedTuple

from gateway.alerts.event import AlertEvent, Severity, alert_id
from gateway.alerts.rule import Alarm, Clear

RANK: dict[Severity | None, int] = {None: 0, "info": 1, "warning": 2, "critical": 3}
GROWN = 2.0
"""An open alert is told again when it is so many times as large as when it was last told (C.1, rule 4)."""


class Life(NamedTuple):
    """What is remembered of one rule at one meter; `seq` 0 means that no alert is open.

    `calm` is until when (UTC ms) only something more severe than `severity` raises anew.
    """

    seq: int = 0
    id: str = ""
    raised: int = 0
    severity: Severity | None = None
    size: float = 0.0
    value: float = 0.0
    baseline: float = 0.0
    unit: str = ""
    quantity: str = ""
    calm: int = 0


def alarmed(
    life: Life, rule: str, meter: str, alarm: Alarm, at: int, cooldown: float
) -> tuple[Life, AlertEvent | None]:
    """Raise, update, or say nothing new; `at` is when that was noticed, `cooldown` the rule's, in seconds."""
    rank = RANK[alarm.severity]
    if life.seq:
        if rank <= RANK[life.severity] and alarm.size < GROWN * life.size:
            return life, None
        # An alert never grows milder: who was told that it is critical is told when it is over.
        severity = alarm.severity if rank > RANK[life.severity] else life.severity or alarm.severity
        raised, name = life.raised, life.id
    elif 0 < life.calm - alarm.when <= cooldown * 1000 and rank <= RANK[life.severity]:
        return life, None
    else:
        severity, raised = alarm.severity, alarm.when
        name = alert_id(rule, meter, raised)
    life = Life(
        life.seq + 1, name, raised, severity, alarm.size, alarm.value, alarm.baseline, alarm.unit, alarm.quantity
    )
    return life, AlertEvent(
        id=name,
        seq=life.seq,
        rule=rule,
        meter=meter,
        state="raised" if life.seq == 1 else "updated",
        severity=severity,
        raised=raised,
        at=at,
        value=alarm.value,
        baseline=alarm.baseline,
        unit=alarm.unit,
        quantity=alarm.quantity,
        evidence=dict(alarm.evidence),
        points=list(alarm.points),
    )


def ended(
    life: Life, rule: str, meter: str, clear: Clear | None, at: int, cooldown: float
) -> tuple[Life, AlertEvent | None]:
    """Close what is open: cleared, or without `clear` expired; the event shows value and baseline as last told."""
    if not life.seq:
        return life, None
    event = AlertEvent(
        id=life.id,
        seq=life.seq + 1,
        rule=rule,
        meter=meter,
        state="cleared" if clear else "expired",
        severity=life.severity or "info",
        raised=life.raised,
        at=at,
        cleared=clear.when if clear else None,
        value=life.value,
        baseline=life.baseline,
        unit=life.unit,
        quantity=life.quantity,
        evidence=dict(clear.evidence) if clear else {},
    )
    return Life(severity=life.severity, calm=(clear.when if clear else at) + round(cooldown * 1000)), event
