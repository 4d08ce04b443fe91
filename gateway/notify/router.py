"""Who hears what, and when: a pure function from an event and what is known to the messages to be sent.

1. Machines (webhooks) get every event at once.
2. A critical alert goes to everybody at once, day and night, and again after 15 minutes and 2 hours until it is
   acknowledged or over.
3. A warning goes to the first channel that takes it, not in quiet hours, and within the caps: 3 a day and 7 a week for
   one customer. Information waits for the digest, unless a channel asks for it.
4. What is over is told on every channel that told of its beginning, and nowhere else. It counts against no cap, for it
   takes a worry away; channels deliver it without a sound.
5. What arrives long after it happened is marked late and held for a minute, in which its end may arrive as well: then
   both become a line of the digest.

The digest is no channel: its lines are kept until a digest is written.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from gateway.alerts.event import AlertEvent, Severity

DIGEST = ""
"""Stands where a channel's name would."""
CAP_DAY, CAP_WEEK = 3, 7
"""So many interruptions that are not critical a customer gets at most: a fourth one is no longer read (R08)."""
LATE = timedelta(minutes=10)
"""From then on a message says that it is late: journals and brokers deliver within seconds when nothing is wrong."""
HOLD = timedelta(minutes=1)
"""A backlog's next blocks arrive within this."""
REPEATS = (timedelta(minutes=15), timedelta(hours=2))
"""After the first telling of a critical alert."""

RANK: dict[Severity, int] = {"info": 0, "warning": 1, "critical": 2}


@dataclass(frozen=True, slots=True)
class Contact:
    """One channel and what its reader wants: the least severity told at once, and hours of quiet (start, end)."""

    channel: str
    severity: Severity = "warning"
    quiet: tuple[time, time] | None = (time(22), time(7))
    machine: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """What happened so far: to this alert, and to this customer.

    `told` are the channels that told of this alert, or may have; `worst` the worst severity told. `over` means that its
    end came before this event did. `interruptions` are the moments, past or planned, of what counts against the caps.
    """

    told: frozenset[str] = frozenset()
    worst: Severity | None = None
    over: bool = False
    acknowledged: bool = False
    muted: bool = False
    interruptions: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """One message: by which channel, not before when, and whether it says that it is late."""

    channel: str
    due: datetime
    late: bool = False


def route(event: AlertEvent, contacts: Sequence[Contact], story: Story, now: datetime) -> list[Planned]:
    """Plan what is to be sent for an event; `now` is the customer's local time."""
    late = now.timestamp() - event.at / 1000 > LATE.total_seconds()
    machines = [Planned(contact.channel, now, late) for contact in contacts if contact.machine]
    people = [contact for contact in contacts if not contact.machine]
    return machines + (_begin(event, people, story, now, late=late) if event.open else _end(event, people, story, now))


def next_repeat(event: AlertEvent, repeat: int, delivered: datetime) -> datetime | None:
    """Name when a critical alert that was told at `delivered`, as repeat 0, 1 or 2, is told again."""
    if event.severity != "critical" or not event.open or repeat >= len(REPEATS):
        return None
    return delivered + REPEATS[repeat] - (REPEATS[repeat - 1] if repeat else timedelta(0))


def fallback(event: AlertEvent, contacts: Iterable[Contact], tried: frozenset[str]) -> str | None:
    """Name the channel that takes over when another failed for good; None when nobody is left or all were asked."""
    willing = (contact for contact in contacts if not contact.machine and _wants(contact, event))
    return next((contact.channel for contact in willing if contact.channel not in tried), None)


def after_quiet(contact: Contact, now: datetime) -> datetime:
    """Give `now`, or the end of the quiet hours it falls into."""
    if contact.quiet is None:
        return now
    start, end = contact.quiet
    at = now.time()
    inside = start <= at < end if start <= end else at >= start or at < end
    if not inside:
        return now
    day = now.date() + timedelta(days=1 if start > end and at >= start else 0)
    # A clock that is put forward may skip the end's own minute; the moment is the same.
    return datetime.combine(day, end, now.tzinfo)


def _begin(event: AlertEvent, people: Sequence[Contact], story: Story, now: datetime, *, late: bool) -> list[Planned]:
    if story.over:
        return [Planned(DIGEST, now, late)]
    worse = story.worst is None or RANK[event.severity] > RANK[story.worst]
    if story.acknowledged and not worse:
        return []
    due = now + HOLD if late else now
    if event.severity == "critical":
        return [Planned(contact.channel, due, late) for contact in people]
    contact = next((contact for contact in people if _wants(contact, event)), None)
    if contact is None or story.muted:
        return [Planned(DIGEST, now, late)]
    due = after_quiet(contact, due)
    return [Planned(contact.channel if _room(story.interruptions, due) else DIGEST, due, late)]


def _end(event: AlertEvent, people: Sequence[Contact], story: Story, now: datetime) -> list[Planned]:
    told = [contact for contact in people if contact.channel in story.told]
    if not told:
        return [Planned(DIGEST, now)]
    urgent = "critical" in (event.severity, story.worst)
    return [Planned(contact.channel, now if urgent else after_quiet(contact, now)) for contact in told]


def _wants(contact: Contact, event: AlertEvent) -> bool:
    return RANK[event.severity] >= RANK[contact.severity]


def _room(interruptions: Iterable[datetime], due: datetime) -> bool:
    """Tell whether one more on that day breaks neither cap, in whatever week of seven days one looks."""
    days = [abs((moment.astimezone(due.tzinfo).date() - due.date()).days) for moment in interruptions]
    return sum(day == 0 for day in days) < CAP_DAY and sum(day < 7 for day in days) < CAP_WEEK  # noqa: PLR2004
