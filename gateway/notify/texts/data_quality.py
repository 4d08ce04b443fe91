"""A day of readings that are not in order (X5)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_HOW = (
    N_("Its register rose by more than is possible ({jumps_today})."),
    N_("Readings came twice ({twice_today})."),
    N_("Only {value} of the day was measured; {baseline} is the least."),
)
_ADVICE = (
    N_("Check the cable or the radio link between meter and gateway, and what the meter is set up as."),
    N_("Nothing was changed: readings stay what the meter said."),
)

TEXTS: Texts = {
    "raised": Text(
        N_("Readings not in order: {meter}"),
        (N_("The readings of {meter} were not in order in the day that ended at {at}."),
         N_("The readings of {meter} are not in order.")),
        _HOW,
        _ADVICE,
    ),
    "updated": Text(
        N_("Readings still not right: {meter}"),
        (N_("The readings of {meter} are still not in order."),),
        _HOW,
        _ADVICE,
    ),
    "cleared": Text(
        N_("Readings in order again: {meter}"),
        (N_("The readings of {meter} are in order again."),),
        (N_("It began with the day that ended at {raised}."),),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("Readings, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether they are in order."),),
        (N_("Last, {value} of a day was measured."),),
        (N_("The live page shows what was measured."),),
    ),
}  # fmt: skip
