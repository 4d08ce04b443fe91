"""Water or gas that flows while nobody is at home (W5, G3)."""

from gateway.i18n import N_
from gateway.notify.texts.gas_smell import NO_DETECTOR
from gateway.notify.texts.text import Text, Texts

_NOW = (
    N_("You have been away since {away_since_ms}; while nobody is at home hardly anything flows."),
    N_("While nobody is at home hardly anything flows."),
)
_SMELL = (
    N_("Whoever smells gas there must light nothing, leave, and call {emergency}."),
    N_("Whoever smells gas there must light nothing, leave, and call the emergency number."),
)
_WATER = Text(
    N_("Water while you are away: {meter}"),
    (
        N_("While you were away, {value} of water ran at {meter} within a day."),
        N_("Water runs at {meter} while you are away."),
    ),
    _NOW,
    (N_("Ask somebody who has a key to close the main valve."),),
)
_GAS = Text(
    N_("Gas while you are away: {meter}"),
    (
        N_("While you were away, {value} of gas flowed at {meter} within a day."),
        N_("Gas flows at {meter} while you are away."),
    ),
    _NOW,
    (N_("Ask somebody who has a key to look for what is on, and to close the gas tap."), NO_DETECTOR),
    urgent=_SMELL,
)

TEXTS: Texts = {
    "raised gas": _GAS,
    "raised": _WATER,
    "updated gas": _GAS,
    "updated": _WATER,
    "cleared": Text(
        N_("Away flow is over: {meter}"),
        (
            N_("What flowed at {meter} while you were away is over (since {cleared})."),
            N_("What flowed at {meter} while you were away is over."),
        ),
        (N_("On the last day it was {value}."),),
        (N_("If nobody closed anything, look for the cause when you are back."),),
    ),
    "expired": Text(
        N_("Away flow, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether anything still flows there."),),
        (N_("On the last day it was {value}."),),
        (N_("Ask somebody who has a key to look at the meter."),),
    ),
}
