"""A meter that reports that somebody was at it (X1); nobody is blamed, for the meter does not know who or why."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOW = (N_("The meter says so itself: an open cover, a magnet near by, or another disturbance."),)
_ADVICE = (
    N_("If somebody has just worked at the meter, all is well; otherwise tell your supplier, who will look at it."),
)

TEXTS: Texts = {
    "raised": Text(
        N_("Meter asks for a look: {meter}"),
        (
            N_("{meter} reports a disturbance from outside (at {raised})."),
            N_("{meter} reports a disturbance from outside."),
        ),
        _NOW,
        _ADVICE,
    ),
    "updated": Text(
        N_("Meter asks again: {meter}"), (N_("{meter} still reports a disturbance from outside."),), _NOW, _ADVICE
    ),
    "cleared": Text(
        N_("Meter is all right again: {meter}"),
        (
            N_("{meter} no longer reports a disturbance (since {cleared})."),
            N_("{meter} no longer reports a disturbance."),
        ),
        (N_("The first report came at {raised}."),),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("Disturbance, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether the disturbance goes on."),),
        (N_("The first report came at {raised}."),),
        (N_("Look at the meter, or ask your supplier to."),),
    ),
}
