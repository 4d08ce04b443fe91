"""Readings that are late since their gateway is gone (X4), for whoever misses them."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_KEPT = (
    N_("Your data are kept, and they will follow."),
    N_("If you switched off the gateway or the Internet, switch them on again."),
)

TEXTS: Texts = {
    "raised": Text(
        N_("Readings are late: {meter}"),
        (N_("No readings have come from {meter} since {since}."), N_("No readings come from {meter}.")),
        (),
        _KEPT,
    ),
    "updated": Text(
        N_("Readings are still late: {meter}"),
        (N_("Still no readings have come from {meter} since {since}."), N_("Still no readings come from {meter}.")),
        (),
        _KEPT,
    ),
    "cleared": Text(
        N_("Readings come again: {meter}"),
        (N_("Readings come from {meter} again (since {cleared})."), N_("Readings come from {meter} again.")),
        (N_("There were none for {lasted}."),),
        (N_("There is nothing left to do: what was kept in the meantime follows by itself."),),
    ),
    "expired": Text(
        N_("Late readings given up: {meter}"),
        (N_("No readings are expected from {meter} any more."),),
        (N_("There were last none for {value}."),),
        (N_("If the gateway was replaced, there is nothing left to do."),),
    ),
}
