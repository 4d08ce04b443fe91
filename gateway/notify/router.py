"""Who hears what, and when: a pure function from an event and what is known to the messages to be sent.

1. Machines (webhooks) get every event at once.
2. A critical alert goes to everybody at once, day and night, and again after 15 minutes and 2 hours until it is
   acknowledged or over. If nobody answered a quarter of an hour after that, the second contact is told.
3. Each channel says for each kind of message how often it wants it: now, bundled, in the daily or weekly digest, or
   never; safety is told even where every channel says never. Where it says nothing, its least severity decides.
4. A warning goes to the first channel that wants it, not in quiet hours, and within the caps: 3 a day and 7 a week for
   one customer. Information waits for the digest, unless a channel asks for it.
5. What happens within ten minutes of a message goes as one more message at their end: what is due at one moment on one
   channel is one message.
6. What is over is told on every channel that told of its beginning, and nowhere else. It counts against no cap, for it
   takes a worry away; channels deliver it without a sound.
7. What arrives long after it happened is marked late and held for a minute, in which its end may arrive as well: then
   both become a line of the digest.

The digest is no channel: its lines are kept until a digest is written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from gateway.alerts.calendar import is_ramadan
from gateway.alerts.event import AlertEvent, Severity
from gateway.notify.kinds import ENDS_UNSAID, Frequency, Kind, kind_of

DIGEST = ""
"""Stands where a channel's name would."""
CAP_DAY, CAP_WEEK = 3, 7
"""So many interruptions that are not critical a customer gets at most: a fourth one is no longer read (R08)."""
LATE = timedelta(minutes=10)
"""From then on a message says that it is late: journals and brokers deliver within seconds when nothing is wrong."""
HOLD = timedelta(minutes=1)
"""A backlog's next blocks arrive within this."""
BUNDLE = timedelta(minutes=10)
"""What follows a message within this waits and goes together: one cause often raises several alerts."""
REPEATS = (timedelta(minutes=15), timedelta(hours=2))
"""After the first telling of a critical alert."""
ESCALATE = REPEATS[-1] + timedelta(minutes=15)
"""After the alert: when the last reminder has had its time."""
UNANSWERED = len(REPEATS) + 1
"""The number under which the second contact is told; like a reminder it is dropped by any answer."""

RANK: dict[Severity, int] = {"info": 0, "warning": 1, "critical": 2}
Hours = tuple[time, time]
Interruption = tuple[str, datetime]
"""A message that is not critical: by which channel, and when."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One channel and what its reader wants: how often each kind, else the least severity told at once.

    `quiet` are hours of quiet (start, end), `fasting` those in Ramadan where they differ. A `second` contact is told
    what is critical and nobody answered, and nothing else.
    """

    channel: str
    severity: Severity = "warning"
    quiet: Hours | None = (time(22), time(7))
    machine: bool = False
    frequency: Mapping[Kind, Frequency] = field(default_factory=dict)
    fasting: Hours | None = None
    second: bool = False

    def often(self, kind: Kind) -> Frequency | None:
        """Say how often this kind is wanted; None where the severity decides."""
        return self.frequency.get(kind)


@dataclass(frozen=True, slots=True)
class Story:
    """What happened so far: to this alert, and to this customer.

    `told` are the channels that told of this alert, or may have; `worst` the worst severity told. `over` means that its
    end came before this event did. `interruptions`, past or planned, are what counts against the caps.
    """

    told: frozenset[str] = frozenset()
    worst: Severity | None = None
    over: bool = False
    acknowledged: bool = False
    muted: bool = False
    interruptions: tuple[Interruption, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """One message: by which channel, not before when, whether it says that it is late, and the how manieth telling."""

    channel: str
    due: datetime
    late: bool = False
    repeat: int = 0


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


def fallback(
    event: AlertEvent, contacts: Iterable[Contact], tried: frozenset[str], *, nobody: bool = False
) -> str | None:
    """Name the channel that takes over when another failed for good; None when nobody is left or all were asked.

    `nobody` means that no channel got it through: then the second contact hears at once what is critical.
    """
    last_resort = nobody and event.severity == "critical"
    people = [contact for contact in contacts if not contact.machine and (last_resort or not contact.second)]
    willing = (contact for contact in sorted(people, key=lambda contact: contact.second) if _wants(contact, event))
    return next((contact.channel for contact in willing if contact.channel not in tried), None)


def after_quiet(contact: Contact, now: datetime) -> datetime:
    """Give `now`, or the end of the quiet hours it falls into."""
    hours = contact.fasting if contact.fasting is not None and is_ramadan(now.date()) else contact.quiet
    if hours is None:
        return now
    start, end = hours
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
        return _urgent(people, due, late=late, first=worse)
    return [_quietly(event, people, story, due, late=late)]


def _urgent(people: Sequence[Contact], due: datetime, *, late: bool, first: bool) -> list[Planned]:
    """Tell everybody at once, and somebody else later; safety switched off everywhere is not switched off."""
    own = [contact for contact in people if not contact.second] or list(people)
    told = [contact for contact in own if contact.often("safety") != "off"] or own
    later = [contact for contact in people if contact not in own] if first else []
    return [Planned(contact.channel, due, late) for contact in told] + [
        Planned(contact.channel, due + ESCALATE, late, UNANSWERED) for contact in later
    ]


def _quietly(event: AlertEvent, people: Sequence[Contact], story: Story, due: datetime, *, late: bool) -> Planned:
    """Tell one person when they are awake, together with what else there is, or leave it to the digest."""
    contact = next((contact for contact in people if not contact.second and _wants(contact, event)), None)
    if contact is None or story.muted:
        return Planned(DIGEST, due, late)
    at = after_quiet(contact, due)
    if contact.often(kind_of(event)) != "now":
        at = after_quiet(contact, _together(contact.channel, at, story.interruptions))
    return Planned(contact.channel if _room(story.interruptions, (contact.channel, at)) else DIGEST, at, late)


def _together(channel: str, due: datetime, interruptions: Iterable[Interruption]) -> datetime:
    """Give the moment of the message that this one joins, or the end of the time in which messages are gathered."""
    near = [at for name, at in interruptions if name == channel and abs(at - due) < BUNDLE]
    coming = [at for at in near if at >= due]
    return min(coming) if coming else max(near, default=due - BUNDLE) + BUNDLE


def _end(event: AlertEvent, people: Sequence[Contact], story: Story, now: datetime) -> list[Planned]:
    if event.rule in ENDS_UNSAID:
        return []
    told = [contact for contact in people if contact.channel in story.told]
    if not told:
        return [Planned(DIGEST, now)]
    urgent = "critical" in (event.severity, story.worst)
    return [Planned(contact.channel, now if urgent else after_quiet(contact, now)) for contact in told]


def _wants(contact: Contact, event: AlertEvent) -> bool:
    """Tell whether a channel wants an event before any digest."""
    often = contact.often(kind_of(event))
    if event.severity == "critical":
        return often != "off"
    return often in ("now", "bundled") if often is not None else RANK[event.severity] >= RANK[contact.severity]


def _room(interruptions: Iterable[Interruption], wanted: Interruption) -> bool:
    """Tell whether one more on that day breaks neither cap, in whatever week of seven days one looks."""
    known = set(interruptions)
    if wanted in known:
        return True
    due = wanted[1]
    days = [abs((moment.astimezone(due.tzinfo).date() - due.date()).days) for _, moment in known]
    return sum(day == 0 for day in days) < CAP_DAY and sum(day < 7 for day in days) < CAP_WEEK  # noqa: PLR2004
