"""One of three phases is gone (E12)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOW = (
    N_("It has {value}, another phase has {other_v}; {baseline} is right."),
    N_("It has {value}; {baseline} is right."),
)
_ADVICE = (
    N_("Switch off large air conditioners and pumps now: on two phases their motors burn out."),
    N_("Then look at your main switch; if it is on, tell your electricity supplier."),
)

TEXTS: Texts = {
    "raised": Text(
        N_("A phase is gone: {meter}"),
        (
            N_("Phase {phase} at {meter} has had no voltage for {lasted}."),
            N_("One of the three phases at {meter} has no voltage."),
        ),
        _NOW,
        _ADVICE,
    ),
    "updated": Text(
        N_("A phase is still gone: {meter}"),
        (
            N_("Phase {phase} at {meter} has had no voltage for {lasted}."),
            N_("One of the three phases at {meter} still has no voltage."),
        ),
        _NOW,
        _ADVICE,
    ),
    "cleared": Text(
        N_("All phases are back: {meter}"),
        (
            N_("All three phases at {meter} have voltage again (since {cleared})."),
            N_("All three phases at {meter} have voltage again."),
        ),
        (N_("One was gone for {lasted}."),),
        (N_("Switch large appliances on again, one after another."),),
    ),
    "expired": Text(
        N_("Phase, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether all phases are back."),),
        (N_("It last had {value} instead of {baseline}."),),
        (N_("Have an electrician look before you switch large air conditioners or pumps on."),),
    ),
}
