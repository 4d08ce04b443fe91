"""What runs day and night takes more than it did (E7)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOW = (
    N_("It is {value} now and was {baseline} some weeks ago; that makes {extra} more in a month."),
    N_("It is {value} now and was {baseline} some weeks ago."),
    N_("It is {value} now."),
)
_ADVICE = (
    N_("Switch off one thing after the other and watch the live page: that shows what takes so much."),
    N_("Often it is a second refrigerator, a pump or a water heater."),
)

TEXTS: Texts = {
    "raised": Text(
        N_("Constant use has grown: {meter}"),
        (
            N_("For {days}, what runs day and night at {meter} has taken more than before."),
            N_("What runs day and night at {meter} takes more than before."),
        ),
        _NOW,
        _ADVICE,
    ),
    "updated": Text(
        N_("Constant use grows on: {meter}"),
        (N_("What runs day and night at {meter} takes still more."),),
        _NOW,
        _ADVICE,
    ),
    "cleared": Text(
        N_("Constant use fell: {meter}"),
        (
            N_("What runs day and night at {meter} takes less again (since {cleared})."),
            N_("What runs day and night at {meter} takes less again."),
        ),
        (N_("It is {base_w} now and was {value}."), N_("It was {value} before.")),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("Constant use, unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell what runs day and night there now."),),
        (N_("The last value was {value}."),),
        (N_("The live page shows what was measured."),),
    ),
}
