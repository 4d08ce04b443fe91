"""What is said of an alert whose rule has no texts of its own: of a newer gateway, for example."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_OPEN = Text(
    N_("Alert: {meter}"),
    (N_("Something at {meter} needs your attention."),),
    (N_("It is {value}, against {baseline}."), N_("It is {value}.")),
    (N_("The live page shows what was measured."),),
)

TEXTS: Texts = {
    "raised": _OPEN,
    "updated": _OPEN,
    "cleared": Text(
        N_("Alert is over: {meter}"),
        (N_("What needed your attention at {meter} is over (since {cleared})."), N_("The alert at {meter} is over.")),
        (N_("It lasted {lasted}."),),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("Alert, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether the alert is over."),),
        (N_("The last value was {value}."),),
        (N_("The live page shows what was measured."),),
    ),
}
