"""A bill that will be high (E2)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_COMPARED = (
    N_("Your usual bill is about {usual_money}. So far {spent_money} is spent, and {left_s} are left."),
    N_("You want to spend {limit_money} at most. So far {spent_money} is spent, and {left_s} are left."),
)
_ADVICE = (N_("Look at the live page for what uses most, and use less of it in the days that are left."),)

TEXTS: Texts = {
    "raised": Text(
        N_("High bill ahead: {meter}"),
        (
            N_("The bill of {meter} will probably be about {value}, between {low_money} and {high_money}."),
            N_("The bill of {meter} will probably be high."),
        ),
        _COMPARED,
        _ADVICE,
    ),
    "updated": Text(
        N_("High bill almost certain: {meter}"),
        (
            N_("The bill of {meter} will almost certainly be high: about {value}, at least {low_money}."),
            N_("The bill of {meter} will almost certainly be high."),
        ),
        _COMPARED,
        _ADVICE,
    ),
    "cleared": Text(
        N_("New billing period: {meter}"),
        (N_("The billing period of {meter} is over (since {cleared})."), N_("The billing period of {meter} is over.")),
        (N_("The last projection was about {value}."),),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("Bill, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell what its bill will be."),),
        (N_("The last projection was about {value}."),),
        (N_("The live page shows what was measured."),),
    ),
}
