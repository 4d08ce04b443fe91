"""A meter whose own clock is wrong (X5)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOW = (N_("It is off by {value}; up to {baseline} is normal."), N_("It is off by {value}."))
_ADVICE = (
    N_("Your readings keep their right time here: the gateway has a clock of its own."),
    N_("If your tariff depends on the hour, tell your supplier: only they can set the meter."),
)

TEXTS: Texts = {
    "raised": Text(
        N_("Meter clock is wrong: {meter}"), (N_("The clock inside {meter} shows the wrong time."),), _NOW, _ADVICE
    ),
    "updated": Text(
        N_("Meter clock is still wrong: {meter}"),
        (N_("The clock inside {meter} still shows the wrong time."),),
        _NOW,
        _ADVICE,
    ),
    "cleared": Text(
        N_("Meter clock is right again: {meter}"),
        (
            N_("The clock inside {meter} is right again (since {cleared})."),
            N_("The clock inside {meter} is right again."),
        ),
        (N_("At the most it was off by {peak_s}."),),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("Meter clock, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether its clock is right."),),
        (N_("It was last off by {value}."),),
        (N_("The live page shows what was measured."),),
    ),
}
