"""More water than this home ever takes at once (W3)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOW = (
    N_("It is {minute}, {lost_l} so far; above {limit_l_min} is unusual here."),
    N_("It is {minute}; above {limit_l_min} is unusual here."),
    N_("It is {minute}."),
)

TEXTS: Texts = {
    "raised critical": Text(
        N_("Possible burst pipe: {meter}"),
        (
            N_("Very much water has been running at {meter} since {since}, as from a burst pipe."),
            N_("Very much water is running at {meter}, as from a burst pipe."),
        ),
        _NOW,
        (N_("Keep away from sockets and switches where the floor is wet."),),
        urgent=(N_("Close the main valve now."),),
    ),
    "raised": Text(
        N_("Very much water: {meter}"),
        (
            N_("Much more water than usual has been running at {meter} since {since}."),
            N_("Much more water than usual is running at {meter}."),
        ),
        _NOW,
        (N_("See whether a tap or a hose is open; if you find none, close the main valve."),),
    ),
    "updated": Text(
        N_("More water still: {meter}"),
        (
            N_("Very much water has been running at {meter} since {since}, and it is growing."),
            N_("The water at {meter} is running faster than before."),
        ),
        _NOW,
        (N_("Keep away from sockets and switches where the floor is wet."),),
        urgent=(N_("Close the main valve now."),),
    ),
    "cleared": Text(
        N_("The water has stopped: {meter}"),
        (N_("The flow at {meter} has stopped (at {cleared})."), N_("The flow at {meter} has stopped.")),
        (
            N_("It ran for {lasted}, about {litres} in all."),
            N_("It ran for {lasted}."),
            N_("About {litres} ran through in all."),
        ),
        (N_("If you closed the main valve, have the pipe repaired before you open it again."),),
    ),
    "expired": Text(
        N_("Burst, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether the water has stopped."),),
        (N_("The last value was {value}."),),
        (N_("Look at the meter: while all taps are closed, its smallest wheel must stand still."),),
    ),
}
