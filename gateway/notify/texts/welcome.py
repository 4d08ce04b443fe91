"""A new meter's first hour (X11)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOW = (N_("Right now it shows {now_w}."), N_("Right now it shows {now_l_h}."))
_NEXT = (N_("The live page shows it at any time."), N_("We write when something needs your attention."))

TEXTS: Texts = {
    "raised": Text(
        N_("Welcome: {meter}"),
        (N_("In its first hour {meter} counted {value}."), N_("{meter} is connected, and its readings come.")),
        _NOW,
        _NEXT,
    ),
    "updated": Text(N_("Welcome: {meter}"), (N_("{meter} is connected, and its readings come."),), _NOW, _NEXT),
    "cleared": Text(
        N_("First day: {meter}"), (N_("The first day of {meter} is over."),), (), (N_("There is nothing left to do."),)
    ),
    "expired": Text(
        N_("First day: {meter}"), (N_("The first day of {meter} is over."),), (), (N_("There is nothing left to do."),)
    ),
}
