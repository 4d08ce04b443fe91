"""A plant on the roof that makes too little (E9b)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_OPEN = Text(
    N_("Little solar energy: {meter}"),
    (
        N_("For {days} much less solar energy than usual has flowed out at {meter}."),
        N_("Much less solar energy than usual flows out at {meter}."),
    ),
    (N_("On the last day it was {value}; {baseline} is usual."),),
    (N_("See whether the inverter shows a fault or is switched off, and whether the panels are covered."),),
)

TEXTS: Texts = {
    "raised": _OPEN,
    "updated": _OPEN,
    "cleared": Text(
        N_("Solar plant works again: {meter}"),
        (
            N_("Solar energy flows out at {meter} as usual again (since {cleared})."),
            N_("Solar energy flows out at {meter} as usual again."),
        ),
        (N_("{baseline} a day is usual."),),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("Solar plant, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether the plant works."),),
        (N_("On the last day it was {value}; {baseline} is usual."),),
        (N_("The live page shows what was measured."),),
    ),
}
