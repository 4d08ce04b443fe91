"""Gas that burns on and on, evenly (G2)."""

from gateway.i18n import N_
from gateway.notify.texts.gas_smell import NO_DETECTOR, SMELL
from gateway.notify.texts.text import Text, Texts

_NOW = (
    N_("That is {value}, {lost_l} so far; the longest in the last weeks was {usual_hours}."),
    N_("That is {value}, {lost_l} so far."),
    N_("That is {value}."),
)
_ADVICE = (N_("See whether a cooker, an oven or a heater was left on, and turn it off."), NO_DETECTOR)

TEXTS: Texts = {
    "raised": Text(
        N_("Gas burns for long: {meter}"),
        (
            N_("Gas has burnt at {meter} without a break for {lasted}."),
            N_("Gas burns at {meter} without a break."),
        ),
        _NOW,
        _ADVICE,
        urgent=SMELL,
    ),
    "updated": Text(
        N_("Gas still burns: {meter}"),
        (
            N_("Gas has burnt at {meter} without a break for {lasted}."),
            N_("Gas still burns at {meter} without a break."),
        ),
        _NOW,
        _ADVICE,
        urgent=SMELL,
    ),
    "cleared": Text(
        N_("The gas is off again: {meter}"),
        (
            N_("The gas at {meter} no longer burns without a break (since {cleared})."),
            N_("The gas at {meter} no longer burns without a break."),
        ),
        (N_("It burnt for {hours}."), N_("It was last {value}.")),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("Gas burning, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether the gas still burns."),),
        (N_("It was last {value}."),),
        (N_("See whether a cooker, an oven or a heater was left on, and turn it off."), NO_DETECTOR),
        urgent=SMELL,
    ),
}
