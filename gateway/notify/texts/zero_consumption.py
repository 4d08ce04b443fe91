"""A register that stands still (E8, W7): odd, or proven by the meter's own power."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOTHING = (N_("{meter} has counted nothing for {lasted}."), N_("{meter} counts nothing."))
_NOW = (N_("Here that is unusual after {baseline}."),)
_STUCK = Text(
    N_("Meter is stuck: {meter}"),
    (
        N_("The register of {meter} has stood still for {lasted}, although power flows."),
        N_("The register of {meter} stands still, although power flows."),
    ),
    (N_("About {flowed_wh} went uncounted, by what the meter itself shows of its power."),),
    (
        N_("Tell your electricity supplier that the meter has to be checked."),
        N_("What it did not count may come later as an estimate."),
    ),
)
_OPEN = Text(
    N_("No use: {meter}"),
    _NOTHING,
    _NOW,
    (
        N_("Switch something on and look at the meter: if its display does not change, tell your supplier."),
        N_("If nobody is at home, all is well."),
    ),
)
_WATER = Text(
    N_("No water used: {meter}"),
    _NOTHING,
    _NOW,
    (
        N_("Open a tap and look at the meter: if its wheel does not turn, tell your supplier."),
        N_("If nobody is at home, all is well."),
    ),
)

TEXTS: Texts = {
    "raised warning": _STUCK,
    "raised water": _WATER,
    "raised": _OPEN,
    "updated warning": _STUCK,
    "updated water": _WATER,
    "updated": _OPEN,
    "cleared": Text(
        N_("Counts again: {meter}"),
        (N_("{meter} counts again (since {cleared})."), N_("{meter} counts again.")),
        (N_("It stood still for {lasted}."),),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("No use, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether it counts again."),),
        (N_("It had last stood still for {value}."),),
        (N_("Look at the meter's display."),),
    ),
}
