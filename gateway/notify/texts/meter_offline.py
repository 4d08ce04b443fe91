"""A meter that has fallen silent (X3)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOW = (
    N_("It has been silent for {value}; usually there is a reading every {period_s}."),
    N_("It has been silent for {value}."),
)
_ADVICE = (
    N_("Check that the meter and the gateway have power, and that the cable between them is plugged in."),
    N_("What the meter counts in the meantime is not lost."),
)

TEXTS: Texts = {
    "raised": Text(
        N_("No readings: {meter}"),
        (N_("The last reading of {meter} came at {since}."), N_("{meter} sends no readings.")),
        _NOW,
        _ADVICE,
    ),
    "updated": Text(
        N_("Still no readings: {meter}"),
        (N_("The last reading of {meter} came at {since}."), N_("{meter} still sends no readings.")),
        _NOW,
        _ADVICE,
    ),
    "cleared": Text(
        N_("The readings are back: {meter}"),
        (N_("{meter} sends readings again (since {cleared})."), N_("{meter} sends readings again.")),
        (N_("It was silent for {lasted}."),),
        (N_("There is nothing left to do: the next reading holds what was used in the meantime."),),
    ),
    "expired": Text(
        N_("Silent meter given up: {meter}"),
        (N_("{meter} is no longer one of the gateway's meters."),),
        (N_("It was last silent for {value}."),),
        (N_("If it was replaced, there is nothing left to do."),),
    ),
}
