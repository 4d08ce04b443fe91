"""`nabd alerts shadow`: what the rules of a configuration would have told of the stored past; nothing is sent.

Rules learn before they speak, so the past is heard from `LEARN_DAYS` before the days that are reported; what was raised
in those is left out.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from gateway.alerts.past import Past
from gateway.alerts.replay import Told, table, told

DAY_MS = 86_400_000
LEARN_DAYS = 56
"""The longest that a rule remembers of what is usual."""
MONTH = 30.0


async def shadow(pasts: Iterable[Past], now: int, days: int) -> list[Told]:
    """Judge the last days of some meters (`now` in UTC ms); raises StoreError."""
    since, alerts = now - days * DAY_MS, []
    for past in pasts:
        heard = [event async for event in past.events(since - LEARN_DAYS * DAY_MS, now)]
        alerts += [alert for alert in told(heard) if alert.raised >= since]
    return sorted(alerts, key=lambda alert: (alert.raised, alert.meter, alert.rule))


def lines(alerts: Sequence[Told], meters: int, days: int) -> Iterator[str]:
    """Write alerts for people: each one, then how many of each rule, and how many a meter and month."""
    yield from table(alert.to_dict() for alert in alerts)
    yield ""
    for rule, count in sorted(Counter(alert.rule for alert in alerts).items(), key=lambda row: (-row[1], row[0])):
        yield f"{count:5}  {rule}"
    interrupting = sum(alert.severity != "info" for alert in alerts)
    rate = len(alerts) * MONTH / max(1, days) / max(1, meters)
    yield (
        f"{len(alerts)} alerts in {days} days at {meters} meters, {rate:.1f} a meter and month; "
        f"{interrupting} of them would interrupt, the others wait for the digest. Nothing was sent."
    )
