"""What flows the wrong way (E9, W6): water or gas back into the main, electricity out of a home without a plant."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_POWER = Text(
    N_("Electricity flows out: {meter}"),
    (
        N_("{meter} has counted backwards by {fell_wh}."),
        N_("{value} of electricity flowed out at {meter} within a day."),
        N_("Electricity flows out at {meter}."),
    ),
    (
        N_("Without a solar plant, up to {baseline} a day is no cause for concern."),
        N_("Without a solar plant nothing flows out."),
    ),
    (
        N_("If you have solar panels, have your installer enter them here."),
        N_("Otherwise have an electrician check how the meter is wired."),
    ),
)
_WATER = Text(
    N_("Water flows backwards: {meter}"),
    (N_("{value} of water flowed backwards at {meter}."), N_("Water flows backwards at {meter}.")),
    (N_("In a sound installation no water flows backwards."),),
    (N_("Have a plumber check the non-return valve behind the meter."),),
)
_GAS = Text(
    N_("Gas counted backwards: {meter}"),
    (N_("The gas meter {meter} has counted backwards by {value}."), N_("The gas meter {meter} counts backwards.")),
    (N_("A gas meter in good order never counts backwards."),),
    (N_("Tell your gas supplier that the meter has to be checked."),),
)

TEXTS: Texts = {
    "raised water": _WATER,
    "raised gas": _GAS,
    "raised": _POWER,
    "updated water": _WATER,
    "updated gas": _GAS,
    "updated": _POWER,
    "cleared": Text(
        N_("Flows rightly again: {meter}"),
        (N_("For a day nothing has flowed the wrong way at {meter}."),),
        (N_("The last figure was {value}."),),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("Reverse flow, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell which way it flows there now."),),
        (N_("The last figure was {value}."),),
        (N_("Look at the meter: an arrow or a minus in its display shows which way it counts."),),
    ),
}
