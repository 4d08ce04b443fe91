"""Water that never stops (W1, W2)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOW = (
    N_("About {value}, {month} in a month. In a home without a leak the water stands still for hours every day."),
    N_("In a home without a leak the water stands still for hours every day."),
)
_ADVICE = (
    N_("Close the main valve: if the flow on the live page stops, the leak is inside."),
    N_("Check the toilets first."),
)

TEXTS: Texts = {
    "raised": Text(
        N_("Possible water leak: {meter}"),
        (N_("The water at {meter} has not stopped for {lasted}."), N_("The water at {meter} does not stop.")),
        _NOW,
        _ADVICE,
    ),
    "updated": Text(
        N_("The water still runs: {meter}"),
        (
            N_("The water at {meter} has not stopped for {lasted}, and it is more than before."),
            N_("The water at {meter} still does not stop."),
        ),
        _NOW,
        _ADVICE,
    ),
    "cleared": Text(
        N_("The water has stopped: {meter}"),
        (N_("The flow at {meter} has stopped (at {cleared})."), N_("The flow at {meter} has stopped.")),
        (
            N_("It ran for {lasted}, about {litres} in all."),
            N_("It ran for {lasted}."),
            N_("About {litres} ran through in all."),
        ),
        (N_("If you repaired it: well done. If you did nothing, keep an eye on it for a few days."),),
    ),
    "expired": Text(
        N_("Water leak, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether the water has stopped."),),
        (N_("The last value was {value}."),),
        (N_("Look at the meter: while all taps are closed, its smallest wheel must stand still."),),
    ),
}
