"""Voltage outside of what appliances are made for (E10)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOW = (
    N_("The worst was {worst_v}; {baseline} is right, a tenth more or less is allowed."),
    N_("It is {value}; {baseline} is right, a tenth more or less is allowed."),
    N_("It is {value}."),
)
_ADVICE = (
    N_("Switch off air conditioners and sensitive devices until it is steady."),
    N_("If it comes again, tell your electricity supplier and name these figures."),
)

TEXTS: Texts = {
    "raised warning": Text(
        N_("Voltage is not right: {meter}"),
        (
            N_("The voltage at {meter} has been out of range for {lasted}; it happened {seen_today} today."),
            N_("The voltage at {meter} is out of range."),
        ),
        _NOW,
        _ADVICE,
    ),
    "raised": Text(
        N_("Voltage out of range: {meter}"),
        (N_("The voltage at {meter} was out of range at {since}."), N_("The voltage at {meter} is out of range.")),
        _NOW,
        _ADVICE,
    ),
    "updated": Text(
        N_("Voltage still not right: {meter}"),
        (
            N_("The voltage at {meter} has been out of range for {lasted}."),
            N_("The voltage at {meter} is still out of range."),
        ),
        _NOW,
        _ADVICE,
    ),
    "cleared": Text(
        N_("Voltage is right again: {meter}"),
        (
            N_("The voltage at {meter} is right again (since {cleared})."),
            N_("The voltage at {meter} is right again."),
        ),
        (
            N_("It was out of range for {lasted}; the worst was {worst_v} instead of {baseline}."),
            N_("It was last {value} instead of {baseline}."),
        ),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("Voltage, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether its voltage is right."),),
        (N_("It was last {value} instead of {baseline}."),),
        (N_("The live page shows what was measured."),),
    ),
}
