"""Much used at the dearest time (E5)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_OPEN = Text(
    N_("Much at the dearest time: {meter}"),
    (
        N_("In the dearest hours (from {peak_ms}) {meter} used {value}; {baseline} is usual then."),
        N_("{meter} used more than usual in the dearest hours."),
    ),
    (N_("That is {above_wh} more."),),
    (N_("Washing, drying and charging cost less at other hours."),),
)

TEXTS: Texts = {
    "raised": _OPEN,
    "updated": _OPEN,
    "cleared": Text(
        N_("Dear hours are over: {meter}"),
        (N_("The dearest hours of that day are over at {meter}."),),
        (N_("{value} was used in them."),),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("Dear hours, unknown: {meter}"),
        (N_("{meter} has sent no readings since."),),
        (N_("The last value was {value}."),),
        (N_("The live page shows what was measured."),),
    ),
}
