"""When digests come: in the morning of the first day of the local week, or of every day; all in local time."""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta

from gateway.notify.router import Contact, after_quiet

AT = time(9)
"""In the morning, when the day that is told of has been judged and most people are awake."""
WEEK = timedelta(days=7)
AHEAD = 2
"""Coming digests that the caps must know of: a message put off by a night touches the week of the second one."""


def week_began(now: datetime, weekend: Iterable[int]) -> datetime:
    """Give the midnight with which the local week around `now` began; `weekend` holds weekdays, 0 is Monday."""
    first = (max(weekend) + 1) % 7
    day = now.date() - timedelta(days=(now.weekday() - first) % 7)
    return datetime.combine(day, time(), now.tzinfo)


def readers(contacts: Sequence[Contact]) -> list[Contact]:
    """Choose who gets the weekly digest: who asked for it, else the first person that did not decline it."""
    people = [contact for contact in contacts if not (contact.machine or contact.second)]
    asked = [contact for contact in people if contact.often("digest") == "weekly"]
    daily = any(contact.often("digest") == "daily" for contact in people)
    return asked or [contact for contact in people if contact.often("digest") is None and not daily][:1]


def daily_readers(contacts: Sequence[Contact]) -> list[Contact]:
    """Choose who gets something every day: the whole digest, or the kinds they asked for daily."""
    people = (contact for contact in contacts if not (contact.machine or contact.second))
    return [contact for contact in people if "daily" in contact.frequency.values()]


def moment_of(contact: Contact, midnight: datetime) -> datetime:
    """Give when a digest of the days before `midnight` is due."""
    return after_quiet(contact, datetime.combine(midnight.date(), AT, midnight.tzinfo))


def coming(contacts: Sequence[Contact], now: datetime, weekend: Iterable[int]) -> list[tuple[str, datetime]]:
    """Give the weekly digests that are still to come, as far as the caps must know of them."""
    began = week_began(now, weekend)
    return [
        (contact.channel, moment)
        for contact in readers(contacts)
        for week in range(AHEAD + 1)
        if (moment := moment_of(contact, began + week * WEEK)) > now
    ]
