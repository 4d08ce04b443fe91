"""Gas that never stops (G1)."""

from gateway.i18n import N_
from gateway.notify.texts.gas_smell import NO_DETECTOR, SMELL
from gateway.notify.texts.text import Text, Texts

_NOW = (
    N_(
        "At least {least_l} in each hour, {lost_l} in all. In a home without a leak the gas stands still for hours "
        "every day."
    ),
    N_("In a home without a leak the gas stands still for hours every day."),
)
_ADVICE = (
    N_(
        "If you smell nothing, turn off all that burns gas: if the meter still turns, close the gas tap and call your "
        "supplier."
    ),
    N_("Heating that runs all day, or a pilot flame, can be the cause too."),
    NO_DETECTOR,
)

TEXTS: Texts = {
    "raised": Text(
        N_("Gas does not stop: {meter}"),
        (N_("The gas at {meter} has not stopped for {lasted}."), N_("The gas at {meter} does not stop.")),
        _NOW,
        _ADVICE,
        urgent=SMELL,
    ),
    "updated": Text(
        N_("Gas still does not stop: {meter}"),
        (N_("The gas at {meter} has not stopped for {lasted}."), N_("The gas at {meter} still does not stop.")),
        _NOW,
        _ADVICE,
        urgent=SMELL,
    ),
    "cleared": Text(
        N_("The gas has stopped: {meter}"),
        (N_("The gas at {meter} has stopped (since {cleared})."), N_("The gas at {meter} has stopped.")),
        (N_("It was last {value}."),),
        (N_("If you do not know why, have the pipes checked."), NO_DETECTOR),
    ),
    "expired": Text(
        N_("Gas, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether the gas has stopped."),),
        (N_("It was last {value}."),),
        (N_("Look at the meter: while everything is off it must stand still."), NO_DETECTOR),
        urgent=SMELL,
    ),
}
