"""A meter whose battery ends (X2)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOW = (
    N_("It will last for about {value}; below {baseline} it is time to plan."),
    N_("The meter says so itself."),
)
_ADVICE = (N_("Tell your supplier, who changes the battery or the meter; you need not do it yourself."),)
_URGENT = Text(N_("Battery is almost empty: {meter}"), (N_("The battery of {meter} is almost empty."),), _NOW, _ADVICE)

TEXTS: Texts = {
    "raised warning": _URGENT,
    "raised": Text(
        N_("Battery is getting low: {meter}"), (N_("The battery of {meter} is getting low."),), _NOW, _ADVICE
    ),
    "updated": _URGENT,
    "cleared": Text(
        N_("Battery is fine again: {meter}"),
        (N_("The battery of {meter} is fine again (since {cleared})."), N_("The battery of {meter} is fine again.")),
        (N_("The meter says so itself."),),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("Battery, end unknown: {meter}"),
        (N_("{meter} has sent no readings since; its battery may be empty."),),
        (N_("It would have lasted for about {value}."),),
        (N_("Tell your supplier that the meter sends nothing any more."),),
    ),
}
