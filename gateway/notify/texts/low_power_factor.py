"""Current that is paid for and does no work (E14)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOW = (N_("It is {value}; from {baseline} up it is fine."), N_("It is {value}."))
_ADVICE = (
    N_("Have an electrician check the capacitors that correct the power factor."),
    N_("Large motors without a load are often the cause: switch off those that nobody needs."),
)

TEXTS: Texts = {
    "raised": Text(
        N_("Low power factor: {meter}"),
        (N_("The power factor at {meter} has been low for hours."), N_("The power factor at {meter} is low.")),
        _NOW,
        _ADVICE,
    ),
    "updated": Text(
        N_("Power factor still low: {meter}"), (N_("The power factor at {meter} is still low."),), _NOW, _ADVICE
    ),
    "cleared": Text(
        N_("Power factor is fine: {meter}"),
        (
            N_("The power factor at {meter} is fine again (since {cleared})."),
            N_("The power factor at {meter} is fine again."),
        ),
        (N_("It was {value} before; from {baseline} up it is fine."),),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("Power factor, unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell how its power factor is now."),),
        (N_("The last value was {value}."),),
        (N_("The live page shows what was measured."),),
    ),
}
