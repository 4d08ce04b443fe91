"""A day of more water than usual (W4)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOW = (N_("It was {value}; usual in a day is {baseline}."), N_("It was {value}."))
_ADVICE = (
    N_("Check the toilets first, then the float of the roof tank and the taps in the garden."),
    N_("If you had guests or watered the garden, all is well."),
)

TEXTS: Texts = {
    "raised": Text(
        N_("More water than usual: {meter}"),
        (
            N_("More water than usual was used at {meter} in the last {hours}."),
            N_("More water than usual is being used at {meter}."),
        ),
        _NOW,
        _ADVICE,
    ),
    "updated": Text(
        N_("Still more water: {meter}"),
        (
            N_("The use of water at {meter} has grown further in the last {hours}."),
            N_("The use of water at {meter} has grown further."),
        ),
        _NOW,
        _ADVICE,
    ),
    "cleared": Text(
        N_("Water is usual again: {meter}"),
        (
            N_("The use of water at {meter} is as usual again (since {cleared})."),
            N_("The use of water at {meter} is as usual again."),
        ),
        (N_("The last figure was {value}, where {baseline} is usual."), N_("The last figure was {value}.")),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("High water, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether its use is as usual again."),),
        (N_("The last figure was {value}, where {baseline} is usual."), N_("The last figure was {value}.")),
        (N_("Look at the meter: while all taps are closed, its smallest wheel must stand still."),),
    ),
}
