"""A budget that runs out (E4)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_GONE = Text(
    N_("Budget used up: {meter}"),
    (
        N_("The budget for {meter} is used up: {value} of {baseline}, and {left_s} are left."),
        N_("The budget for {meter} is used up."),
    ),
    (N_("That is {percent} of it."),),
    (N_("What you do not use from now on brings the next bill back within the budget."),),
)

TEXTS: Texts = {
    "raised": Text(
        N_("Budget runs low: {meter}"),
        (
            N_("Of the {baseline} you want to spend for {meter}, {value} is spent, and {left_s} are left."),
            N_("The budget for {meter} runs low."),
        ),
        (N_("That is {percent} of it: the money goes faster than the time."),),
        (N_("Look at the live page for what uses most, and use less of it in the days that are left."),),
    ),
    "raised warning": _GONE,
    "updated": _GONE,
    "cleared": Text(
        N_("New budget: {meter}"),
        (
            N_("A new billing period has begun for {meter} (since {cleared}), with a whole budget."),
            N_("A new billing period has begun for {meter}, with a whole budget."),
        ),
        (),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("Budget, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell what is left of the budget."),),
        (N_("So far {value} was spent."),),
        (N_("The live page shows what was measured."),),
    ),
}
