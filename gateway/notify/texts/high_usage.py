"""More electricity than usual in the last hours (E1)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOW = (
    N_("It was {value}; usual at this time is {baseline}, so {above_wh} more."),
    N_("It was {value}; usual at this time is {baseline}."),
    N_("It was {value}."),
)
_ADVICE = (N_("See whether an air conditioner, a water heater or an oven is running that nobody needs."),)

TEXTS: Texts = {
    "raised": Text(
        N_("More power than usual: {meter}"),
        (
            N_("More electricity than usual was used at {meter} in the last {hours}."),
            N_("More electricity than usual is being used at {meter}."),
        ),
        _NOW,
        _ADVICE,
    ),
    "updated": Text(
        N_("Use is still growing: {meter}"),
        (
            N_("The use of electricity at {meter} has grown further in the last {hours}."),
            N_("The use of electricity at {meter} has grown further."),
        ),
        _NOW,
        _ADVICE,
    ),
    "cleared": Text(
        N_("Use is usual again: {meter}"),
        (
            N_("The use of electricity at {meter} is as usual again (since {cleared})."),
            N_("The use of electricity at {meter} is as usual again."),
        ),
        (N_("The last figure was {value}, where {baseline} is usual."), N_("The last figure was {value}.")),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("High use, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether its use is as usual again."),),
        (N_("The last figure was {value}, where {baseline} is usual."), N_("The last figure was {value}.")),
        (N_("The live page shows what was measured."),),
    ),
}
