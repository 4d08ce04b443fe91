"""Many gateways that are gone at once (X4): one message for all of them."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOW = (N_("Gateways that are not connected: {value} of {baseline}."),)
_ADVICE = (
    N_("So many at once have one cause: look at the network, the power and the broker of the area first."),
    N_("They keep their readings; no message follows for each of them."),
)

TEXTS: Texts = {
    "raised": Text(
        N_("Many gateways offline: {meter}"), (N_("Many gateways of {meter} went offline at once."),), _NOW, _ADVICE
    ),
    "updated": Text(
        N_("More gateways offline: {meter}"), (N_("Even more gateways of {meter} are offline."),), _NOW, _ADVICE
    ),
    "cleared": Text(
        N_("Gateways are back: {meter}"),
        (
            N_("Most gateways of {meter} are connected again (since {cleared})."),
            N_("Most gateways of {meter} are connected again."),
        ),
        (N_("It began at {raised}."),),
        (N_("Whatever is still missing is told of one by one."),),
    ),
    "expired": Text(
        N_("Many gateways, end unknown: {meter}"),
        (N_("The gateways of {meter} are no longer watched together."),),
        _NOW,
        (N_("The live page shows what was measured."),),
    ),
}
