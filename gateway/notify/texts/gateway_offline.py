"""A gateway that is gone (X4), for whoever looks after it."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_ADVICE = (
    N_("Check that it has power, and that its network works."),
    N_("It keeps its readings and sends them by itself once it is connected again."),
)

TEXTS: Texts = {
    "raised": Text(
        N_("Gateway offline: {meter}"),
        (N_("The gateway {meter} has not been connected since {since}."), N_("The gateway {meter} is not connected.")),
        (),
        _ADVICE,
    ),
    "updated": Text(
        N_("Gateway still offline: {meter}"),
        (
            N_("The gateway {meter} has still not been connected since {since}."),
            N_("The gateway {meter} is still not connected."),
        ),
        (),
        _ADVICE,
    ),
    "cleared": Text(
        N_("Gateway is back: {meter}"),
        (
            N_("The gateway {meter} is connected again (since {cleared})."),
            N_("The gateway {meter} is connected again."),
        ),
        (N_("It was away for {lasted}."),),
        (N_("There is nothing left to do: what it kept in the meantime follows by itself."),),
    ),
    "expired": Text(
        N_("Gateway given up: {meter}"),
        (N_("The gateway {meter} is no longer watched."),),
        (N_("It was last away for {value}."),),
        (N_("If the gateway was replaced, there is nothing left to do."),),
    ),
}
