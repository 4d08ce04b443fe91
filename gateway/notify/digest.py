"""What a digest says, as facts: what each meter used, the alerts of that time, a tip, achievements.

1. A tip is told only when this home's own figures call for it, and not again for two months.
2. An achievement is a week a tenth below one's own usual, every day of it measured: an absence and a meter that is
   stuck are none, and a home gets two a month at the most.
3. The facts travel with the message as JSON (`to_dict`), so a digest sent again says the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from gateway.alerts.event import AlertEvent, parse

DAY_MS = 86_400_000
TIP_REST_MS = 60 * DAY_MS
"""No tip comes again within two months (R04)."""
ACHIEVEMENT_REST_MS = 14 * DAY_MS
"""Two a month at the most (R73)."""
SAVED = 0.9
"""A week is an achievement below this share of the usual."""
NO_ACHIEVEMENT = frozenset({"zero_consumption", "meter_offline", "outage", "tamper"})
"""Alerts that say that little was counted, not that little was used."""


@dataclass(frozen=True, slots=True)
class Use:
    """What one meter counted: `amount` and what is `usual`, in the key's base unit.

    `whole` means that every slot was measured. `cost` is what it cost, `likely` the bill its period will end with,
    between `low` and `high`: sums as they are written, "" where they are not known.
    """

    name: str
    key: str
    amount: float
    usual: float | None = None
    whole: bool = False
    cost: str = ""
    currency: str = ""
    likely: str = ""
    low: str = ""
    high: str = ""

    @property
    def share(self) -> float | None:
        """Give the use as a share of the usual; None where that is not known, or nothing is usual."""
        return self.amount / self.usual if self.usual else None


@dataclass(frozen=True, slots=True)
class Met:
    """A goal that came true: a meter's name, what it used of the key, and the goal; both in the key's base unit."""

    name: str
    key: str
    amount: float
    goal: float


@dataclass(frozen=True, slots=True)
class Digest:
    """The facts of one digest; `since` and `until` in UTC ms.

    `tip` names an entry of TIPS, or none; `figures` are the home's own numbers by name, `saved` the meter whose week
    was an achievement, or ""; `names` are those of the meters by id. `met` are goals that came true, `calm` the days
    without a leak, where a multiple of thirty was reached.
    """

    since: int
    until: int
    daily: bool = False
    uses: tuple[Use, ...] = ()
    alerts: tuple[AlertEvent, ...] = ()
    tip: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    saved: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    met: tuple[Met, ...] = ()
    calm: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        return asdict(self) | {"alerts": [event.to_dict() for event in self.alerts]}

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> "Digest":
        """Take what `to_dict` gave."""
        uses = tuple(Use(**use) for use in said["uses"])
        alerts = tuple(parse(event) for event in said["alerts"])
        met = tuple(Met(**goal) for goal in said.get("met", ()))
        return cls(**{**said, "uses": uses, "alerts": alerts, "met": met})


@dataclass(frozen=True, slots=True)
class Trigger:
    """A tip's trigger: the figure that calls for it, from how much on."""

    figure: str
    calls: Callable[[float], bool]


TIPS: dict[str, Trigger] = {
    "night_water": Trigger("night_l", lambda litres: litres >= 5),  # noqa: PLR2004  a toilet that drips
    "base_load": Trigger("base_w", lambda watts: watts >= 150),  # noqa: PLR2004  twice what a careful home draws
    "evening": Trigger("evening_percent", lambda percent: percent >= 35),  # noqa: PLR2004  twice an even share
}
"""By the tip's name, the most worthwhile first."""


def tip_of(figures: Mapping[str, float], told: Mapping[str, int], now: int) -> str:
    """Choose a tip; `told` says when each was told last (UTC ms). "" when none fits."""
    for name, trigger in TIPS.items():
        figure = figures.get(trigger.figure)
        rested = now - told.get(name, -TIP_REST_MS) >= TIP_REST_MS
        if figure is not None and trigger.calls(figure) and rested:
            return name
    return ""


def saved_of(uses: Sequence[Use], alerts: Sequence[AlertEvent], last: int | None, now: int, *, away: bool) -> str:
    """Name the meter whose week was the thriftiest, if that is an achievement; `last` is when the last one was told."""
    if away or (last is not None and now - last < ACHIEVEMENT_REST_MS):
        return ""
    if any(event.rule in NO_ACHIEVEMENT for event in alerts):
        return ""
    thrifty = [use for use in uses if use.whole and use.amount > 0 and use.share is not None and use.share < SAVED]
    return min(thrifty, key=lambda use: use.share or 0).name if thrifty else ""
